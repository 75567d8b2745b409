"""What switching between two branches of a long conversation costs, beside reading the same prompt cold.

    python -m tests.benchmarks.branch_switch [--history 4000] [--branch 800] [--rounds 5] [MODEL]

Two conversations share their first --history tokens and differ in the --branch tokens after them. In each round the
engine goes from one to the other and writes one token; then, in turn, the same prompt is read into empty caches. Prints
tokens reused and read, the time to the first token of each, and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from gptoss_tui import Engine, Finished, SamplingParams
from tests.benchmarks.small_checkpoint import write_small_checkpoint
from tests.engine.driving import ids

GREEDY = SamplingParams(temperature=0.0)


def main() -> None:
    """Prints the figures of one checkpoint."""
    parser = argparse.ArgumentParser(description="Measure switching between branches.")
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--history", type=int, default=4000)
    parser.add_argument("--branch", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.model or write_small_checkpoint(Path(scratch) / "small")
        with Engine.load(folder) as engine, Engine.load(folder) as cold:
            shared, *ends = (
                ids(count, seed, engine.info.vocabulary_size)
                for seed, count in enumerate((options.history, options.branch, options.branch))
            )
            lines = [[*shared, *end] for end in ends]
            for line in lines:
                first_token(engine, line)
            switches, colds = [], []
            for round_ in range(options.rounds):
                line = lines[round_ % 2]
                told = engine.reusable(line)
                switched = first_token(engine, line)
                assert switched.reused_tokens == told
                cold.forget()
                read = first_token(cold, line)
                switches.append(switched.ttft_s)
                colds.append(read.ttft_s)
                ahead = f"reuses {told:,} tokens, prefills {len(line) - told:,}"
                print(f"{ahead}: {1000 * switched.ttft_s:8.1f} ms; cold {1000 * read.ttft_s:8.1f} ms")
            memory = engine.memory()
    warm, slow = statistics.median(switches), statistics.median(colds)
    print(f"first token after switching {1000 * warm:8.1f} ms")
    print(f"the same prompt, cold       {1000 * slow:8.1f} ms, {slow / warm:.0f} times as long")
    history, parked, budget = (
        size / 2**20 for size in (memory.history_bytes, memory.parked_bytes, memory.budget_bytes)
    )
    print(f"kept for going back: history {history:.1f} MiB, parked {parked:.1f} MiB, of {budget:.0f} MiB")


def first_token(engine: Engine, line: list[int]) -> Finished:
    """The end of an answer of one token."""
    with engine.generate(line, GREEDY, max_tokens=1) as generation:
        return next(event for event in generation if isinstance(event, Finished))


if __name__ == "__main__":
    main()
