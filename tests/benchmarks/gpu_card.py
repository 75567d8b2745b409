"""gpt-oss-20b's geometry on a GPU: decode, prefill and peak memory beside mlx-lm's, within a stated time.

How it is run, on a bare Linux machine with an NVIDIA GPU, from the repository's root (nothing is installed; the wheels
of mlx[cuda13], mlx-lm with what it imports (transformers), numpy and threadpoolctl are on PYTHONPATH):

    PYTHONPATH=.:/path/to/wheels python3 -m tests.benchmarks.gpu_card --minutes 7

It makes the card's checkpoint (11.8 GB of random 4-bit weights; /dev/shm by default, where there is room), loads it
into both engines in one process, and plays them in alternating rounds: one round to warm up, since the first run of a
shape compiles kernels, then up to five. Each line is printed as soon as it is measured, flushed, and after the minutes
given the process ends with exit code 0 wherever it is, so that what was printed stands. Order: memory bandwidth, load,
decode at depth 0 (greedy, top-p 0.95), prefill at 128, prefill and decode at 2,048 and 8,192, peak memory, roofline.

The checkpoint is removed at the end unless --keep; a folder that already holds one is used as it is. `--layers 2` is a
trial run; on a machine without a GPU it runs on the CPU, slowly. `--json FILE` also writes the report as JSON, where
all of it was measured in time. Exit code 1: mlx, mlx-lm or memory was not there; a line says which.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

BEGAN = time.monotonic()
BYTES_A_LAYER, BYTES_BESIDE = 465e6, 700e6


def main() -> int:
    """Makes, measures, prints."""
    parser = argparse.ArgumentParser(description="Measure gpt-oss-20b's geometry on this machine's GPU.")
    parser.add_argument("--minutes", type=float, default=7.0, help="the whole of it, making the checkpoint included")
    parser.add_argument("--folder", type=Path, help="where the checkpoint is, or is made")
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=100, help="tokens of each decode")
    parser.add_argument("--prompts", type=int, nargs="+", default=[128, 2048, 8192])
    parser.add_argument("--keep", action="store_true", help="leave the checkpoint there")
    parser.add_argument("--json", type=Path, help="also write the report here")
    options = parser.parse_args()
    folder: Path = options.folder or _room(options.layers) / "gptoss-card"
    made = not (folder / "config.json").exists()
    end = threading.Timer(60 * options.minutes - (time.monotonic() - BEGAN), _out_of_time, [folder, options])
    end.daemon = True
    end.start()
    try:
        return _measure(folder, made, options)
    except ImportError as error:
        say(f"{error}: it is not on PYTHONPATH")
        return 1
    finally:
        if made and not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def say(text: str) -> None:
    """A line, at once, with the time since the start."""
    print(f"[{time.monotonic() - BEGAN:5.0f} s] {text}", flush=True)


def _measure(folder: Path, made: bool, options: argparse.Namespace) -> int:
    import mlx.core as mx

    device = "GPU" if mx.default_device() == mx.Device(mx.gpu) else "CPU"
    say(f"{device}, {mx.device_info().get('device_name', 'unnamed')}, {os.cpu_count()} cores; {folder}")
    if made:
        from tests.benchmarks.card_checkpoint import write_card_checkpoint

        write_card_checkpoint(folder, options.layers)
        say("the checkpoint is made")
    from gptoss_tui.bench.measure import Listener, measure
    from gptoss_tui.bench.plan import Plan, Row
    from gptoss_tui.bench.report import as_json, closing, heading, line
    from gptoss_tui.engine.events import ModelInfo
    from gptoss_tui.errors import GptOssError

    class Told(Listener):
        """Prints everything, at once."""

        def progress(self, text: str) -> None:
            say(text)

        def begin(self, info: ModelInfo, versions: dict[str, str]) -> None:
            print(heading(info, versions), end="", flush=True)

        def row(self, row: Row) -> None:
            print(line(row), end="", flush=True)

        def early(self, row: Row) -> None:
            print(f"gptoss alone: {line(row)}", end="", flush=True)

    # A little less than what is left, for peak memory, samplers and the roofline.
    left = 60 * options.minutes - (time.monotonic() - BEGAN) - 10
    plan = replace(
        Plan(), seconds=left, rounds=options.rounds, decode_tokens=options.tokens, prompts=tuple(options.prompts)
    )
    try:
        results = measure(folder, plan, Told())
    except GptOssError as fault:
        say(f"{fault.message}. {fault.hint}")
        return 1
    print(closing(results), flush=True)
    if options.json:
        options.json.write_text(as_json(results, None))
    say("done")
    return 0


def _room(layers: int) -> Path:
    """A folder with room for the checkpoint: memory where there is enough, else the disk."""
    shared = Path("/dev/shm")
    need = BYTES_A_LAYER * layers + BYTES_BESIDE
    if shared.is_dir() and shutil.disk_usage(shared).free > 1.1 * need:
        return shared
    return Path(tempfile.gettempdir())


def _out_of_time(folder: Path, options: argparse.Namespace) -> None:
    """Ends the process: a kernel that is being compiled cannot be stopped in any other way."""
    say(f"{options.minutes:g} minutes are over; what stands above is what was measured")
    if not options.keep and options.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
