"""Slash commands that move about in a conversation, on a real session: what they do, tell and refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gptoss_tui.chat.commands import complete, execute
from gptoss_tui.chat.moves import Move
from gptoss_tui.chat.session import Session
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import EngineBusy, GptOssError, ParameterError, PromptError
from gptoss_tui.harmony import Harmony
from tests.chat.sessions import finish, session_on
from tests.chat.test_commands import Recorder


class Finisher(Recorder):
    """A front end that waits for every answer."""

    def make(self, move: Move) -> None:
        turn = self.session.make(move)
        if turn is None:
            self.moved()
        else:
            finish(turn)
            self.told.append("<answer>")


@pytest.fixture
def session(talker: Engine, harmony: Harmony) -> Session:
    session = session_on(talker, harmony, SamplingParams(seed=7))
    for text in ("Hello!", "And now?"):
        finish(session.send(text))
    return session


@pytest.fixture
def front_end(session: Session) -> Finisher:
    return Finisher(session)


def say(front_end: Recorder, text: str) -> list[str]:
    before = len(front_end.told)
    assert execute(text, front_end.session, front_end)
    return front_end.told[before:]


def prompts(session: Session) -> list[str]:
    return [node.text for node in session.path if node.role == "user"]


@pytest.mark.parametrize("text", ["/retry", "/edit Well?", "/edit 2 Well?", "/answer Hello…", "/fork", "/branch #1"])
def test_the_cost_is_told_before_a_move(front_end: Finisher, text: str) -> None:
    told = say(front_end, text)
    assert len(told) == 2
    assert re.fullmatch(r"Reuses [\d,]+ tokens, prefills [\d,]+\.", told[0])


def test_prompts_are_counted_from_the_last_one(front_end: Finisher) -> None:
    session = front_end.session
    say(front_end, "/edit Well?")
    assert prompts(session) == ["Hello!", "Well?"]
    say(front_end, "/edit 2 Good day!\nHow are you?")
    assert prompts(session) == ["Good day!\nHow are you?"]
    say(front_end, "/edit 1 3 apples")
    assert prompts(session) == ["3 apples"]
    assert say(front_end, "/edit") == ["</edit 1 3 apples>"]
    with pytest.raises(ParameterError, match="no prompt 9"):
        say(front_end, "/edit 9 x")
    assert [choice.value for choice in complete("/edit ", session=session)] == ["/edit 1"]


def test_an_answer_is_changed_and_gone_on_with(front_end: Finisher) -> None:
    session = front_end.session
    assert say(front_end, "/answer") == [f"</answer {session.path[-1].text}>"]
    assert say(front_end, "/answer Oh")[-1] == "<moved>"
    assert (session.path[-1].text, session.path[-1].edited) == ("Oh", True)
    assert say(front_end, "/answer Hello...")[-1] == "<answer>"
    assert session.path[-1].text == "Hello there"
    with pytest.raises(PromptError, match="There is no answer yet"):
        say(Finisher(_empty(session)), "/answer")


def test_branches_are_listed_and_gone_to(front_end: Finisher) -> None:
    session = front_end.session
    with pytest.raises(PromptError, match="only one branch"):
        say(front_end, "/branch")
    first = session.path[-1]
    session.params = SamplingParams(seed=1)
    say(front_end, "/retry")
    (listed,) = say(front_end, "/branch")
    assert [line[:4] for line in listed.split("\n")] == ["  1 ", "→ 2 "]
    say(front_end, "/branch prev")
    assert session.path[-1] == first
    say(front_end, "/branch prev")
    assert session.path[-1] != first
    say(front_end, "/branch 1")
    assert session.path[-1] == first
    assert [each.value for each in complete("/branch ", session=session)] == [
        "/branch next",
        "/branch prev",
        "/branch 1",
        "/branch 2",
    ]
    for wrong in ("3", "0", "#99", "elsewhere"):
        with pytest.raises(ParameterError):
            say(front_end, f"/branch {wrong}")


def test_the_tree_is_shown_with_numbers_that_name_places(front_end: Finisher) -> None:
    session = front_end.session
    say(front_end, "/edit 2 Good day!")
    (shown,) = say(front_end, "/tree")
    lines = shown.split("\n")
    assert [line.split()[0] if line[0] == " " else line.split()[1] for line in lines] == [
        "#1",
        "#2",
        "#3",
        "#4",
        "#5",
        "#6",
    ]
    assert lines[0].startswith("  #1 ├─ You: Hello!")
    assert lines[1].startswith("  #2 │  gpt-oss: ")
    assert lines[4].startswith("→ #5 └─ You: Good day!")
    say(front_end, "/branch #2")
    assert prompts(session) == ["Hello!", "And now?"]
    say(front_end, "/fork #2")
    assert prompts(session) == ["Hello!"]
    assert len(session.tree) == 2
    assert "gpt-oss: Oh (changed by you)" in (say(front_end, "/answer Oh"), say(front_end, "/tree"))[1][0]


def test_costs_are_listed(front_end: Finisher) -> None:
    (listed,) = say(front_end, "/cost")
    names = [line.split(":")[0] for line in listed.split("\n")]
    assert names == ["a new prompt", "/retry", "/edit", "/edit 2, the first prompt", "/fork", "/shorten"]
    (told,) = say(front_end, "/cost Well?")
    assert re.fullmatch(r"[\d,]+ of 131,072 tokens: reuses [\d,]+ tokens, prefills [\d,]+", told)
    say(front_end, "/retry")
    assert "/branch next" in say(front_end, "/cost")[0]


def test_settings_tell_what_they_cost(front_end: Finisher) -> None:
    (told,) = say(front_end, "/effort high")
    assert re.fullmatch(r"effort is high · the next prompt reuses [\d,]+ tokens, prefills [\d,]+", told)
    assert say(front_end, "/effort") == ["effort is high"]


def test_copy(front_end: Finisher) -> None:
    answer = front_end.session.path[-1].text
    assert say(front_end, "/copy") == [f"Answer: {answer}"]
    assert say(front_end, "/copy an") == [f"Answer: {answer}"]
    assert say(front_end, "/copy talk")[0].startswith("Talk: **You**\n\nHello!")
    with pytest.raises(PromptError, match="no code block"):
        say(front_end, "/copy code")
    with pytest.raises(ParameterError):
        say(front_end, "/copy everything")


def test_export(front_end: Finisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "hello.md" in say(front_end, "/export")[0]
    assert "And now?" in (tmp_path / "hello.md").read_text()
    with pytest.raises(PromptError, match="there already"):
        say(front_end, "/export")
    say(front_end, f"/export {tmp_path}/talk.json")
    assert json.loads((tmp_path / "talk.json").read_text())
    with pytest.raises(PromptError, match="cannot be written"):
        say(front_end, "/export nowhere/talk.md")
    with pytest.raises(PromptError, match="empty"):
        say(Finisher(_empty(front_end.session)), "/export")


def test_attach(front_end: Finisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.txt").write_text("one two three")
    assert say(front_end, "/attach a b.txt") == ['<@"a b.txt" >', "a b.txt: 3 tokens"]
    assert [each.value for each in complete("/attach a")] == ['/attach "a b.txt"']
    assert say(front_end, '/attach "a b.txt"')[0] == '<@"a b.txt" >'
    with pytest.raises(PromptError, match="cannot be read"):
        say(front_end, "/attach nowhere")
    with pytest.raises(ParameterError):
        say(front_end, "/attach")
    say(front_end, '/edit What is in @"a b.txt"?')
    assert front_end.session.path[-2].text.endswith("```txt\none two three\n```")
    assert say(front_end, "/edit") == ['</edit 1 What is in @"a b.txt"?>']


def test_nothing_moves_while_an_answer_is_written(rambler: Engine, harmony: Harmony) -> None:
    session = session_on(rambler, harmony)
    front_end = Recorder(session)
    turn = session.send("Hello!")
    next(turn)
    for text in ("/retry", "/continue", "/edit x", "/answer x", "/fork", "/branch #1", "/shorten"):
        with pytest.raises(GptOssError) as caught:
            execute(text, session, front_end)
        assert isinstance(caught.value, EngineBusy | PromptError)
    assert front_end.told == []
    say(front_end, "/stop")
    finish(turn)
    session.max_tokens = 5
    say(front_end, "/continue")
    assert session.turn is not None
    finish(session.turn)
    assert len(session.path) == 2


def _empty(session: Session) -> Session:
    session.clear()
    return session


def test_in_an_empty_conversation_nothing_is_told_of_a_move_that_cannot_be_made(
    talker: Engine, harmony: Harmony
) -> None:
    front_end = Finisher(session_on(talker, harmony))
    for text, fault in (("/fork", "nothing to fork"), ("/shorten", "has no turn yet")):
        with pytest.raises(PromptError, match=fault):
            execute(text, front_end.session, front_end)
    assert front_end.told == []
