"""Times the sampler beside mlx-lm's on the same logits, in one process, in turns; prints medians and ratios.

    python -m tests.benchmarks.sampler [--rounds 15]

Both sides also work out the logprob that a step reports. `wide` is the share of draws for which the shortlist was too
short; such a draw is timed with its second, exhaustive one. `wide first` is what a generation does after one of those:
it asks for the exhaustive draw at once.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

import mlx.core as mx
from mlx_lm.sample_utils import make_sampler

from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.sampling import RECENT_TOKENS, Sampler, noise_key

SETTINGS = {
    "greedy": SamplingParams(temperature=0),
    "temperature 1": SamplingParams(),
    "temperature 0.7": SamplingParams(temperature=0.7),
    "top-p 0.9": SamplingParams(top_p=0.9),
    "top-p 0.95": SamplingParams(top_p=0.95),
    "top-k 40": SamplingParams(top_k=40),
    "min-p 0.05": SamplingParams(min_p=0.05),
    "all three": SamplingParams(top_p=0.95, min_p=0.02, top_k=40),
}


def main() -> None:
    """Prints one table for each vocabulary and kind of logits."""
    parser = argparse.ArgumentParser(description="Time the sampler beside mlx-lm's.")
    parser.add_argument("--rounds", type=int, default=15)
    rounds: int = parser.parse_args().rounds
    print(f"mlx {version('mlx')}, {mx.default_device()}, medians of {rounds} rounds in turns")
    for vocabulary in (201_088, 4096):
        for kind, logits in kinds_of_logits(vocabulary).items():
            print(f"\n{vocabulary:,} logits, {kind}")
            print(f"{'':18}{'ours ms':>10}{'mlx-lm ms':>11}{'ratio':>8}{'wide':>7}{'wide first':>12}")
            for name, params in SETTINGS.items():
                print(f"{name:18}{compare(logits, params, rounds)}")


def kinds_of_logits(vocabulary: int) -> dict[str, mx.array]:
    """Logits (vocabulary,) of three shapes: spread out, like a trained model's, and nearly equal."""
    mx.random.seed(0)
    floor = mx.random.normal((vocabulary,)) * 2 - 4
    bumps = mx.random.uniform(shape=(vocabulary,)) < 200 / vocabulary
    return {
        "normal(0, 3)": mx.random.normal((vocabulary,)) * 3,
        "model-like (200 likely tokens over a floor)": mx.where(bumps, floor + 14, floor),
        "flat, normal(0, 0.1)": mx.random.normal((vocabulary,)) * 0.1,
    }


def compare(logits: mx.array, params: SamplingParams, rounds: int) -> str:
    """One row: medians of both sides, their ratio, and what happens where the shortlist does not do."""
    sampler = Sampler(logits.size)
    recent = mx.full((RECENT_TOKENS,), -1, dtype=mx.int32)
    mx.eval(logits, recent)
    wide = []

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

    times = in_turns([ours, theirs, exhaustive], rounds)
    ratio, share = times[0] / times[1], sum(wide) / len(wide)
    row = f"{times[0] * 1e3:10.3f}{times[1] * 1e3:11.3f}{ratio:8.2f}{share:7.0%}"
    return row + (f"{times[2] / times[1]:12.2f}" if share else "")


def in_turns(works: list[Callable[[int], None]], rounds: int) -> list[float]:
    """The median seconds of each piece of work, done in turns `rounds` times after two rounds to warm up."""
    seconds: list[list[float]] = [[] for _ in works]
    for turn in range(rounds + 2):
        for work, taken in zip(works, seconds, strict=True):
            started = time.perf_counter()
            work(turn)
            taken.append(time.perf_counter() - started)
    return [statistics.median(taken[2:]) for taken in seconds]


if __name__ == "__main__":
    main()
