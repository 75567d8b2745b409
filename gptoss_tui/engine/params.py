"""`SamplingParams`: what a person may turn while an answer is being written. No mlx here, so that front ends may import
it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gptoss_tui.errors import ParameterError


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How the next token is chosen. The defaults are OpenAI's for gpt-oss: the model's own distribution, unfiltered.

    Raises `ParameterError` for a value out of range, NaN included.
    """

    temperature: float = 1.0
    """Divides the logits, after the filters; 0 takes the likeliest token (greedy). 0 to 5."""
    top_p: float = 1.0
    """Keeps the smallest set of likeliest tokens whose mass reaches this share. Above 0, up to 1; 1 is off."""
    top_k: int = 0
    """Keeps this many likeliest tokens; 0 is off."""
    min_p: float = 0.0
    """Keeps tokens at least this many times as likely as the likeliest. 0 to 1; 0 is off."""
    repetition_penalty: float = 1.0
    """Divides positive (multiplies negative) logits of the last 20 tokens. 0.1 to 10; 1 is off."""
    seed: int | None = None
    """With the position it decides the randomness; None draws one when the generation starts."""

    def __post_init__(self) -> None:
        _in_range("temperature", self.temperature, 0.0, 5.0)
        _in_range("top-p", self.top_p, 0.0, 1.0, open_below=True)
        _in_range("min-p", self.min_p, 0.0, 1.0)
        _in_range("repetition penalty", self.repetition_penalty, 0.1, 10.0)
        _whole("top-k", self.top_k, 2**31 - 1)
        if self.seed is not None:
            _whole("seed", self.seed, 2**63 - 1)

    @property
    def greedy(self) -> bool:
        """True where no randomness is left: the likeliest token is taken."""
        return self.temperature == 0.0


def _in_range(name: str, value: float, low: float, high: float, *, open_below: bool = False) -> None:
    real = isinstance(value, (int, float)) and not isinstance(value, bool)
    # A NaN fails every comparison, so it lands here too.
    if real and (low < value if open_below else low <= value) and value <= high:
        return
    shown = "NaN" if isinstance(value, float) and math.isnan(value) else repr(value)
    between = f"above {low:g} and at most {high:g}" if open_below else f"from {low:g} to {high:g}"
    raise ParameterError(f"{name} cannot be {shown}", f"Give a number {between}.")


def _whole(name: str, value: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= high:
        raise ParameterError(f"{name} cannot be {value!r}", f"Give a whole number from 0 to {high:,}.")
