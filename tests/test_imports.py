"""What importing a part of the program drags in: the rules of its layers, seen from a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

FRONT_ENDS = ("textual", "prompt_toolkit")
HEAVY = ("transformers", "mlx_lm", "torch")


def imported_by(module: str) -> set[str]:
    """Top-level packages in memory after `import module`."""
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("gptoss_tui", ("mlx", "numpy", "tiktoken", *FRONT_ENDS, *HEAVY)),
        ("gptoss_tui.engine.events", ("mlx", "numpy", *FRONT_ENDS, *HEAVY)),
        ("gptoss_tui.engine.params", ("mlx", "numpy", *FRONT_ENDS, *HEAVY)),
        ("gptoss_tui.engine.checkpoint", ("mlx", *FRONT_ENDS, *HEAVY)),
        ("gptoss_tui.engine.config", ("mlx", *FRONT_ENDS, *HEAVY)),
        ("gptoss_tui.engine.memory", ("mlx", *FRONT_ENDS, *HEAVY)),
        ("gptoss_tui.engine.worker", (*FRONT_ENDS, *HEAVY)),
        ("gptoss_tui.harmony", ("mlx", *FRONT_ENDS, *HEAVY)),
        ("gptoss_tui.chat.events", (*FRONT_ENDS, *HEAVY)),
        ("gptoss_tui.chat.session", (*FRONT_ENDS, *HEAVY)),
    ],
)
def test_what_is_not_imported(module: str, absent: tuple[str, ...]) -> None:
    assert not imported_by(module) & set(absent)
