"""The knobs: ranges, grids, and what may be typed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptoss_tui.chat.controls import CONTROLS, Control, control, format_seed, parse_seed
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import ParameterError

KNOBS = st.sampled_from(CONTROLS)


@given(knob=KNOBS, value=st.floats(allow_nan=True))
def test_a_slider_stays_in_its_range_and_on_its_grid(knob: Control, value: float) -> None:
    before = SamplingParams()
    after = knob.set(before, value)
    if math.isnan(value):
        assert after == before
        return
    got = knob.get(after)
    assert knob.low <= got <= knob.high
    assert got == round(got, knob.decimals)
    assert math.isclose(got / knob.fine_step, round(got / knob.fine_step), abs_tol=1e-6)
    assert abs(got - min(max(value, knob.low), knob.high)) <= knob.fine_step / 2 + 1e-9


@given(knob=KNOBS, moves=st.lists(st.tuples(st.sampled_from([-1, 1]), st.booleans()), max_size=30))
def test_a_step_there_and_a_step_back_cancel_out(knob: Control, moves: list[tuple[int, bool]]) -> None:
    params = knob.set(SamplingParams(), (knob.low + knob.high) / 2)
    for steps, fine in moves:
        moved = knob.nudge(params, steps, fine=fine)
        size = knob.fine_step if fine else knob.step
        if knob.low < knob.get(moved) < knob.high:
            assert math.isclose(knob.get(moved) - knob.get(params), steps * size, abs_tol=1e-9)
            assert knob.nudge(moved, -steps, fine=fine) == params
        params = moved


@given(knob=KNOBS, value=st.floats(0, 1))
def test_what_is_shown_can_be_typed(knob: Control, value: float) -> None:
    got = knob.get(knob.set(SamplingParams(), knob.low + value * (knob.high - knob.low)))
    assert knob.parse(knob.format(got)) == got


def test_every_knob_starts_at_the_models_own_distribution_and_says_what_it_does() -> None:
    assert len({knob.id for knob in CONTROLS}) == len(CONTROLS)
    for knob in CONTROLS:
        default = knob.get(SamplingParams())
        assert default == (1.0 if knob.off is None else knob.off)
        assert knob.low <= default <= knob.high
        assert knob.help.endswith(".")
        assert control(knob.id) is knob
        assert control(knob.field.upper()) is knob


@pytest.mark.parametrize(
    ("name", "text", "value", "shown"),
    [
        ("temperature", " 0.7 ", 0.7, "0.70"),
        ("temperature", "0", 0.0, "0.00"),
        ("temperature", "3", 3.0, "3.00"),
        ("temperature", "0.125", 0.125, "0.125"),
        ("top-p", "off", 1.0, "off"),
        ("top-p", "1", 1.0, "off"),
        ("top-k", "40", 40.0, "40"),
        ("top-k", "1000", 1000.0, "1000"),
        ("top-k", "OFF", 0.0, "off"),
        ("min-p", "5e-2", 0.05, "0.050"),
        ("repetition-penalty", "1.3", 1.3, "1.30"),
    ],
)
def test_values_are_read_and_shown(name: str, text: str, value: float, shown: str) -> None:
    knob = control(name)
    assert knob.parse(text) == value
    assert knob.format(value) == shown
    assert knob.get(knob.assign(SamplingParams(), value)) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("temperature", "hot"),
        ("temperature", ""),
        ("temperature", "off"),
        ("temperature", "nan"),
        ("temperature", "-1"),
        ("temperature", "inf"),
        ("temperature", "0,7"),
        ("top-p", "0"),
        ("top-p", "1.01"),
        ("top-k", "40.5"),
        ("top-k", "inf"),
        ("top-k", "nan"),
        ("top-k", "-1"),
    ],
)
def test_values_that_are_none_are_refused_with_a_hint(name: str, text: str) -> None:
    with pytest.raises(ParameterError) as caught:
        control(name).parse(text)
    assert name.split("-")[0] in caught.value.message
    assert caught.value.hint


def test_a_value_beyond_the_slider_is_not_pulled_back_by_pushing_further() -> None:
    knob = control("temperature")
    hot = SamplingParams(temperature=3.0)
    assert knob.nudge(hot, 1) == hot
    assert knob.get(knob.nudge(hot, -1)) == knob.high
    repeating, penalty = SamplingParams(repetition_penalty=0.2), control("repetition-penalty")
    assert penalty.nudge(repeating, -1) == repeating
    assert penalty.get(penalty.nudge(repeating, 1)) == penalty.low


def test_top_k_stays_a_whole_number() -> None:
    knob = control("top-k")
    for params in (
        knob.set(SamplingParams(), 7.6),
        knob.assign(SamplingParams(), 8.0),
        knob.nudge(SamplingParams(), 2),
    ):
        assert type(params.top_k) is int


@pytest.mark.parametrize("name", ["", "t", "top", "heat"])
def test_names_that_fit_none_or_several_are_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="no sampling setting") as caught:
        control(name)
    assert "top-p" in caught.value.hint


def test_a_beginning_that_fits_one_is_enough() -> None:
    assert control("temp") is control("temperature")
    assert control("rep") is control("repetition_penalty")


def test_seeds() -> None:
    assert parse_seed(" 42 ") == 42
    assert parse_seed("OFF") is None
    assert (format_seed(42), format_seed(None)) == ("42", "off")
    for text in ("", "x", "1.5", "-1", str(2**63)):
        with pytest.raises(ParameterError, match="seed"):
            parse_seed(text)
