"""Tokens between the logits and the reader: held, drawn, drawn again, told.

A token is *drawn* from logits that are *held* until it is emitted, so that a changed parameter costs a draw and no
pass. Everything is queued as soon as it can be and looked at as late as possible. Knows no caches and no loop.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx

from gptoss_tui.engine.events import Step
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.sampling import RECENT_TOKENS, Draw, Sampler, noise_key

WIDE_DRAWS = 16
"""After a shortlist that was too short, draws made over the whole vocabulary before a shortlist is tried again."""


@dataclass(frozen=True, slots=True)
class Held:
    """The logits of one position, and what else its pass told."""

    logits: mx.array
    """(vocabulary,)."""
    alternatives: tuple[mx.array, mx.array] | None
    """Ids and logprobs of the likeliest tokens, where they were asked for."""
    experts: mx.array | None
    """(layers, experts_per_token), where the router's tap is on."""

    def arrays(self) -> list[mx.array]:
        """What must be evaluated for it to be known."""
        extras = [] if self.experts is None else [self.experts]
        return [self.logits, *(self.alternatives or ()), *extras]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A token drawn from held logits with these parameters, not emitted yet."""

    held: Held
    params: SamplingParams
    draw: Draw

    @property
    def token(self) -> int:
        """Which one it is; waits for the device."""
        return int(_host(self.draw.token.item()))

    def queue(self) -> None:
        """Starts computing it."""
        flags = [] if self.draw.exact is None else [self.draw.exact]
        mx.async_eval([self.draw.token, self.draw.logprob, *flags, *self.held.arrays()])

    def step(self, index: int, started: float) -> Step:
        """The event that tells it; `started` is time.perf_counter() when the answer was asked for."""
        alternatives: tuple[tuple[int, float], ...] = ()
        if self.held.alternatives is not None:
            ids, logprobs = (_host(array.tolist()) for array in self.held.alternatives)
            alternatives = tuple(zip(ids, logprobs, strict=True))
        experts = () if self.held.experts is None else tuple(tuple(row) for row in _host(self.held.experts.tolist()))
        logprob = float(_host(self.draw.logprob.item()))
        return Step(index, self.token, logprob, self.params, time.perf_counter() - started, alternatives, experts)


@dataclass(frozen=True, slots=True)
class Ahead:
    """A queued pass that reads the token in flight, and the draw that follows it."""

    read: mx.array
    """The token that the pass reads: uint32 (1,)."""
    drawn: Drawn


class Drawer:
    """Draws tokens, over a shortlist as long as that is exact."""

    def __init__(self, vocabulary: int) -> None:
        self.sampler = Sampler(vocabulary)
        self._wide_draws = 0  # draws still to be made without a shortlist

    def draw(self, held: Held, params: SamplingParams, position: int, recent: mx.array) -> Drawn:
        """Draws the token at `position` and starts computing it; `recent` as from `recent_tokens`."""
        noise = noise_key(params.seed or 0, position)
        wide = self._wide_draws > 0
        drawn = Drawn(held, params, self.sampler(held.logits, params, noise, recent, exhaustive=wide))
        drawn.queue()
        return drawn

    def exactly(self, drawn: Drawn, position: int, known: Sequence[int]) -> Drawn:
        """The same draw, made again over the whole vocabulary where the sampler's shortlist was too short for it."""
        self._wide_draws = max(0, self._wide_draws - 1)
        if drawn.draw.exact is None or drawn.draw.exact.item():
            return drawn
        self._wide_draws = WIDE_DRAWS
        return self.draw(drawn.held, drawn.params, position, recent_tokens(known))


def recent_tokens(known: Sequence[int]) -> mx.array:
    """The last tokens as the sampler wants them: int32 (20,), -1 where there are fewer."""
    return mx.array(([-1] * RECENT_TOKENS + list(known))[-RECENT_TOKENS:], mx.int32)


def _host(value: Any) -> Any:
    """What MLX handed to the host, whose stubs cannot say whether it is a number or a list."""
    return value
