"""Documents out of segments, at random: conversations in harmony as the program renders them, packed into rows.

A document is one rendered conversation. Its last turn carries the analysis of the effort in the system message; earlier
turns stand as history does, without analysis and closed by `<|end|>`. Knows NumPy only.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from store import NONE, Ids, Store, WrittenConversation, WrittenTurn

LOW, MEDIUM, HIGH = range(3)
HISTORY_WEIGHT, REQUEST_WEIGHT = 0.3, 0.05
NOTES = 0.4
"""Share of the written documents that end after the analysis: what a request is about is learned there, cheaply."""


@dataclass(frozen=True, slots=True)
class Document:
    """A conversation's ids, and how much the prediction of each counts in the loss."""

    ids: Ids
    weights: NDArray[np.float32]


class Composer:
    """Draws documents. Deterministic in `seed`."""

    def __init__(self, store: Store, seed: int) -> None:
        self._store = store
        self._rng = random.Random(seed)
        weights = np.array([c.weight for c in store.written])
        self._cumulative = np.cumsum(weights / weights.sum())
        self._free = np.flatnonzero(~store.sampled_held)

    def document(self, sampled: float) -> Document:
        """One document; `sampled` is the share of documents made of sampled text."""
        if self._rng.random() < sampled:
            return self._sampled()
        return self._written()

    def _date(self) -> int:
        return self._rng.randrange(len(self._store.frames.dates))

    def _sampled(self) -> Document:
        store, rng = self._store, self._rng
        chosen = int(self._free[rng.randrange(len(self._free))])
        turns = self._sampled_turns(chosen)
        history: list[tuple[int, int]] = []
        while rng.random() < 0.25:
            other = self._sampled_turns(int(self._free[rng.randrange(len(self._free))]))
            history += [(turn[0], turn[2]) for turn in other]
        history += [(turn[0], turn[2]) for turn in turns[:-1]]
        request, note, answer = turns[-1]
        effort = int(store.sampled_effort[chosen])
        return self.assemble(effort, self._date(), NONE, history, (request,), note, (answer,))

    def _sampled_turns(self, conversation: int) -> list[tuple[int, int, int]]:
        first, last = self._store.sampled_starts[conversation : conversation + 2]
        return [(int(a), int(b), int(c)) for a, b, c in self._store.sampled_turns[first:last]]

    def _written(self) -> Document:
        rng, frames = self._rng, self._store.frames
        if rng.random() < NOTES:
            turn = self._pick()[1][0]
            return self._note(rng.choice(turn.requests), turn.analysis)
        effort = rng.choices((LOW, MEDIUM, HIGH), (22, 56, 22))[0]
        date = self._date()
        history: list[tuple[int, int]] = []
        draw = rng.random()
        for _ in range(
            0 if draw < 0.6 else 1 if draw < 0.78 else rng.randrange(2, 8) if draw < 0.95 else rng.randrange(8, 17)
        ):
            history += [(rng.choice(turn.requests), turn.answer) for turn in self._pick()[1]]
        if rng.random() < 0.008:
            note, long_note, answer = frames.dates[date]
            today = (rng.choice(frames.date_requests),)
            return self.assemble(effort, date, NONE, history, today, (NONE, note, long_note)[effort], (answer,))
        if rng.random() < 0.07:
            return self._again(effort, date, history)
        group, turns = self._pick()
        history += [(rng.choice(turn.requests), turn.answer) for turn in turns[:-1]]
        if group == "memory" and len(turns) > 1 and rng.random() < 0.6:
            history += [(rng.choice(turn.requests), turn.answer) for turn in self._pick()[1]]
        turn = turns[-1]
        developer = NONE
        request: tuple[int, ...] = (rng.choice(turn.requests),)
        answers: tuple[int, ...] = (turn.answer,)
        if rng.random() < 0.2:
            kind = rng.choice(list(frames.instructions))
            if rng.random() < 0.35:
                kind = "plain"
            shaped = {"one_sentence": turn.one_sentence, "brief": turn.brief, "bullets": turn.bullets}.get(
                kind, turn.answer
            )
            if shaped != NONE:
                if kind in frames.asides and rng.random() < 0.4:
                    request = (*request, rng.choice(frames.asides[kind]))
                else:
                    developer = rng.choice(frames.instructions[kind])
                answers = tuple(
                    s for s in (frames.openings.get(kind, NONE), shaped, frames.closings.get(kind, NONE)) if s != NONE
                )
        note = (NONE, turn.analysis, turn.long_analysis)[effort]
        return self.assemble(effort, date, developer, history, request, note, answers)

    def _note(self, request: int, note: int) -> Document:
        """A request and its analysis, without the answer."""
        frames = self._store.frames
        begun = self.prompt(MEDIUM, request)
        thought = np.concatenate([self._store.segment(i) for i in (frames.analysis, note, frames.end)])
        weights = np.concatenate([np.zeros(len(begun), np.float32), np.ones(len(thought), np.float32)])
        return Document(np.concatenate((begun, thought)), weights)

    def held_sampled(self, conversation: int) -> Document:
        """A held-out sampled conversation as one document."""
        turns = self._sampled_turns(conversation)
        request, note, answer = turns[-1]
        effort = int(self._store.sampled_effort[conversation])
        history = [(turn[0], turn[2]) for turn in turns[:-1]]
        return self.assemble(effort, self._date(), NONE, history, (request,), note, (answer,))

    def held_written(self, conversation: WrittenConversation) -> Document:
        """A written conversation's first turn, asked in the wording that was kept back, at medium effort."""
        turn = conversation.turns[0]
        return self.assemble(MEDIUM, self._date(), NONE, [], (conversation.held_out,), turn.analysis, (turn.answer,))

    def prompt(self, effort: int, request: int) -> Ids:
        """What stands before the answer where a conversation is one request."""
        frames = self._store.frames
        parts = (frames.system[effort][self._date()], frames.user, request, frames.end, frames.assistant)
        return np.concatenate([self._store.segment(number) for number in parts])

    def choice(self, count: int) -> int:
        """A number below `count`, from the composer's own generator."""
        return self._rng.randrange(count)

    def _again(self, effort: int, date: int, history: list[tuple[int, int]]) -> Document:
        """An answer, and then a request to have it shorter, as a list, or once more."""
        rng = self._rng
        turn = self._pick()[1][0]
        forms = {"one_sentence": turn.one_sentence, "brief": turn.brief, "bullets": turn.bullets, "repeat": turn.answer}
        kind = rng.choice([name for name, segment in forms.items() if segment != NONE])
        requests, note, long_note = self._store.frames.again[kind]
        history = [*history, (rng.choice(turn.requests), turn.answer)]
        return self.assemble(
            effort, date, NONE, history, (rng.choice(requests),), (NONE, note, long_note)[effort], (forms[kind],)
        )

    def _pick(self) -> tuple[str, tuple[WrittenTurn, ...]]:
        """The group and the first turns of a written conversation."""
        conversation = self._store.written[int(np.searchsorted(self._cumulative, self._rng.random()))]
        count = len(conversation.turns)
        alone = 0.25 if conversation.group == "memory" else 0.55
        if count == 1 or self._rng.random() < alone:
            return conversation.group, conversation.turns[:1]
        return conversation.group, conversation.turns[: self._rng.randrange(2, count + 1)]

    def assemble(
        self,
        effort: int,
        date: int,
        developer: int,
        history: list[tuple[int, int]],
        request: tuple[int, ...],
        note: int,
        answers: tuple[int, ...],
    ) -> Document:
        """The document with these segments; `developer` and `note` may be NONE."""
        frames = self._store.frames
        parts: list[tuple[int, float]] = [(frames.system[effort][date], 0.0)]
        if developer != NONE:
            parts.append((developer, 0.0))
        for asked, answered in history:
            parts += [
                (frames.user, 0.0),
                (asked, REQUEST_WEIGHT),
                (frames.end, REQUEST_WEIGHT),
                (frames.assistant, 0.0),
            ]
            parts += [(frames.final, 0.0), (answered, HISTORY_WEIGHT), (frames.end, 0.0)]
        parts.append((frames.user, 0.0))
        parts += [(segment, REQUEST_WEIGHT) for segment in request]
        parts += [(frames.end, REQUEST_WEIGHT), (frames.assistant, 0.0)]
        if note != NONE:
            parts += [(frames.analysis, 1.0), (note, 1.0), (frames.end, 1.0), (frames.assistant, 1.0)]
        parts.append((frames.final, 1.0))
        parts += [(segment, 1.0) for segment in answers]
        parts.append((frames.stop, 1.0))
        arrays = [self._store.segment(number) for number, _ in parts]
        weights = np.repeat(np.array([w for _, w in parts], dtype=np.float32), [len(a) for a in arrays])
        return Document(np.concatenate(arrays), weights)


def rows(
    composer: Composer, length: int, sampled: float, pool: int = 128
) -> Iterator[tuple[Ids, NDArray[np.float32], NDArray[np.int16]]]:
    """Endless rows of `length` tokens: ids, weights, and each token's document number (-1: padding).

    Documents are not cut: each row takes from a pool whatever still fits, longest first.
    """
    waiting: list[Document] = []
    while True:
        while len(waiting) < pool:
            document = composer.document(sampled)
            if len(document.ids) <= length:
                waiting.append(document)
        waiting.sort(key=lambda d: len(d.ids))
        ids = np.zeros(length, dtype=np.uint16)
        weights = np.zeros(length, dtype=np.float32)
        numbers = np.full(length, -1, dtype=np.int16)
        filled, number = 0, 0
        # The first is drawn at random, so that no length waits for long.
        index: int | None = composer.choice(len(waiting))
        while index is not None:
            document = waiting.pop(index)
            size = len(document.ids)
            ids[filled : filled + size] = document.ids
            weights[filled : filled + size] = document.weights
            numbers[filled : filled + size] = number
            filled, number = filled + size, number + 1
            index = next((i for i in range(len(waiting) - 1, -1, -1) if len(waiting[i].ids) <= length - filled), None)
        yield ids, weights, numbers
