"""Figures, bars, rates, paces and arrangements: everything that draws nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptoss_tui.chat import format
from gptoss_tui.chat.meter import RateMeter
from gptoss_tui.tui import bars
from gptoss_tui.tui.layout import arrangement
from gptoss_tui.tui.pacer import FASTEST_S, SLOWEST_S, Pacer


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "0.98 KiB"), (262_144, "256 KiB"), (7_025_459, "6.70 MiB")],
)
def test_sizes_have_three_digits(count: int, shown: str) -> None:
    assert format.size(count) == shown


@given(st.integers(0, 2**45))
def test_no_size_is_longer_than_eight_characters(count: int) -> None:
    assert len(format.size(count)) <= 8


@given(st.floats(-1e6, 0))
def test_probabilities_fit_their_column(logprob: float) -> None:
    assert len(format.probability(logprob)) <= 5


def test_what_is_not_a_number_is_a_dash() -> None:
    assert {format.rate(math.nan), format.seconds(math.nan), format.probability(math.nan)} == {"–"}


def test_seconds_read_as_people_say_them() -> None:
    assert [format.seconds(value) for value in (0.314, 4.94, 59.97, 80.2)] == [
        "0.31 s",
        "4.9 s",
        "1 min 0 s",
        "1 min 20 s",
    ]


@given(st.text(), st.integers(5, 60))
def test_shortened_names_keep_both_ends(text: str, longest: int) -> None:
    short = format.shorten(text, longest)
    assert len(short) <= longest
    assert short == text or (short[0] == text[0] and short[-1] == text[-1])


@given(st.floats(-1, 2), st.integers(1, 200))
def test_a_bar_fills_its_width(share: float, width: int) -> None:
    assert len(bars.bar(share, width)) == width


def test_a_bar_shows_the_smallest_share() -> None:
    assert bars.bar(1e-9, 10).strip()
    assert not bars.bar(0, 10).strip()


@given(st.lists(st.floats(0, 1), max_size=5), st.integers(1, 100))
def test_stacked_shares_never_exceed_the_width(shares: list[float], width: int) -> None:
    cells = bars.split(shares, width)
    assert sum(cells) <= width
    assert min(cells, default=0) >= 0


@pytest.mark.parametrize(("visible", "tokens", "cells"), [(0, 0, (10, 0)), (5, 10, (5, 5)), (128, 100_000, (9, 1))])
def test_what_a_layer_sees_is_never_invisible(visible: int, tokens: int, cells: tuple[int, int]) -> None:
    assert bars.sees(visible, tokens, 10) == cells


@given(st.floats(0, 1), st.integers(3, 60))
def test_a_slider_has_one_knob_on_a_whole_track(share: float, width: int) -> None:
    left, knob, right = bars.slider(share, width)
    assert len(left + knob + right) == width
    assert bars.slider_share(len(left), width) == pytest.approx(share, abs=1 / (width - 1))


def test_a_sparkline_is_scaled_to_its_largest() -> None:
    assert bars.sparkline([1, 2, 4], 10) == "▂▄█"
    assert bars.sparkline([], 10) == ""
    assert bars.sparkline([0, 0], 1) == "▁"


def test_the_meter_tells_the_last_second_from_the_mean() -> None:
    meter = RateMeter()
    for at in range(11):
        meter.add(at / 10)
    for at in range(1, 101):
        meter.add(1 + at / 50)
    assert meter.mean == pytest.approx(110 / 3)
    assert meter.last_second == pytest.approx(50)
    assert meter.history[:2] == (10.0, 10.0)


def test_the_meter_survives_a_long_pause() -> None:
    meter = RateMeter(history=8)
    meter.add(0)
    meter.add(1e9)
    assert meter.history == (0.0,) * 7


def test_a_new_answer_has_its_own_mean() -> None:
    meter = RateMeter()
    for at in range(5):
        meter.add(at)
    meter.start()
    assert math.isnan(meter.mean)
    assert meter.tokens == 0


def test_the_pace_slows_where_drawing_is_dear_and_recovers() -> None:
    pacer = Pacer()
    now = cpu = 1.0
    pacer.drawn(now, cpu)
    for _ in range(40):
        now, cpu = now + 0.1, cpu + 0.05
        pacer.drawn(now, cpu)
    assert pacer.interval_s == SLOWEST_S
    for _ in range(40):
        now, cpu = now + 0.1, cpu + 0.001
        pacer.drawn(now, cpu)
    assert pacer.interval_s == FASTEST_S


def test_instruments_are_due_five_times_a_second() -> None:
    pacer = Pacer()
    assert sum(pacer.instruments_due(at / 100) for at in range(100, 300)) == 10


@pytest.mark.parametrize(
    ("columns", "rows", "expected"),
    [
        (39, 12, "tiny"),
        (40, 11, "tiny"),
        (40, 12, "small"),
        (59, 50, "small"),
        (200, 15, "small"),
        (60, 16, "under"),
        (119, 80, "under"),
        (120, 30, "wide"),
        (120, 29, "beside"),
        (300, 100, "wide"),
    ],
)
def test_every_window_has_an_arrangement(columns: int, rows: int, expected: str) -> None:
    assert arrangement(columns, rows) == expected
