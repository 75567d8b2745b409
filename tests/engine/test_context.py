"""Going back and elsewhere, against the plain truth; see `reading`."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptoss_tui.engine.parked import BRANCHES, TRIVIAL
from tests.engine.reading import AMPLE, ROW, Reader, text

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
        asked = [*base[: int(share * len(base))], *([kind] * count)]
        pins = [int(share * len(base)), len(asked) - 1] if pinned and asked else []
        seen = texts[-1]
        common = next(
            (i for i, (a, b) in enumerate(zip(seen, asked, strict=False)) if a != b), min(len(seen), len(asked))
        )
        reused = reader.read(asked, pins, discarded=9 if number % 2 else 0)
        if budget == AMPLE:
            assert reused >= common
            # Whatever was read is known again, but for tails that were too short to keep.
            known = max(len(prefix(asked, other)) for other in texts)
            assert reused >= known - TRIVIAL * (number + 1)
        texts.append(asked)


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


@pytest.mark.parametrize("begin", [0, 1, 127, 128, 300])
@pytest.mark.parametrize("length", [17, 126, 127, 128, 129, 256, 300])
def test_around_the_window_and_the_step(begin: int, length: int) -> None:
    reader = Reader(128, AMPLE)
    one, other = text((begin, 1), (length, 2)), text((begin, 1), (length, 3))
    for _ in range(2):
        reader.read(one)
        reader.read(other)
    assert reader.read(one) == begin + length
