"""Every check of the project, in turn: `python -m tests`. Continuous integration runs the same.

Stops at the first that fails, with its exit code. Arguments go to pytest.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
    # Two at a time, a file's tests one after the other: they share what is dear to make.
    ("pytest", "-q", "--durations=10", "-n", "2", "--dist", "loadfile"),
)


def main() -> int:
    """Runs them all; the exit code of the first that fails, or 0."""
    # The tools of this interpreter's own environment, whether or not that is activated.
    folder = Path(sysconfig.get_path("scripts"))
    for command in CHECKS:
        if command[0] == "pytest":
            command = (*command, *sys.argv[1:])
        print(f"\n$ {' '.join(command)}", flush=True)
        begun = time.perf_counter()
        code = subprocess.run([str(folder / command[0]), *command[1:]], cwd=ROOT, check=False).returncode
        print(
            f"{command[0]}: {'passed' if code == 0 else f'failed with {code}'} in {time.perf_counter() - begun:.1f} s",
            flush=True,
        )
        if code:
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
