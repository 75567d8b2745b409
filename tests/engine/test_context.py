"""Going back and elsewhere, against the plain truth: every row is a hash of the text up to it, so that a row from any
other text, or at any other place, is found out. No model is needed for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptoss_tui.engine.cache import PINS, STEP
from gptoss_tui.engine.config import ModelConfig, parse_config
from gptoss_tui.engine.context import Context
from gptoss_tui.engine.parked import BRANCHES, TRIVIAL
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
EDGES = (1, 2, 5, 15, 16, 17, 40, 99, 100, 101, 126, 127, 128, 129, 200, 255, 256, 257, 300)

MOVES = st.lists(
    st.tuples(
        st.integers(0, 5),  # which of the texts so far
        st.floats(0, 1),  # how much of it
        st.sampled_from(EDGES),  # how many tokens follow
        st.integers(0, 3),  # which ones: few, so that branches meet again
    ),
    min_size=2,
    max_size=9,
)
BUDGETS = st.sampled_from([0, 4 * ROW * 20, 4 * ROW * 150, 4 * ROW * 400, 4 * ROW * 1000, AMPLE])


@settings(max_examples=60, deadline=None)
@given(MOVES, st.sampled_from([1, 2, 8, 128]), BUDGETS, st.sampled_from([32, 100, 128, 1000]), st.booleans())
def test_any_wandering_in_a_tree_of_texts(
    moves: Sequence[tuple[int, float, int, int]], window: int, budget: int, chunk: int, pinned: bool
) -> None:
    reader = Reader(window, budget, chunk)
    texts: list[list[int]] = [[]]
    for number, (which, share, count, kind) in enumerate(moves):
        base = texts[which % len(texts)]
        # Texts of a kind begin alike and part later, so that forks lie inside of what is parked.
        text = [*base[: int(share * len(base))], *([kind] * count)]
        pins = [int(share * len(base)), len(text) - 1] if pinned and text else []
        seen = texts[-1]
        common = next(
            (i for i, (a, b) in enumerate(zip(seen, text, strict=False)) if a != b), min(len(seen), len(text))
        )
        reused = reader.read(text, pins, discarded=9 if number % 2 else 0)
        if budget == AMPLE:
            assert reused >= common
            # Whatever was read is known again, but for tails that were too short to keep.
            known = max(len(prefix(text, other)) for other in texts)
            assert reused >= known - TRIVIAL * (number + 1)
        texts.append(text)


def prefix(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """What two texts begin with."""
    return [a for a, _ in zip(one, other, strict=False)][
        : next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    ]


@settings(max_examples=30, deadline=None)
@given(MOVES, st.sampled_from([[], ["full_attention"] * 4, ["sliding_attention"] * 4]), BUDGETS)
def test_with_layers_of_one_kind_too(
    moves: Sequence[tuple[int, float, int, int]], kinds: list[str], budget: int
) -> None:
    reader = Reader(8, budget, changes={"layer_types": kinds} if kinds else {})
    texts: list[list[int]] = [[]]
    for which, share, count, kind in moves:
        base = texts[which % len(texts)]
        texts.append([*base[: int(share * len(base))], *([kind] * count)])
        reader.read(texts[-1])


def text(*parts: tuple[int, int]) -> list[int]:
    """(how many, which token), one part after the other."""
    return [token for count, token in parts for _ in range(count)]


class TestBranches:
    def test_there_and_back_reads_nothing_twice(self) -> None:
        reader = Reader(128, AMPLE)
        one, other = text((400, 1), (300, 2)), text((400, 1), (200, 3))
        reader.read(one)
        assert reader.read(other) == 400
        assert reader.parked == [(400, 700)]
        assert reader.read(one) == 700
        assert reader.parked == [(400, 600)]
        assert reader.read(other) == 600
        assert reader.read([*one, 5, 5]) == 700

    def test_a_branch_serves_as_far_as_it_agrees(self) -> None:
        reader = Reader(128, AMPLE)
        reader.read(text((400, 1), (300, 2)))
        reader.read(text((400, 1), (50, 3)))
        assert reader.read(text((400, 1), (200, 2), (60, 4))) == 600
        # What it did not need is parked behind it.
        assert (600, 700) in reader.parked
        assert reader.read(text((400, 1), (300, 2))) == 700

    def test_a_branch_of_a_branch(self) -> None:
        reader = Reader(128, AMPLE)
        root = text((300, 1))
        trunk = [*root, *text((300, 2))]
        twig = [*trunk[:500], *text((200, 3))]
        reader.read(trunk)
        reader.read(twig)  # the trunk's end is parked
        reader.read([*root, *text((100, 4))])  # the twig is parked with the trunk's middle
        assert reader.parked == [(300, 700), (500, 600)]
        assert reader.read(trunk) == 600
        assert reader.parked == [(300, 400), (500, 700)]
        assert reader.read(twig) == 700
        assert reader.read([*root, *text((100, 4))]) == 400

    def test_trivial_tails_are_not_kept_unless_something_hangs_on_them(self) -> None:
        reader = Reader(128, AMPLE)
        reader.read(text((300, 1), (TRIVIAL, 2)))
        reader.read(text((300, 1), (1, 3)))
        assert reader.parked == []
        reader = Reader(128, AMPLE)
        reader.read(text((310, 1), (100, 2)))
        reader.read(text((310, 1), (3, 3)))
        reader.read(text((300, 1), (100, 4)))
        assert reader.parked == [(300, 313), (310, 410)]
        assert reader.read(text((310, 1), (100, 2))) == 410

    def test_other_texts_altogether(self) -> None:
        reader = Reader(128, AMPLE)
        texts = [text((300, kind)) for kind in range(4)]
        for one in texts:
            assert reader.read(one) == 0
        for one in texts:
            assert reader.read(one) == 300

    def test_a_text_that_was_read_anew_is_not_kept_twice(self) -> None:
        reader = Reader(8, 4 * ROW * 500)
        for _ in range(6):
            reader.read(text((100, 1), (200, 2)))
            reader.read(text((100, 1), (200, 3)))
        assert reader.parked == [(100, 300)]

    def test_there_are_never_too_many(self) -> None:
        reader = Reader(8, AMPLE)
        for kind in range(BRANCHES + 5):
            reader.read(text((20, kind)))
        assert len(reader.parked) == BRANCHES
        assert reader.read(text((20, BRANCHES + 3))) == 20
        assert reader.read(text((20, 0))) == 0

    def test_forgetting_lets_all_of_them_go(self) -> None:
        reader = Reader(128, AMPLE)
        reader.read(text((300, 1)))
        reader.read(text((300, 2)))
        assert reader.context.memory().parked_branches == 1
        reader.context.forget()
        memory = reader.context.memory()
        assert memory.history_bytes == memory.pinned_bytes == memory.parked_bytes == memory.parked_branches == 0
        assert reader.context.reusable(text((300, 1))) == 0

    def test_no_copy_holds_the_array_it_was_cut_from(self) -> None:
        reader = Reader(8, AMPLE, chunk=4000)
        reader.read(text((100, 1)))
        before = mx.get_active_memory()
        reader.read(text((100, 1), (4000, 2)))
        reader.read(text((100, 1), (20, 3)))
        reader.read(text((100, 1), (3950, 2), (20, 4)))
        reader.read(text((80, 1), (20, 5)))
        memory = reader.context.memory()
        allocated = sum(state.allocated_bytes for state in reader.context.states())
        assert mx.get_active_memory() - before <= memory.parked_bytes + allocated


class TestBudget:
    """4 layers, two of them sliding: a token takes 4 rows, in a parked branch's core 2."""

    def test_nothing_is_parked_without_one(self) -> None:
        reader = Reader(8, 0)
        reader.read(text((100, 1), (200, 2)))
        reader.read(text((100, 1), (200, 3)))
        assert reader.parked == []

    def test_a_branch_gives_its_history_before_its_rows(self) -> None:
        reader = Reader(8, 4 * ROW * 300)
        for kind in (2, 3, 4):
            reader.read(text((10, 1), (250, kind)))
        # Both have all their tokens, though whole they would take more than there is.
        assert reader.parked == [(10, 260), (10, 260)]
        assert all(held.start == 253 for held in reader.context._parked.held)
        assert reader.read(text((10, 1), (250, 3))) == 260

    def test_of_a_branch_longer_than_it_the_beginning_is_kept(self) -> None:
        reader = Reader(8, 4 * ROW * 100, chunk=1000)
        reader.read(text((10, 1), (150, 2)))
        reader.read(text((10, 1), (1, 3)))
        assert reader.parked == [(10, 160)]  # without history of its own it fits
        reader = Reader(8, 4 * ROW * 100, chunk=1000)
        reader.read(text((10, 1), (600, 2)))
        reader.read(text((10, 1), (1, 3)))
        assert reader.parked == [(10, 203)]
        assert reader.read(text((10, 1), (600, 2))) == 203

    def test_a_beginning_whose_window_has_gone_is_of_no_use(self) -> None:
        reader = Reader(8, 4 * ROW * 100, chunk=50)
        reader.read(text((10, 1), (600, 2)))
        reader.read(text((10, 1), (1, 3)))
        assert reader.parked == []

    def test_the_longer_ago_it_was_left_the_sooner_it_goes(self) -> None:
        reader = Reader(8, 4 * ROW * 500)
        for kind in range(8):
            reader.read(text((10, 1), (200, 2 + kind)))
        ends = [reader.context.reusable(text((10, 1), (200, 2 + kind))) for kind in range(8)]
        assert ends == sorted(ends)
        assert ends[0] == 10
        assert ends[5:] == [210] * 3

    def test_a_branch_stays_while_others_fork_from_it(self) -> None:
        reader = Reader(8, 4 * ROW * 400)
        trunk = text((10, 1), (150, 2))
        reader.read(trunk)
        reader.read([*trunk[:140], *text((60, 3))])
        reader.read(text((10, 1), (50, 4)))
        for kind in range(5, 20):
            reader.read(text((10, 1), (100, kind)))
        for begin, _ in reader.parked:
            if begin == 140:
                assert any(other[0] == 10 and other[1] >= 140 for other in reader.parked)
        assert reader.read([*trunk[:140], *text((60, 3))]) in (10, 200)

    def test_lines_and_branches_share_it(self) -> None:
        reader = Reader(8, 4 * ROW * 2000)
        reader.read(text((10, 1), (400, 2)))
        reader.read(text((10, 1), (6000, 3)))
        memory = reader.context.memory()
        assert memory.parked_bytes > 0
        assert memory.history_bytes > 0
        assert memory.history_bytes + memory.parked_bytes <= memory.budget_bytes
        assert reader.read(text((10, 1), (400, 2))) == 410

    def test_pins_are_kept_whatever_it_is(self) -> None:
        reader = Reader(8, 0, chunk=50)
        reader.read(text((1000, 1)), pins=[300, 999])
        assert reader.read(text((300, 1), (20, 2))) == 300
        assert reader.context.memory().pinned_bytes == 2 * 7 * ROW * 1
        assert reader.context.memory().pinned_bytes <= PINS * 7 * 2 * ROW

    def test_a_parked_branch_brings_its_pins_back(self) -> None:
        reader = Reader(8, ROW * 3300, chunk=50)
        one = text((400, 1), (1600, 2))
        reader.read(one, pins=[400, 450])
        assert reader.context._line.pins == {400, 450}
        assert reader.read(text((400, 1), (20, 3))) == 400
        assert reader.context._line.pins == {400}
        assert reader.read(one) == 2000
        assert reader.context._line.pins == {400, 450}
        assert reader.read([*one[:450], 9]) == 450


@pytest.mark.parametrize("begin", [0, 1, 127, 128, 300])
@pytest.mark.parametrize("length", [17, 126, 127, 128, 129, 256, 300])
def test_around_the_window_and_the_step(begin: int, length: int) -> None:
    reader = Reader(128, AMPLE)
    one, other = text((begin, 1), (length, 2)), text((begin, 1), (length, 3))
    for _ in range(2):
        reader.read(one)
        reader.read(other)
    assert reader.read(one) == begin + length
