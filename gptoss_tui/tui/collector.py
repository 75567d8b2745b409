"""Keeps Python's collector of cycles from holding up keys: by default it walks everything every few seconds."""

from __future__ import annotations

import gc

# New objects are looked at as they come; everything, a hundred times less often than by default.
_THRESHOLDS = (1_000, 20, 100)


def calm() -> None:
    """Call it once, when the modules are imported: they are never walked again."""
    gc.set_threshold(*_THRESHOLDS)
    gc.freeze()
