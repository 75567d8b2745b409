"""The list of conversations, going on with one that was cut off, a new one that loses nothing, what is not saved."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from textual.widgets import Input

from gptoss_tui.chat.journal import Conversation
from gptoss_tui.chat.saving import Saving
from gptoss_tui.chat.store.codec import Archive
from gptoss_tui.chat.store.keeping import Store
from gptoss_tui.chat.store.library import Library
from gptoss_tui.chat.tree import Node, Tree, new_id
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.harmony.messages import Message
from gptoss_tui.tui.screens.sessions import SessionsScreen
from tests.chat.talker import talking_checkpoint
from tests.tui.pilots import Driven, driven

GREEDY = SamplingParams(temperature=0)


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return talking_checkpoint(tmp_path_factory.mktemp("talker"))


def _kept(folder: Path, *talks: tuple[str, str]) -> list[str]:
    """Conversations of one turn each, (prompt, answer), the last one newest; their ids."""
    ids = []
    for at, (prompt, answer) in enumerate(talks):
        tree = Tree()
        for role, message in (("user", Message.user(prompt)), ("assistant", Message.assistant(answer))):
            ending = "stop" if role == "assistant" else None
            tree.add(Node(new_id(), tree.head, role, (message,), ending=ending, created=time.time()))  # type: ignore[arg-type]
            tree.move(tree.nodes[-1].id)
        conversation = Conversation(
            new_id(), title=prompt, date="2026-11-25", model="tiny", params=GREEDY, created=time.time() + at
        )
        Library(folder).take_in(Archive(conversation, tree))
        ids.append(conversation.id)
    return ids


@asynccontextmanager
async def _saving(talker: Path, folder: Path, **others: object) -> AsyncIterator[Driven]:
    saving = Saving(folder=folder)
    async with driven(folder=talker, params=GREEDY, saving=saving, **others) as test:  # type: ignore[arg-type]
        yield test


@contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


async def _browse(test: Driven) -> SessionsScreen:
    await test.pilot.press("alt+s")
    await test.until(lambda: isinstance(test.app.screen, SessionsScreen))
    screen = test.app.screen
    assert isinstance(screen, SessionsScreen)
    return screen


def _titles(screen: SessionsScreen) -> list[str]:
    return [item.one.title for item in screen.items]


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_conversations_are_searched_while_one_types_and_opened(
    talker: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    _kept(tmp_path, ("Black holes", "They bend light."), ("Bread", "Flour and water."))
    async with _saving(talker, tmp_path, size=size) as test:
        screen = await _browse(test)
        await test.until(lambda: sorted(_titles(screen)) == ["Black holes", "Bread"])
        await test.type("light")
        await test.until(lambda: _titles(screen) == ["Black holes"])
        await test.until(lambda: "bend light" in test.text_of("#sessions"))
        await test.pilot.press("enter")
        await test.until(lambda: test.app.screen is test.main)
        await test.until(lambda: [turn.answer for turn in test.main.chat.turns] == ["They bend light."])
        assert test.app.focused is test.main.prompt
        # It is gone on with where it was.
        await test.ask("Why?")
        await test.phase("idle")
        await test.until(lambda: len(test.main.chat.turns) == 2 and "there" in test.main.chat.turns[1].answer)
        screen = await _browse(test)
        await test.until(lambda: len(screen.items) == 2 and screen.items[0].one.prompts == 2)
        assert "• Black holes" in test.text_of("#sessions")


async def test_renaming_deleting_undoing_and_exporting(talker: Path, tmp_path: Path) -> None:
    ids = _kept(tmp_path, ("One", "1"), ("Two", "2"), ("Three", "3"))
    async with _saving(talker, tmp_path) as test:
        screen = await _browse(test)
        await test.until(lambda: len(screen.items) == 3)
        await test.pilot.press("down", "r")
        await test.until(lambda: screen.query_one("#sessions-title", Input).has_focus)
        marked = screen.marked
        assert marked is not None
        screen.query_one("#sessions-title", Input).value = "Another"
        await test.pilot.press("enter")
        await test.until(lambda: "Another" in _titles(screen))
        assert Library(tmp_path).find(marked.one.id).title == "Another"
        await test.pilot.press("d")
        await test.until(lambda: len(screen.items) == 2)
        await test.until(lambda: "u brings back" in test.text_of("#sessions"))
        assert len(Library(tmp_path).listed()) == 2
        await test.pilot.click("#sessions-ways", offset=(test.text_of("#sessions-ways").index("u undo"), 0))
        await test.until(lambda: len(screen.items) == 3)
        assert {one.id for one in Library(tmp_path).listed()} == {*ids}
        with _in_folder(tmp_path):
            await test.pilot.press("e")
            await test.until(lambda: "Written to" in test.text_of("#sessions"))
        assert len(list(tmp_path.glob("*.md"))) == 1
        await test.pilot.press("escape")
        await test.until(lambda: test.app.screen is test.main)


async def test_the_present_one_is_marked_renamed_and_left_when_it_is_deleted(talker: Path, tmp_path: Path) -> None:
    async with _saving(talker, tmp_path) as test:
        await test.ask("Hello?")
        await test.phase("idle")
        screen = await _browse(test)
        await test.until(lambda: _titles(screen) == ["Hello?"])
        await test.until(lambda: "• Hello?" in test.text_of("#sessions"))
        await test.pilot.press("down", "r")
        screen.query_one("#sessions-title", Input).value = "Greeting"
        await test.pilot.press("enter")
        await test.until(lambda: _titles(screen) == ["Greeting"])
        backend = test.main.conductor.backend
        assert backend is not None
        assert backend.session.title == "Greeting"
        await test.pilot.press("d")
        await test.until(lambda: not screen.items and not test.main.chat.turns)
        assert not Library(tmp_path).listed()
        await test.pilot.press("u")
        await test.until(lambda: _titles(screen) == ["Greeting"])


async def test_a_new_conversation_says_that_the_one_before_is_saved(talker: Path, tmp_path: Path) -> None:
    async with _saving(talker, tmp_path) as test:
        await test.ask("Keep me")
        await test.phase("idle")
        await test.pilot.press("ctrl+l")
        await test.until(lambda: not test.main.chat.turns)
        await test.until(lambda: "saved: “Keep me”" in test.screen_lines()[0])
        screen = await _browse(test)
        await test.until(lambda: _titles(screen) == ["Keep me"])


async def test_a_conversation_that_was_cut_off_is_offered_and_opened_by_key_and_click(
    talker: Path, tmp_path: Path
) -> None:
    for way in ("key", "click"):
        folder = tmp_path / way
        (conversation_id,) = _kept(folder, ("Long story", "Once upon a time"))
        store = Store(folder)
        store.adopt(Library(folder).get(conversation_id))
        assert store.close(5, dropped=True)
        async with _saving(talker, folder) as test:
            await test.until(lambda: "“Long story” lost its terminal just now" in test.text_of("#chat"))
            if way == "key":
                await test.pilot.press("alt+g")
            else:
                note = test.main.query_one("Note.-offer")
                y = next(y for y, line in enumerate(test.screen_lines()) if "go on there" in line)
                x = test.screen_lines()[y].index("go on there")
                await test.pilot.click(note, offset=(x - note.region.x, y - note.region.y))
            await test.until(lambda: [turn.answer for turn in test.main.chat.turns] == ["Once upon a time"])
            assert not test.main.query("Note.-offer")


async def test_what_is_not_saved_is_marked_and_explained(talker: Path, tmp_path: Path) -> None:
    async with driven(folder=talker, params=GREEDY, saving=Saving(save=False)) as test:
        await test.until(lambda: "private" in test.screen_lines()[0])
        await test.ask("Hello?")
        await test.phase("idle")
        await test.pilot.press("ctrl+l")
        await test.until(lambda: "ctrl+l again" in test.screen_lines()[0])
    (tmp_path / "file").write_text("in the way")
    async with _saving(talker, tmp_path / "file") as test:
        await test.until(lambda: "not saved" in test.screen_lines()[0])
        await test.ask("Hello?")
        await test.phase("idle")
        await test.pilot.click("#status")
        await test.until(lambda: any("Nothing is being saved" in note.message for note in test.app._notifications))


async def test_a_long_list_is_made_as_it_is_looked_at(talker: Path, tmp_path: Path) -> None:
    _kept(tmp_path, *((f"Talk number {at}", "x") for at in range(210)))
    async with _saving(talker, tmp_path) as test:
        screen = await _browse(test)
        await test.until(lambda: len(screen.items) == 210)
        assert screen.list.option_count == 200
        for _ in range(21):
            screen.action_move(10)
        await test.until(lambda: screen.list.option_count == 210)
        await test.until(lambda: screen.marked is not None and screen.marked.one.title == "Talk number 0")
