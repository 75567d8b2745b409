"""Which pictures there are, and the texts beside them by which a test sees that they are current."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

from gptoss_tui.themes import theme_named
from tests.docs.pictures.cells import Grid, digest, lines
from tests.docs.pictures.fronts import shoot
from tests.docs.pictures.recording import Recording
from tests.docs.pictures.svg import svg

IMAGES = Path(__file__).resolve().parents[3] / "docs" / "images"
COMMAND = "python docs/screenshots.py"
THEMES = {"dark": "gptoss-dark", "light": "gptoss-light", "projector": "projector"}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture in docs/images."""

    name: str
    front: str
    """tui or repl."""
    theme: str
    columns: int
    rows: int

    @property
    def png(self) -> Path:
        """The picture."""
        return IMAGES / f"{self.name}.png"

    @property
    def text(self) -> Path:
        """The same as text: the screen's rows, then digests."""
        return IMAGES / f"{self.name}.txt"

    async def shoot(self, recording: Recording) -> Grid:
        """Runs the front end."""
        return await shoot(recording, self.front, self.theme, self.columns, self.rows)

    def svg(self, grid: Grid) -> str:
        """The picture of a screen, on the theme's background."""
        return svg(grid, theme_named(self.theme).colours["background"])


PICTURES = (
    Picture("tui-narrow", "tui", THEMES["dark"], 80, 24),
    *(Picture(f"tui-wide-{kind}", "tui", theme, 120, 36) for kind, theme in THEMES.items()),
    Picture("tui-large", "tui", THEMES["dark"], 200, 50),
    *(Picture(f"repl-{kind}", "repl", theme, 100, 40) for kind, theme in THEMES.items()),
)


def shoot_all(recording: Recording) -> dict[str, Grid]:
    """All screens, by the pictures' names."""

    async def together() -> list[Grid]:
        return await asyncio.gather(*(picture.shoot(recording) for picture in PICTURES))

    return dict(zip((picture.name for picture in PICTURES), asyncio.run(together()), strict=True))


def screen_text(grid: Grid) -> str:
    """What the text beside a picture begins with: rows, and a digest that knows colours too."""
    return "\n".join([*lines(grid), f"screen {digest(grid)}", ""])


def png_line(picture: Picture) -> str:
    """The text's last line: which file it belongs to."""
    return f"png {hashlib.sha256(picture.png.read_bytes()).hexdigest()[:16]}\n"
