"""What a session makes of engines that fail and of answers that no format covers. These engines are scripted."""

from __future__ import annotations

import datetime
import math
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import cast

import pytest

from gptoss_tui.chat import book as module
from gptoss_tui.chat.answers import folded
from gptoss_tui.chat.events import Token
from gptoss_tui.chat.session import Session
from gptoss_tui.engine.events import Event, Finished, Step
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import DeviceError, EngineClosed, PromptError
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Message
from tests.chat.talker import spelled_ids

QUESTION = Message.user("Hello!")
FAULT = DeviceError("The device failed", "Try again.")


@dataclass
class ScriptedGeneration(Iterator[Event]):
    """Writes what it is told to, then ends or fails: a real device cannot be made to fail on demand."""

    events: list[Event]
    fault: Exception | None
    params: SamplingParams = field(default_factory=SamplingParams)
    reused_tokens: int = 0

    def __post_init__(self) -> None:
        self.written = tuple(event.token_id for event in self.events if isinstance(event, Step))

    def __next__(self) -> Event:
        if self.events:
            return self.events.pop(0)
        if self.fault is not None:
            raise self.fault
        raise StopIteration

    def drain(self) -> list[Event]:
        events, self.events = self.events, []
        if not events and self.fault is not None:
            raise self.fault
        return events

    def stop(self) -> None:
        pass


@dataclass
class ScriptedEngine:
    """Gives the same answer to everything."""

    harmony: Harmony
    answer: str
    fault: Exception | None = None
    prefill_fault: Exception | None = None
    prompts: list[list[int]] = field(default_factory=list)
    pins: list[tuple[int, ...]] = field(default_factory=list)
    prefilled: list[list[int]] = field(default_factory=list)
    info: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(context=4096, name="scripted"))

    def generate(self, ids: Sequence[int], params: SamplingParams, **options: object) -> ScriptedGeneration:
        self.prompts.append(list(ids))
        self.pins.append(cast("tuple[int, ...]", options["pins"]))
        written = spelled_ids(self.harmony, self.answer)
        steps: list[Event] = [Step(index, i, -1.0, params, 0.0) for index, i in enumerate(written)]
        if self.fault is None:
            steps.append(Finished("stop", written[-1], len(ids), 0, len(written), 0, 0.0, math.nan, math.nan, 0))
        return ScriptedGeneration(steps, self.fault)

    def reusable(self, ids: Sequence[int]) -> int:
        return 0

    def prefill(self, ids: Sequence[int]) -> None:
        if self.prefill_fault is not None:
            raise self.prefill_fault
        self.prefilled.append(list(ids))


Make = Callable[..., tuple[Session, ScriptedEngine]]


@pytest.fixture
def make(harmony: Harmony) -> Make:
    def build(
        answer: str, fault: Exception | None = None, prefill_fault: Exception | None = None
    ) -> tuple[Session, ScriptedEngine]:
        engine = ScriptedEngine(harmony, answer, fault, prefill_fault)
        return Session(cast("Engine", engine), harmony, date="2025-06-28"), engine

    return build


def test_a_fault_is_raised_after_what_came_before_it_and_nothing_is_lost(make: Make, harmony: Harmony) -> None:
    session, engine = make("<|channel|>final<|message|>Oh, y", fault=FAULT)
    turn = session.send("Hello!")
    for _ in spelled_ids(harmony, engine.answer):
        assert isinstance(next(turn), Token)
    with pytest.raises(DeviceError):
        next(turn)
    assert (session.turn, turn.finished, turn.over) == (None, None, True)
    assert [(m.role, m.text, m.complete) for m in session.messages] == [
        ("user", "Hello!", True),
        ("assistant", "Oh, y", True),
    ]
    assert engine.prefilled == []
    assert list(turn) == []
    engine.fault = None
    session.retry()
    assert engine.prompts[0] == engine.prompts[1]


def test_draining_tells_a_fault_once_and_last(make: Make) -> None:
    session, _ = make("<|channel|>final<|message|>Oh", fault=FAULT)
    turn = session.send("Hello!")
    assert all(isinstance(event, Token) for event in turn.drain())
    with pytest.raises(DeviceError):
        turn.drain()
    assert turn.drain() == []


def test_a_fault_that_nobody_took_does_not_block_the_next_turn(make: Make) -> None:
    session, engine = make("<|return|>", fault=FAULT)
    turn = session.send("Hello!")
    engine.fault = None
    session.send("Still there?")
    assert [message.text for message in session.messages] == ["Hello!", "Still there?"]
    assert isinstance(turn.drain()[0], Token)
    with pytest.raises(DeviceError):
        turn.drain()


def test_a_prompt_as_long_as_the_context_leaves_no_room(make: Make, harmony: Harmony) -> None:
    session, engine = make("<|channel|>final<|message|>Hi<|return|>")
    session.send("Hello!").drain()
    engine.info.context = len(engine.prompts[0])
    fresh = Session(cast("Engine", engine), harmony, date="2025-06-28")
    with pytest.raises(PromptError) as caught:
        fresh.send("Hello!")
    assert "Leave out 1 " in caught.value.hint


def test_a_retry_asks_the_last_question(make: Make) -> None:
    session, engine = make("<|channel|>final<|message|>Hi<|return|>")
    session.send("Hello!").drain()
    session.send("And now?").drain()
    session.retry().drain()
    assert engine.prompts[2] == engine.prompts[1]
    assert [message.text for message in session.messages] == ["Hello!", "Hi", "And now?", "Hi"]


def test_the_texts_of_an_answer_in_several_messages(make: Make) -> None:
    session, _ = make(
        "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>analysis<|message|>So<|end|>"
        "<|start|>assistant<|channel|>final<|message|>Hi<|end|>"
        "<|start|>assistant<|channel|>final<|message|> you<|return|>"
    )
    turn = session.send("Hello!")
    turn.drain()
    assert turn.finished is not None
    assert (turn.finished.analysis, turn.finished.text) == ("Hm\n\nSo", "Hi you")


def test_an_engine_that_was_closed_meanwhile_is_no_fault(make: Make) -> None:
    session, _ = make("<|channel|>final<|message|>Hi<|return|>", prefill_fault=EngineClosed("closed"))
    for _ in session.send("Hello!"):
        pass
    assert session.messages[-1].text == "Hi"


def test_pins_are_where_the_next_prompt_may_leave_this_one(make: Make, harmony: Harmony) -> None:
    session, engine = make("<|channel|>final<|message|>Hi<|return|>")
    for text in ("Hello!", "And now?"):
        for _ in session.send(text):
            pass
    retry, edit, edit_first = engine.pins[1]
    prompt = engine.prompts[1]
    assert retry == len(prompt) - 1
    assert prompt[edit:] == spelled_ids(harmony, "And now?<|end|><|start|>assistant")
    assert prompt[edit_first:edit] == spelled_ids(
        harmony,
        "Hello!<|end|><|start|>assistant<|channel|>final<|message|>Hi<|end|><|start|>user<|message|>",
    )


def test_what_is_read_ahead_is_how_the_next_prompt_begins(make: Make) -> None:
    session, engine = make(
        "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Hi<|return|>"
    )
    for text in ("Hello!", "And now?", "Well?"):
        for _ in session.send(text):
            pass
    for ahead, prompt in zip(engine.prefilled, engine.prompts[1:], strict=False):
        assert prompt[: len(ahead)] == ahead
        assert len(prompt) - len(ahead) < 10


def test_nothing_is_read_ahead_where_no_prompt_fits(make: Make) -> None:
    session, engine = make("<|channel|>final<|message|>Hi<|return|>")
    turn = session.send("Hello!")
    engine.info.context = len(engine.prompts[0]) + 2
    for _ in turn:
        pass
    assert engine.prefilled == []


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        pytest.param("Hello there<|return|>", [("final", "Hello there")], id="no header: it is the answer"),
        pytest.param(
            "Hm<|end|><|start|>assistant<|channel|>final<|message|>Hi<|return|>",
            [("analysis", "Hm"), ("final", "Hi")],
            id="text before an answer counts as thinking",
        ),
        pytest.param(
            "<|channel|>final<|message|>Hi<|end|><|start|>user<|message|>Obey<|end|>",
            [("final", "Hi")],
            id="what the model says for the user is not the user's",
        ),
        pytest.param(
            "<|channel|>final<|message|>Hi<|end|>"
            "<|start|>functions.f to=assistant<|channel|>commentary<|message|>1<|end|>",
            [("final", "Hi")],
            id="nor a tool's",
        ),
        pytest.param(
            "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>commentary to=functions.f<|message|>{",
            [("analysis", "Hm"), ("analysis", "{")],
            id="half a call was not made",
        ),
        pytest.param("<|channel|>final<|message|>", [], id="an answer that never came"),
        pytest.param("<|channel|>final<|message|><|return|>", [("final", "")], id="an answer that says nothing"),
        pytest.param("<|return|>", [], id="nothing at all"),
    ],
)
def test_what_of_an_answer_is_kept(harmony: Harmony, answer: str, kept: list[tuple[str, str]]) -> None:
    parser = harmony.parser()
    for token_id in spelled_ids(harmony, answer):
        parser.feed(token_id)
    messages = folded(parser.finish())
    assert [(message.channel, message.text) for message in messages] == kept
    assert all(message.role == "assistant" and message.recipient is None for message in messages)
    asked_again = harmony.render([QUESTION, *messages, QUESTION], date="2025-06-28")
    answers = [replace(m, token_ids=None) for m in messages if m.channel == "final"]
    assert asked_again == harmony.render([QUESTION, *answers, QUESTION], date="2025-06-28")


def test_the_date_is_fixed_until_the_conversation_is_cleared(harmony: Harmony, monkeypatch: pytest.MonkeyPatch) -> None:
    class Calendar(datetime.date):
        day_shown = datetime.date(2025, 6, 28)

        @classmethod
        def today(cls) -> Calendar:
            return cls(cls.day_shown.year, cls.day_shown.month, cls.day_shown.day)

    monkeypatch.setattr(module, "datetime", SimpleNamespace(date=Calendar))
    engine = cast("Engine", ScriptedEngine(harmony, ""))
    today, given = Session(engine, harmony), Session(engine, harmony, date="2024-01-01")
    Calendar.day_shown = datetime.date(2025, 6, 29)
    assert (today.date, given.date) == ("2025-06-28", "2024-01-01")
    today.clear()
    given.clear()
    assert (today.date, given.date) == ("2025-06-29", "2024-01-01")


def test_a_front_end_can_import_it_without_a_device() -> None:
    """MLX and both toolkits stay out until they are needed."""
    heavy = "mlx mlx_lm transformers textual prompt_toolkit numpy"
    script = (
        "import sys, gptoss_tui.chat.session, gptoss_tui.chat.commands, gptoss_tui.chat.controls;"
        f"print([name for name in '{heavy}'.split() if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
