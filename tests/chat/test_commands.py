"""Slash commands: what counts as one, what it completes to, and what it does to a real session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptoss_tui.chat.commands import COMMANDS, Choice, Command, complete, execute, parse_line
from gptoss_tui.chat.keeper import Keeper
from gptoss_tui.chat.moves import Move
from gptoss_tui.chat.session import Session
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import CheckpointError, ParameterError, PromptError
from gptoss_tui.harmony import Harmony


class Recorder:
    """A front end that only remembers what was asked of it."""

    def __init__(self, session: Session, keeper: Keeper | None = None) -> None:
        self.session = session
        self.keeper = keeper
        self.told: list[str] = []

    def notify(self, message: str) -> None:
        self.told.append(message)

    def show_help(self) -> None:
        self.told.append("<help>")

    def show(self, text: str) -> None:
        self.told.append(text)

    def make(self, move: Move) -> None:
        if self.session.make(move) is None:
            self.moved()

    def moved(self) -> None:
        self.told.append("<moved>")

    def fill(self, text: str) -> None:
        self.told.append(f"<{text}>")

    def copy(self, text: str, what: str) -> None:
        self.told.append(f"{what}: {text}")

    def show_sessions(self, words: str) -> None:
        self.told.append(f"<sessions {words}>")

    def show_themes(self) -> None:
        self.told.append("<themes>")

    def use_theme(self, name: str) -> None:
        self.told.append(f"<theme {name}>")

    def show_models(self) -> None:
        self.told.append("<models>")

    def use_model(self, folder: Path) -> None:
        self.told.append(f"<model {folder}>")

    def quit(self) -> None:
        self.told.append("<quit>")


@pytest.fixture
def front_end(rambler: Engine, harmony: Harmony) -> Iterator[Recorder]:
    """On an engine that never stops by itself; whatever a test leaves running is stopped."""
    session = Session(rambler, harmony, params=SamplingParams(temperature=0))
    yield Recorder(session)
    if session.turn is not None:
        with session.turn:
            pass


def say(front_end: Recorder, text: str) -> list[str]:
    """What the front end was told because of `text`."""
    before = len(front_end.told)
    assert execute(text, front_end.session, front_end)
    return front_end.told[before:]


@pytest.mark.parametrize(
    "text", ["", "hello", " /help", " /", "//", "/etc/hosts is what?", "/help-me", "/1", "a\n/help", "/.", "/ help"]
)
def test_messages_are_left_alone(front_end: Recorder, text: str) -> None:
    assert parse_line(text) is None
    assert not execute(text, front_end.session, front_end)
    assert front_end.told == []


@given(text=st.text())
def test_any_line_is_a_message_a_command_or_refused(text: str) -> None:
    for line in (text, "/" + text):
        with suppress(ParameterError):
            assert parse_line(line) is None or line.startswith("/")


@pytest.mark.parametrize(("text", "name"), [("/quti", "quit"), ("/effrot high", "effort"), ("/CLAER", "clear")])
def test_a_mistyped_name_is_refused_and_the_likely_one_named(text: str, name: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_line(text)
    assert f"Did you mean /{name}?" in caught.value.hint


def test_a_slash_alone_is_not_sent(front_end: Recorder) -> None:
    with pytest.raises(ParameterError, match="A slash alone is no command"):
        execute("/ ", front_end.session, front_end)


def test_names_and_aliases_are_unique_and_found() -> None:
    names = [name for command in COMMANDS for name in (command.name, *command.aliases)]
    assert len(set(names)) == len(names)
    for command in COMMANDS:
        for name in (command.name, command.name.upper(), *command.aliases):
            assert parse_line(f"/{name}") == (command, "")
            assert parse_line(f"/{name}  some  thing ") == (command, "some  thing")
        assert command.usage.startswith(f"/{command.name}")
        assert command.help


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("/he", ["/help"]),
        ("/s", ["/stop", "/shorten", "/sessions", "/set", "/seed"]),
        ("/set to", ["/set top-p", "/set top-k"]),
        ("/effort ", ["/effort low", "/effort medium", "/effort high"]),
        ("/effort H", ["/effort high"]),
        ("/quit ", []),
        ("/nothing ", []),
        ("hello", []),
        ("", []),
    ],
)
def test_completion(text: str, lines: list[str]) -> None:
    assert [choice.value for choice in complete(text)] == lines


def test_completion_of_a_setting_names_its_present_value(front_end: Recorder) -> None:
    assert [choice.value for choice in complete("/set temperature ")] == ["/set temperature 0.00"]
    front_end.session.params = SamplingParams(temperature=0.7)
    offered = complete("/set temperature ", session=front_end.session)
    assert [(choice.value, choice.help) for choice in offered][1:] == [("/set temperature 0.70", "as it is")]
    assert [choice.value for choice in complete("/set top-p o")] == ["/set top-p off"]
    assert complete("/set heat ") == []


def test_a_command_may_find_what_its_arguments_become() -> None:
    def conversations(session: Session | None, typed: str) -> list[Choice]:
        return [Choice(each, "a title") for each in ("3f2a", "3b00") if each.startswith(typed)]

    resume = Command("resume", "Go on with a conversation", lambda *_: None, "[ID]", offers=conversations)
    assert complete("/resume 3f", [resume]) == [Choice("/resume 3f2a", "a title")]


def test_settings_are_shown_and_changed(front_end: Recorder) -> None:
    assert say(front_end, "/set") == ["temperature 0.00 · top-p off · top-k off · min-p off · repetition-penalty off"]
    assert say(front_end, "/set temperature 0.7") == ["temperature is 0.70"]
    assert say(front_end, "/set top_p 0.9") == ["top-p is 0.90"]
    assert say(front_end, "/set rep") == ["repetition-penalty is off"]
    assert say(front_end, "/set seed 5") == ["seed is 5"]
    assert front_end.session.params == SamplingParams(temperature=0.7, top_p=0.9, seed=5)
    assert say(front_end, "/seed off") == ["seed is off"]
    assert say(front_end, "/seed") == ["seed is off"]
    assert front_end.session.params.seed is None


@pytest.mark.parametrize("text", ["/set heat 1", "/set temperature hot", "/set top-k 0.5", "/seed x", "/effort huge"])
def test_what_cannot_be_set_changes_nothing(front_end: Recorder, text: str) -> None:
    session = front_end.session
    before = (session.params, session.effort)
    with pytest.raises(ParameterError):
        execute(text, session, front_end)
    assert (session.params, session.effort) == before
    assert front_end.told == []


def test_effort_and_instructions(front_end: Recorder) -> None:
    session = front_end.session
    assert say(front_end, "/effort") == ["effort is medium"]
    assert say(front_end, "/effort hi") == ["effort is high"]
    assert session.effort == "high"
    assert say(front_end, "/instructions") == ["no instructions"]
    say(front_end, "/instructions Be brief.\nAnd kind.")
    assert session.instructions == "Be brief.\nAnd kind."
    assert say(front_end, "/instructions off") == ["no instructions"]
    assert session.instructions is None


def test_a_setting_reaches_the_running_answer_and_stop_ends_it(front_end: Recorder) -> None:
    assert say(front_end, "/stop") == ["Nothing is being written."]
    turn = front_end.session.send("Hello!")
    say(front_end, "/set top-k 3")
    assert turn.params.top_k == 3
    assert say(front_end, "/stop") == []
    for _ in turn:
        pass
    assert turn.finished is not None
    assert turn.finished.reason == "interrupted"


def test_retry_is_the_front_ends_to_show(front_end: Recorder) -> None:
    with pytest.raises(PromptError):
        execute("/retry", front_end.session, front_end)
    with front_end.session.send("Hello!") as turn:
        next(turn)
    say(front_end, "/retry")
    assert front_end.session.turn is not None
    assert front_end.session.turn.prompt_ids == turn.prompt_ids


def test_clear_help_and_quit(front_end: Recorder) -> None:
    with front_end.session.send("Hello!") as turn:
        next(turn)
    assert front_end.session.messages
    assert say(front_end, "/new") == ["<moved>"]
    assert front_end.session.messages == ()
    assert say(front_end, "/?") == ["<help>"]
    assert say(front_end, "/exit") == ["<quit>"]


def test_models_are_the_front_ends_to_show_and_are_looked_up_at_once(
    front_end: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert say(front_end, "/model") == ["<models>"]
    assert say(front_end, f"/model {tmp_path}") == [f"<model {tmp_path}>"]
    with pytest.raises(CheckpointError, match="no model called nowhere"):
        execute("/model nowhere", front_end.session, front_end)
    assert "/model demo" in [choice.value for choice in complete("/model de")]
