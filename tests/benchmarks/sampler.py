"""Times the sampler beside mlx-lm's on the same logits, in one process, in turns; prints medians and ratios.

    python -m tests.benchmarks.sampler [--rounds 15]

Both sides also work out the logprob that a step reports. `wide` is the share of draws for which the shortlist was too
short; such a draw is timed with its second, exhaustive one. `wide first` is what a generation does after one of those:
it asks for the exhaustive draw at once.
"""

from __future__ import annotations

import argparse
import statistics
from importlib.metadata import version

import mlx.core as mx

from gptoss_tui.bench.samplers import compare_samplers
from gptoss_tui.engine.params import SamplingParams

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
                print(f"{name:18}{row(logits, params, rounds)}")


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


def row(logits: mx.array, params: SamplingParams, rounds: int) -> str:
    """Medians of both sides, their ratio, and what happens where the shortlist does not do."""
    times = compare_samplers(logits, params, rounds)
    ours, theirs, exhaustive = (1e3 * statistics.median(side) for side in (times.ours, times.theirs, times.exhaustive))
    text = f"{ours:10.3f}{theirs:11.3f}{ours / theirs:8.2f}{times.wide:7.0%}"
    return text + (f"{exhaustive / theirs:12.2f}" if times.wide else "")


if __name__ == "__main__":
    main()
