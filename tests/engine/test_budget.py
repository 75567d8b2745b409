"""The memory for going back, shared by the line's history and parked branches; see `reading`."""

from __future__ import annotations

from gptoss_tui.engine.cache import PINS
from tests.engine.reading import ROW, Reader, text


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
