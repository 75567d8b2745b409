"""What resuming a long conversation from its prompt state on disk costs, beside reading it cold.

    python -m tests.benchmarks.resume_state [--history 4000] [--rounds 5] [MODEL]

In each round the prompt is read into empty caches and written to disk; then it is restored into empty caches and one
token is written. Prints the file's size, the seconds to save and to restore up to the first token, and the ratio to the
cold prefill. The file was just written, so it comes from the system's cache, not from the disk.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from gptoss_tui import Engine
from tests.benchmarks.branch_switch import first_token
from tests.benchmarks.small_checkpoint import write_small_checkpoint
from tests.engine.driving import ids


def main() -> None:
    """Prints the figures of one checkpoint."""
    parser = argparse.ArgumentParser(description="Measure resuming from prompt state on disk.")
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--history", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rounds = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.model or write_small_checkpoint(Path(scratch) / "small")
        file = Path(scratch) / "state.safetensors"
        with Engine.load(folder) as engine:
            prompt = ids(options.history, 0, engine.info.vocabulary_size)
            for _ in range(options.rounds):
                engine.forget()
                cold = first_token(engine, prompt).ttft_s
                saved = engine.save_state(file)
                engine.forget()
                begun = time.perf_counter()
                restored = engine.restore_state(file, prompt)
                finished = first_token(engine, prompt)
                rounds.append((cold, saved.seconds, time.perf_counter() - begun))
                assert (restored, finished.reused_tokens) == (len(prompt), len(prompt) - 1)
    cold, save, restore = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"{saved.tokens:,} tokens, {saved.bytes / 2**20:.1f} MiB on disk")
    print(f"saved in                     {1000 * save:8.1f} ms")
    print(f"first token after restoring  {1000 * restore:8.1f} ms")
    print(f"the same prompt, cold        {1000 * cold:8.1f} ms, {cold / restore:.0f} times as long")


if __name__ == "__main__":
    main()
