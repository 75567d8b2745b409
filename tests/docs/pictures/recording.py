"""A real conversation with the bundled model, recorded where the engine hands over its events, and played again.

What is played goes through the real session, parser and front ends; only tokens, times and the layers' bytes come from
the recording. So the pictures are the same on every machine, and show nothing that was not measured.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from gptoss_tui.chat.session import Session
from gptoss_tui.engine.control import Control
from gptoss_tui.engine.events import Event, Finished, LayerState, MemoryUse, ModelInfo, PrefillProgress, Step
from gptoss_tui.engine.generation import Generation
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.harmony import Harmony
from gptoss_tui.models.bundled import demo_checkpoint

FILE = Path(__file__).with_name("recording.json")
DATE = "2026-11-25"
QUESTIONS = ("Write a Python function that reverses a string.", "Tell me a story about a small robot.")
BEGIN = SamplingParams(temperature=0.7, top_p=0.9, seed=4)
COOLER = 0.3
"""The temperature from the second answer's CHANGED_AT-th token on."""
CHANGED_AT, WRITTEN = 87, 90
"""Tokens of the second answer before the change, and in the picture."""
BATCH = 10
"""Events that a front end is given at once."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer."""

    prompt_tokens: int
    events: tuple[Event, ...]
    layers: tuple[LayerState, ...]
    """As they were after the last of the events."""

    @property
    def tokens(self) -> int:
        """Those of the prompt and of the answer."""
        return self.prompt_tokens + sum(isinstance(event, Step) for event in self.events)


@dataclass(frozen=True, slots=True)
class Recording:
    """A conversation; its last answer is not finished."""

    model: str
    """A digest of the weights that wrote it."""
    info: ModelInfo
    answers: tuple[Recorded, ...]


def model_digest(folder: Path) -> str:
    """The same for the same weights."""
    files = sorted(folder.glob("*.safetensors"))
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()[:16]


def record() -> Recording:
    """Asks the bundled model. Takes some seconds."""
    folder = demo_checkpoint()
    harmony = Harmony.load(folder)
    with Engine.load(folder) as engine:
        session = Session(engine, harmony, params=BEGIN, date=DATE)
        answers = []
        for question in QUESTIONS:
            last = question == QUESTIONS[-1]
            session.max_tokens = WRITTEN if last else None
            steps, states = [0], list[tuple[LayerState, ...]]()

            def on_event(
                steps: list[int] = steps, states: list[tuple[LayerState, ...]] = states, change: bool = last
            ) -> None:
                # On the model's thread and before it goes on, so the change falls on the same token each time.
                states.append(engine.layers())
                steps[0] += 1
                if change and steps[0] == CHANGED_AT:
                    session.params = replace(session.params, temperature=COOLER)

            turn = session.send(question, on_event=on_event)
            events = [event if isinstance(event, PrefillProgress) else _engines(event) for event in turn]
            if last:
                events.pop()
            answers.append(Recorded(len(turn.prompt_ids), tuple(events), states[len(events) - 1]))
        return Recording(model_digest(folder), engine.info, tuple(answers))


def _engines(event: Any) -> Event:
    """The engine's event in a turn's."""
    inner = getattr(event, "step", None) or event.finished
    return cast(Event, inner)


def save(recording: Recording) -> None:
    """Writes it, an event a line."""
    answers = [
        {
            "prompt_tokens": answer.prompt_tokens,
            "events": [{"kind": type(event).__name__, **asdict(event)} for event in answer.events],
            "layers": [asdict(layer) for layer in answer.layers],
        }
        for answer in recording.answers
    ]
    rows = {"model": recording.model, "info": asdict(recording.info), "answers": answers}
    text = json.dumps(rows).replace('{"kind"', '\n{"kind"').replace('{"index"', '\n{"index"')
    FILE.write_text(text + "\n", encoding="utf-8")


def load() -> Recording:
    """Reads it."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))
    answers = tuple(
        Recorded(
            answer["prompt_tokens"],
            tuple(_event(row) for row in answer["events"]),
            tuple(LayerState(**row) for row in answer["layers"]),
        )
        for answer in rows["answers"]
    )
    fields: dict[str, Any] = rows["info"]
    info = ModelInfo(**fields | {"attention": tuple(fields["attention"])})
    return Recording(rows["model"], info, answers)


def _event(row: dict[str, Any]) -> Event:
    fields = {name: value for name, value in row.items() if name != "kind"}
    if row["kind"] == "Step":
        fields |= {"params": SamplingParams(**fields["params"]), "alternatives": (), "experts": ()}
        return Step(**fields)
    return Finished(**fields) if row["kind"] == "Finished" else PrefillProgress(**fields)


class Playing(Generation):
    """A generation whose events are there from the beginning, and are handed out some at a time."""

    def __init__(
        self,
        answer: Recorded,
        params: SamplingParams,
        wake: Callable[[], None] | None,
        took: Callable[[int, bool], None],
    ) -> None:
        """`took(tokens, all)` is told how many tokens were taken so far, and whether that is all."""
        control = Control(params)
        control.reused_tokens = next((e.reused for e in answer.events if isinstance(e, PrefillProgress)), 0)
        super().__init__(control, None)
        for event in answer.events:
            self._put(event)
        self._wake, self._took = wake, took
        self._tokens = 0
        self._empty = True

    def wake(self) -> None:
        """Tells the reader that there is more: as the real one does, from another thread."""
        if self._wake is not None:
            threading.Timer(0.0, self._wake).start()

    def drain(self) -> list[Event]:
        """The next few; every other time none, which is when the reader draws."""
        self._empty = not self._empty
        if self._empty:
            if self._events:
                self.wake()
            return []
        events = [self._events.popleft() for _ in range(min(BATCH, len(self._events)))]
        self._tokens += sum(isinstance(event, Step) for event in events)
        self._took(self._tokens, not self._events)
        return events

    def stop(self) -> None:
        """It writes nothing more, so nobody need wait for it."""
        super().stop()
        with self._changed:
            self._done = True
            self._changed.notify_all()


class Player:
    """Stands for an `Engine`: answers what was recorded, in turn."""

    def __init__(self, recording: Recording) -> None:
        self.info = recording.info
        self.busy = False
        self.cached_tokens = 0
        self.done = False
        """Whether all that was recorded has been taken."""
        self._answers = list(recording.answers)
        self._layers = tuple(
            replace(layer, tokens=0, visible=0, used_bytes=0, history_bytes=0, allocated_bytes=0)
            for layer in recording.answers[0].layers
        )

    def generate(
        self,
        ids: Sequence[int],
        params: SamplingParams,
        *,
        on_event: Callable[[], None] | None = None,
        **_: object,
    ) -> Playing:
        """The next recorded answer."""
        answer = self._answers.pop(0)

        def took(steps: int, whole: bool) -> None:
            if whole:
                self._layers = answer.layers
                self.done = not self._answers
            self.cached_tokens = answer.prompt_tokens + steps

        playing = Playing(answer, params, on_event, took)
        playing.wake()
        return playing

    def layers(self) -> tuple[LayerState, ...]:
        """As they were at the end of what was played."""
        return self._layers

    def memory(self) -> MemoryUse:
        """What the layers keep for going back."""
        return MemoryUse(sum(layer.history_bytes for layer in self._layers), 0, 0, 0, 256 * 2**20)

    def prefill(self, ids: Sequence[int]) -> None:
        """Nothing is read ahead."""

    def reusable(self, ids: Sequence[int]) -> int:
        """Tokens that were in the cache when the next answer was recorded."""
        events = self._answers[0].events if self._answers else ()
        return next((event.reused for event in events if isinstance(event, PrefillProgress)), 0)

    def forget(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing runs."""


def play(recording: Recording, params: SamplingParams = BEGIN) -> tuple[Player, Session]:
    """An engine that plays it, and a real session on that."""
    player = Player(recording)
    harmony = Harmony.load(demo_checkpoint())
    return player, Session(cast(Engine, player), harmony, params=params, date=DATE)
