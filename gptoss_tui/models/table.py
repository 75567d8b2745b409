"""The models of a machine as rows of text, for the command line, the REPL and the picker alike. Prints nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

from gptoss_tui.models.fit import Fit
from gptoss_tui.models.listing import Listed
from gptoss_tui.visible import in_line

HEADINGS = ("MODEL", "SIZE", "BITS", "FIT", "CONTEXT", "LAST USED", "FOUND IN")

_FIT = {"fits": "fits", "tight": "tight", "no": "too large"}
_GIB = 2**30


def row(one: Listed) -> tuple[str, ...]:
    """One checkpoint's cells, under `HEADINGS`. Names are the files' own: make them visible before they are shown."""
    used = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.last_used)) if one.last_used else "never"
    return (
        in_line(short(one.place.name)),
        _size(one.nbytes) if one.nbytes else "?",
        "?" if math.isnan(one.bits_per_weight) else f"{one.bits_per_weight:.2f}",
        _FIT[one.fit.verdict] if one.fit else "?",
        f"{one.fit.comfortable_context or one.fit.largest_context:,}" if one.fit else "?",
        used,
        one.place.source,
    )


def table(listed: Sequence[Listed]) -> str:
    """All of them; what is wrong with a checkpoint stands under it."""
    if not listed:
        return "There are no gpt_oss checkpoints here. To get one: gptoss pull mlx-community/gpt-oss-20b-MXFP4-Q4\n"
    rows = [HEADINGS, *map(row, listed)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in rows]
    for at, one in reversed(list(enumerate(listed, start=1))):
        if one.problem:
            lines.insert(at + 1, f"  problem: {in_line(one.problem)}")
    return "\n".join(lines) + "\n"


def fit_line(one: Listed) -> str:
    """What its fit comes to, in one line; what is wrong with it instead, where something is."""
    if one.problem:
        return f"problem: {in_line(one.problem)}"
    return fit_words(one.fit) if one.fit is not None else ""


def fit_words(fit: Fit) -> str:
    """A fit in one line: what is needed of what there is, and how long the context may be."""
    words = {"fits": "fits", "tight": "tight, it may write slowly", "no": "does not fit"}[fit.verdict]
    need = f"{fit.need_bytes / _GIB:.1f} of {fit.machine.physical / _GIB:.1f} GiB at {fit.context:,} tokens"
    weights, cache, prefill = (size / _GIB for size in (fit.weights_bytes, fit.kv_bytes, fit.prefill_bytes))
    parts = f"weights {weights:.1f}, cache {cache:.1f}, prefill {prefill:.1f}"
    longest = f"largest context {fit.largest_context:,}" if fit.largest_context else "no context fits"
    return f"{words}: {need} ({parts}); {longest}" + (f"; {fit.command}" if fit.command else "")


def short(name: str) -> str:
    """A path in the home folder with ~ for that."""
    home = str(Path.home())
    return "~" + name.removeprefix(home) if name.startswith(home + "/") else name


def _size(nbytes: int) -> str:
    return f"{nbytes / 1e9:.1f} GB" if nbytes >= 1e9 else f"{nbytes / 1e6:.1f} MB"
