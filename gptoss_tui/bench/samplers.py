"""Our sampler beside mlx-lm's on the same logits. Both also work out the logprob that a step tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mlx.core as mx

from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.sampling import RECENT_TOKENS, Sampler, noise_key


@dataclass(frozen=True, slots=True)
class SamplerTimes:
    """Seconds of every round, side by side."""

    ours: tuple[float, ...]
    """A draw, with its second, exhaustive one where the shortlist was too short."""
    theirs: tuple[float, ...]
    exhaustive: tuple[float, ...]
    """A draw that is asked to be exhaustive at once, as a generation does after one of those."""
    wide: float
    """Share of draws for which the shortlist was too short."""


def compare_samplers(logits: mx.array, params: SamplingParams, rounds: int) -> SamplerTimes:
    """Draws `rounds` times with either from `logits` (vocabulary,), in turns, after two rounds to warm up."""
    from mlx_lm.sample_utils import make_sampler

    sampler = Sampler(logits.size)
    recent = mx.full((RECENT_TOKENS,), -1, dtype=mx.int32)
    mx.eval(logits, recent)
    wide: list[bool] = []

    def ours(position: int) -> None:
        draw = sampler(logits, params, noise_key(0, position), recent)
        mx.eval(draw.token, draw.logprob)
        wide.append(draw.exact is not None and not draw.exact.item())
        if wide[-1]:
            exhaustive(position)

    def exhaustive(position: int) -> None:
        draw = sampler(logits, params, noise_key(0, position), recent, exhaustive=True)
        mx.eval(draw.token, draw.logprob)

    choose = make_sampler(params.temperature, params.top_p, params.min_p, top_k=params.top_k)

    def theirs(position: int) -> None:
        logprobs = logits[None] - mx.logsumexp(logits[None], keepdims=True)
        token = choose(logprobs)
        mx.eval(token, logprobs[0, token])

    mine, others, full = in_turns((ours, theirs, exhaustive), rounds)
    return SamplerTimes(tuple(mine), tuple(others), tuple(full), wide=sum(wide) / len(wide))


def in_turns(works: Sequence[Callable[[int], None]], rounds: int) -> list[list[float]]:
    """The seconds that each piece of work took, one after the other, `rounds` times after two rounds to warm up."""
    seconds: list[list[float]] = [[] for _ in works]
    for turn in range(rounds + 2):
        for work, taken in zip(works, seconds, strict=True):
            started = time.perf_counter()
            work(turn)
            taken.append(time.perf_counter() - started)
    return [taken[2:] for taken in seconds]
