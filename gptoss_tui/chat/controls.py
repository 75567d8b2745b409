"""The live knobs, one registry for all front ends: what may be turned while an answer is being written, and how far.

A slider's range is where a hand wants to be; `assign` takes all that `SamplingParams` takes. Knows no widget.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import ParameterError

Field = Literal["temperature", "top_p", "top_k", "min_p", "repetition_penalty"]


@dataclass(frozen=True, slots=True)
class Control:
    """One number of `SamplingParams`, as a knob."""

    id: str
    """Its name in commands and options, such as `top-p`."""
    label: str
    """Its name on screen."""
    help: str
    """What turning it does, in a sentence or two."""
    field: Field
    """The field of `SamplingParams`."""
    low: float
    """The slider's lower end."""
    high: float
    """The slider's upper end."""
    step: float
    """One key press."""
    fine_step: float
    """One key press for fine work; the slider's values are multiples of it."""
    off: float | None
    """The value at which it does nothing; None where there is no such value."""
    decimals: int
    """Digits shown after the point; 0 for a whole number."""

    def get(self, params: SamplingParams) -> float:
        """Its value in `params`."""
        return float(getattr(params, self.field))

    def set(self, params: SamplingParams, value: float) -> SamplingParams:
        """`params` with the slider at `value`, brought into its range and onto its grid. A NaN changes nothing."""
        if math.isnan(value):
            return params
        inside = min(max(value, self.low), self.high)
        return self._with(params, round(round(inside / self.fine_step) * self.fine_step, self.decimals))

    def nudge(self, params: SamplingParams, steps: int, *, fine: bool = False) -> SamplingParams:
        """`params` with the slider moved by `steps`, down where negative."""
        value = self.get(params)
        # A value beyond the slider's end must not jump back to it when it is pushed further out.
        if (steps > 0 and value >= self.high) or (steps < 0 and value <= self.low):
            return params
        return self.set(params, value + steps * (self.fine_step if fine else self.step))

    def assign(self, params: SamplingParams, value: float) -> SamplingParams:
        """`params` with exactly `value`, which may lie beyond the slider's ends. Raises `ParameterError`."""
        return self._with(params, value)

    def format(self, value: float) -> str:
        """`off` where it does nothing; otherwise the number, with more digits than usual where it has more."""
        if value == self.off:
            return "off"
        return f"{value:.{self.decimals}f}" if round(value, self.decimals) == value else f"{value:g}"

    def parse(self, text: str) -> float:
        """The value that `text` names: a number, or `off`. Raises `ParameterError`, also for a value out of range."""
        word = text.strip().lower()
        if word == "off" and self.off is not None:
            return self.off
        try:
            value = float(word)
        except ValueError as error:
            also = "" if self.off is None else ", or off"
            raise ParameterError(
                f"{self.id} cannot be {text.strip()!r}", f"Give a number, such as {self._example()}{also}."
            ) from error
        return self.get(self._with(SamplingParams(), value))

    def _example(self) -> str:
        return self.format(self.low if self.low != self.off else self.low + self.step)

    def _with(self, params: SamplingParams, value: float) -> SamplingParams:
        # What is no whole number stays as it is, for SamplingParams to refuse.
        whole = self.decimals == 0 and float(value).is_integer()
        change: dict[str, Any] = {self.field: int(value) if whole else value}
        return replace(params, **change)


CONTROLS: tuple[Control, ...] = (
    Control(
        id="temperature",
        label="temperature",
        help="Divides the logits before a token is drawn. Lower keeps to likely tokens; 0 always takes the likeliest.",
        field="temperature",
        low=0.0,
        high=2.0,
        step=0.1,
        fine_step=0.01,
        off=None,
        decimals=2,
    ),
    Control(
        id="top-p",
        label="top-p",
        help="Draws from the fewest likeliest tokens that together reach this share of the probability.",
        field="top_p",
        low=0.01,
        high=1.0,
        step=0.05,
        fine_step=0.01,
        off=1.0,
        decimals=2,
    ),
    Control(
        id="top-k",
        label="top-k",
        help="Draws from this many likeliest tokens.",
        field="top_k",
        low=0,
        high=200,
        step=5,
        fine_step=1,
        off=0,
        decimals=0,
    ),
    Control(
        id="min-p",
        label="min-p",
        help="Drops tokens whose probability is below this share of the likeliest one's.",
        field="min_p",
        low=0.0,
        high=0.5,
        step=0.01,
        fine_step=0.001,
        off=0.0,
        decimals=3,
    ),
    Control(
        id="repetition-penalty",
        label="repetition",
        help="Above 1 it makes the last 20 tokens less likely to come again; below 1 it makes them likelier.",
        field="repetition_penalty",
        low=0.5,
        high=2.0,
        step=0.05,
        fine_step=0.01,
        off=1.0,
        decimals=2,
    ),
)
"""Every knob, in the order in which it is shown."""


def control(name: str) -> Control:
    """The knob of that name; `top_p`, `Top-P` and a beginning that fits only one are understood too.

    Raises `ParameterError`.
    """
    wanted = name.strip().lower().replace("_", "-")
    found = [each for each in CONTROLS if each.id == wanted] or [
        each for each in CONTROLS if each.id.startswith(wanted)
    ]
    if len(found) == 1:
        return found[0]
    raise ParameterError(f"There is no sampling setting {name!r}", f"There are {', '.join(c.id for c in CONTROLS)}.")


def parse_seed(text: str) -> int | None:
    """A seed, or None for `off`: a new one for each answer. Raises `ParameterError`."""
    word = text.strip().lower()
    if word == "off":
        return None
    try:
        seed = int(word)
    except ValueError as error:
        raise ParameterError(f"seed cannot be {text.strip()!r}", "Give a whole number, or off.") from error
    return replace(SamplingParams(), seed=seed).seed


def format_seed(seed: int | None) -> str:
    """`off` where each answer draws a new one."""
    return "off" if seed is None else str(seed)
