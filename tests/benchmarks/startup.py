"""How long `gptoss --version` takes beside `python -c pass`: both in turn, medians.

python -m tests.benchmarks.startup [--rounds 15]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

COMMANDS = {"python -c pass": ["-c", "pass"], "gptoss --version": ["-m", "gptoss_tui", "--version"]}


def main() -> None:
    """Prints both medians and the difference."""
    parser = argparse.ArgumentParser(description="Measure the start of the program.")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):
        for name, arguments in COMMANDS.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - begun)
    # The first round only warms the file cache.
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    for name, seconds in medians.items():
        print(f"{name:18} {1000 * seconds:7.1f} ms")
    bare, version = medians.values()
    print(f"{'difference':18} {1000 * (version - bare):7.1f} ms")


if __name__ == "__main__":
    main()
