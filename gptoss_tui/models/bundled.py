"""The demo model that comes with the package, so that the program is alive at once and without a download."""

from __future__ import annotations

from pathlib import Path

from gptoss_tui.errors import CheckpointError

DEMO = "demo"
"""What the command line calls it."""

NOTICE = (
    "This is the bundled demo model: a very small gpt_oss that chats in simple English and is often wrong. "
    "For gpt-oss-20b: gptoss pull mlx-community/gpt-oss-20b-MXFP4-Q4, then start gptoss again."
)
"""One line that front ends show when the demo model runs."""


def demo_checkpoint() -> Path:
    """The folder of the bundled checkpoint. Raises `CheckpointError` where the package was built without it."""
    folder = Path(__file__).with_name("demo")
    if not (folder / "config.json").exists():
        raise CheckpointError(
            "This copy of gptoss came without its demo model", "Install it again, or name a checkpoint folder."
        )
    return folder


def is_demo(folder: Path) -> bool:
    """Whether `folder` is the bundled checkpoint."""
    return folder.resolve() == Path(__file__).with_name("demo").resolve()
