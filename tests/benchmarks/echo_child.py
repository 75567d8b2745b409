"""Echoes what is typed and does nothing else: what `tui_keys` compares with."""

from __future__ import annotations

import os
import tty


def main() -> None:
    """Until the terminal goes away."""
    tty.setraw(0)
    while data := os.read(0, 4096):
        os.write(1, data)


if __name__ == "__main__":
    main()
