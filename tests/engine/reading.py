"""A reader without a model: every row is a hash of the text up to it, so that a row from any other text, or at any
other place, is found out after the move that brought it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import mlx.core as mx
import numpy as np

from gptoss_tui.engine.cache import STEP
from gptoss_tui.engine.config import ModelConfig, parse_config
from gptoss_tui.engine.context import Context
from gptoss_tui.engine.parked import BRANCHES
from tests.checkpoints import geometry

KV_HEADS, DIM = 2, 32
ROW = 2 * KV_HEADS * DIM * 4
"""Bytes of a token in one layer."""


def config(window: int = 128, **changes: object) -> ModelConfig:
    return parse_config(geometry(sliding_window=window, **changes), "")


def truth(text: Sequence[int]) -> np.ndarray:
    """A number for each token that no other text gives at that place, as far as 24 bits can tell."""
    numbers, state = [], 7
    for position, token in enumerate(text):
        state = (state * 1_000_003 + token + position) % 16_777_213
        numbers.append(state)
    return np.array(numbers, np.float32)


@dataclass
class Reader:
    """Reads texts into a context as the generator does, without a model, and looks at every row after each move."""

    window: int
    budget: int
    chunk: int = 100
    changes: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.config = config(self.window, **self.changes)
        self.context = Context(self.config, self.budget, 4)
        self.largest = 0
        """Tokens of the longest pass."""

    def read(self, text: Sequence[int], pins: Sequence[int] = (), discarded: int = 0) -> int:
        """Goes to `text` and reads the rest of it; returns how many tokens it had not to read."""
        told = self.context.reusable(text)
        position = self.context.go_to(text, len(text), pins)
        assert position == told
        self.check(text[:position])
        for begin in range(position, len(text), self.chunk):
            if discarded:
                self.append([*text[:begin], discarded], begin, pins)
                self.context.settle()
            end = min(begin + self.chunk, len(text))
            self.append(text[:end], begin, pins)
            self.context.add(text[begin:end])
        self.check(text)
        return position

    def append(self, text: Sequence[int], begin: int, pins: Sequence[int]) -> None:
        count = len(text) - begin
        self.largest = max(self.largest, count)
        rows = mx.array(np.broadcast_to(truth(text)[None, begin:, None], (2 * KV_HEADS, count, DIM)).copy())
        with self.context.moving(count) as cache:
            for index, layer in enumerate(cache.layers):
                layer.append(rows + 0.25 * index, pins=pins)
        mx.eval(self.context.arrays())

    def check(self, text: Sequence[int]) -> None:
        """Every row that is held, of the line and of the parked branches, and the budget."""
        expected = truth(text)
        assert list(self.context.tokens) == list(text)
        cache = self.context._cache
        for index, layer in enumerate(cache.layers):
            assert layer.length == len(text)
            assert layer.start <= (max(0, len(text) - self.window + 1) if layer.window else 0)
            if layer._rows is not None:
                held = np.array(layer._rows[:, : layer.length - layer.start])
                assert (held == expected[layer.start :][None, :, None] + 0.25 * index).all()
            for pin, rows in layer._pins.items():
                assert pin <= len(text)
                assert rows.shape[1] == min(pin, self.window - 1)
                assert (np.array(rows) == expected[pin - rows.shape[1] : pin][None, :, None] + 0.25 * index).all()
        for branch in self.context._parked._branches.values():
            held_text = truth(branch.held.ids[: branch.held.end])
            for index, layer_rows in enumerate(branch.layers):
                start = branch.held.start if layer_rows.sliding else branch.held.begin
                assert layer_rows.start == start >= branch.held.begin
                shown = np.array(layer_rows.rows)
                assert shown.shape[1] == branch.held.end - start
                assert (shown == held_text[start:][None, :, None] + 0.25 * index).all()
                assert frozenset(layer_rows.pins) == (branch.held.pins if layer_rows.sliding else frozenset())
                for pin, rows in layer_rows.pins.items():
                    assert (np.array(rows) == held_text[pin - rows.shape[1] : pin][None, :, None] + 0.25 * index).all()
        memory = self.context.memory()
        pinned = sum(rows.nbytes for layer in cache.layers for rows in layer._pins.values())
        assert memory.pinned_bytes == pinned
        assert memory.parked_bytes == sum(
            array.nbytes
            for branch in self.context._parked._branches.values()
            for rows in branch.layers
            for array in rows.arrays()
        )
        assert memory.parked_branches == len(self.context._parked._branches) <= BRANCHES
        states = self.context.states()
        assert memory.history_bytes + pinned == sum(state.history_bytes for state in states)
        # Pins are bounded by their number; a step and one pass are what history may stand above its share.
        slack = self.context._sizes.sliding * (STEP + self.largest)
        assert memory.parked_bytes <= memory.budget_bytes == self.budget
        assert memory.history_bytes + memory.parked_bytes <= self.budget + slack

    @property
    def parked(self) -> list[tuple[int, int]]:
        """(begin, end) of each branch."""
        return sorted((held.begin, held.end) for held in self.context._parked.held)


AMPLE = 2**30
"""Bytes that are never used up."""


def text(*parts: tuple[int, int]) -> list[int]:
    """(how many, which token), one part after the other."""
    return [token for count, token in parts for _ in range(count)]
