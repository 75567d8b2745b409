"""Moves about in a conversation in the interface, on the real engine: what is drawn follows where the session is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gptoss_tui.chat.moves import Edit, Fork
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.tui.widgets.turn import Note, Turn
from tests.chat.talker import talking_checkpoint
from tests.tui.pilots import Driven, driven

MUSING = "<|channel|>analysis<|message|>" + "Hm, so" * 50 + "<|return|>"
RAMBLING = "<|channel|>final<|message|>" + "Oh, yes" * 50 + "<|return|>"
GREEDY = SamplingParams(temperature=0)


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return talking_checkpoint(tmp_path_factory.mktemp("talker"))


@pytest.fixture(scope="module")
def rambler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return talking_checkpoint(tmp_path_factory.mktemp("rambler"), [RAMBLING])


@pytest.fixture(scope="module")
def muser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return talking_checkpoint(tmp_path_factory.mktemp("muser"), [MUSING])


def shown(test: Driven) -> list[tuple[str, str]]:
    """Prompt and answer of each turn on the screen."""
    return [(turn.prompt, turn.answer) for turn in test.main.chat.turns]


def said(test: Driven) -> list[tuple[str, str]]:
    """The same of the session."""
    path = test.main.conductor.backend.session.path  # type: ignore[union-attr]  # it is loaded
    return [(prompt.text, answer.text) for prompt, answer in zip(path[::2], path[1::2], strict=True)]


def notes(turn: Turn) -> str:
    return "\n".join(str(note.render()) for note in turn.query(Note))


async def command(test: Driven, text: str) -> None:
    """Does it and waits until it has taken effect."""
    before = test.main.conductor.player._asking
    assert test.main.front_end.execute(text)
    await test.until(lambda: test.main.conductor.player._asking is not before)
    await test.phase("idle")
    await test.until(lambda: shown(test) == said(test))


async def ask(test: Driven, *texts: str) -> None:
    for text in texts:
        await test.ask(text)
        await test.phase("idle")
    await test.until(lambda: shown(test) == said(test))


async def test_the_screen_follows_every_move(talker: Path) -> None:
    async with driven(folder=talker, params=GREEDY) as test:
        await ask(test, "Hello!", "And now?")
        first = test.main.chat.turns[0]
        await command(test, "/retry")
        assert test.main.chat.turns[0] is first, "what has not changed is not drawn again"
        assert len(test.main.chat.turns) == 2
        await command(test, "/branch prev")
        await command(test, "/edit 2 Good day!")
        assert [prompt for prompt, _ in shown(test)] == ["Good day!"]
        await command(test, "/answer Hello…")
        assert shown(test) == [("Good day!", "Hello there")]
        await command(test, "/answer Oh")
        assert shown(test) == [("Good day!", "Oh")]
        await command(test, "/branch #2")
        assert [prompt for prompt, _ in shown(test)] == ["Hello!", "And now?"]
        await command(test, "/fork #2")
        assert [prompt for prompt, _ in shown(test)] == ["Hello!"]
        await ask(test, "Elsewhere")
        assert test.main.front_end.execute("/clear")
        await test.until(lambda: shown(test) == [])
        assert test.main.query(".-welcome")


async def test_an_answer_grows_where_it_stands(rambler: Path) -> None:
    async with driven(folder=rambler, params=GREEDY, max_tokens=12) as test:
        await ask(test, "Hello!")
        turn = test.main.chat.turns[0]
        before = turn.answer
        await test.until(lambda: "alt+g continue" in notes(turn))
        await command(test, "/continue")
        (turn,) = test.main.chat.turns
        assert turn.answer.startswith(before)
        assert len(turn.answer) > len(before)
        assert len(turn.query("Answer")) == 1
        await test.until(lambda: notes(turn).count("alt+g continue") == 1)


async def test_thinking_grows_in_its_own_block(muser: Path) -> None:
    async with driven(folder=muser, params=GREEDY, max_tokens=12) as test:
        await ask(test, "Hello!")
        before = test.main.chat.turns[0].thinking[0].text
        await command(test, "/continue")
        (block,) = test.main.chat.turns[0].thinking
        assert block.text.startswith(before)
        assert len(block.text) > len(before)


async def test_nothing_moves_while_an_answer_is_written(rambler: Path) -> None:
    async with driven(folder=rambler, params=GREEDY) as test:
        await test.ask("Hello!")
        await test.phase("writing")
        assert test.main.front_end.execute("/fork")
        assert test.main.prompt.text == "/fork"
        await test.main.conductor.make(Fork())
        test.keys("escape")
        await test.phase("idle")
        assert len(shown(test)) == 1


async def test_a_move_that_cannot_be_made_says_why_and_leaves_all_as_it_is(talker: Path) -> None:
    async with driven(folder=talker, params=GREEDY) as test:
        await ask(test, "Hello!")
        await test.main.conductor.make(Edit("nowhere", "x"))
        await test.until(lambda: any("no such place" in str(note.render()) for note in test.main.query(Note)))
        await test.phase("idle")
        assert shown(test) == said(test)
        await ask(test, "And now?")


async def test_files_are_offered_measured_and_attached(
    talker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("one two three")
    (tmp_path / "folder").mkdir()
    async with driven(folder=talker, params=GREEDY) as test:
        test.main.prompt.fill("see @no")
        await test.until(lambda: "@notes.txt" in test.text_of("#suggestions"))
        await test.pilot.press("tab")
        assert test.main.prompt.text == "see @notes.txt "
        await test.until(lambda: "3 tokens" in test.text_of("#suggestions"))
        test.main.prompt.fill("see @folder")
        await test.until(lambda: "is a folder" in test.text_of("#suggestions"))
        await test.ask("see @notes.txt")
        await test.phase("idle")
        session = test.main.conductor.session
        assert session is not None
        assert session.path[0].text == "see @notes.txt\n\nFile: notes.txt\n```txt\none two three\n```"
        await test.ask("see @folder")
        await test.until(lambda: "is a folder" in notes(test.main.chat.turns[-1]))
        assert len(session.path) == 2


async def test_copying_reaches_the_terminal(talker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("TMUX", raising=False)
    async with driven(folder=talker, params=GREEDY) as test:
        await ask(test, "Hello!")
        sent: list[str] = []
        monkeypatch.setattr(test.app._driver, "write", sent.append)
        assert test.main.front_end.execute("/copy")
        await test.until(lambda: any(each.startswith("\x1b]52;c;") for each in sent))
        assert test.app.clipboard == shown(test)[0][1]
