"""Makes the pictures in docs/images from the running program, and the texts by which a test sees that they are current.

    python docs/screenshots.py              # all of it, from a conversation recorded anew with the bundled model
    python docs/screenshots.py --keep       # from the recording that is there; half the time

Needs `rsvg-convert` (Debian: librsvg2-bin; Homebrew: librsvg), and Pillow to make the files small (pip install pillow).
What is photographed, and how, is in tests/docs/pictures.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.docs.pictures import recording
from tests.docs.pictures.gallery import IMAGES, PICTURES, png_line, screen_text, shoot_all

ZOOM = 1.5
COLOURS = 48
"""A picture has a dozen colours; what is more is between them, at the edges of letters."""


def main() -> None:
    """Writes all of them, and sweeps away what belongs to none."""
    IMAGES.mkdir(exist_ok=True)
    if "--keep" not in sys.argv[1:]:
        recording.save(recording.record())
    for picture, grid in zip(PICTURES, shoot_all(recording.load()).values(), strict=True):
        drawn = subprocess.run(
            ["rsvg-convert", "--zoom", str(ZOOM)], input=picture.svg(grid).encode(), capture_output=True, check=True
        ).stdout
        picture.png.write_bytes(smaller(drawn))
        picture.text.write_text(screen_text(grid) + png_line(picture), encoding="utf-8")
        print(f"{picture.png.name}  {picture.png.stat().st_size / 1000:.0f} KB", flush=True)
    ours = {path for picture in PICTURES for path in (picture.png, picture.text)}
    for path in set(IMAGES.iterdir()) - ours:
        path.unlink()


def smaller(png: bytes) -> bytes:
    """The same picture with a palette, where Pillow is installed."""
    try:
        from PIL import Image
    except ImportError:
        return png
    made = io.BytesIO()
    whole = Image.open(io.BytesIO(png)).convert("RGBA")
    whole.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(made, "PNG", optimize=True)
    return made.getvalue()


if __name__ == "__main__":
    main()
