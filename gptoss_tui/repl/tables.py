"""Tables of plain text: layers and KV cache, pure functions of the engine's values, and the models on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gptoss_tui.chat import format
from gptoss_tui.engine.events import LayerState, ModelInfo
from gptoss_tui.visible import visible


def layers_table(layers: Sequence[LayerState], width: int) -> list[str]:
    """One line a layer, under a line that names the columns; the last columns are left out where `width` is short."""
    rows = [("layer", "attention", "sees", "of", "used", "history", "allocated")]
    rows += [
        (
            str(layer.index),
            layer.mode,
            f"{layer.visible:,}",
            f"{layer.tokens:,}",
            format.size(layer.used_bytes),
            format.size(layer.history_bytes) if layer.history_bytes else "–",
            format.size(layer.allocated_bytes),
        )
        for layer in layers
    ]
    return _aligned(rows, width)


def kv_table(info: ModelInfo, layers: Sequence[LayerState], width: int) -> list[str]:
    """The bytes of each kind of layer and of all, and how much of the context is taken; `width` as above."""
    rows = [("attention", "layers", "used", "history", "allocated")]
    for name in ("sliding", "full", "all"):
        chosen = [layer for layer in layers if name in (layer.mode, "all")]
        rows.append(
            (
                name,
                str(len(chosen)),
                format.size(sum(layer.used_bytes for layer in chosen)),
                format.size(sum(layer.history_bytes for layer in chosen)),
                format.size(sum(layer.allocated_bytes for layer in chosen)),
            )
        )
    tokens = max((layer.tokens for layer in layers), default=0)
    return [*_aligned(rows, width), f"context {tokens:,} of {info.context:,}, {max(0, info.context - tokens):,} left"]


def _aligned(rows: Sequence[tuple[str, ...]], room: int) -> list[str]:
    """Columns as wide as their widest cell, as many as there is room for; words to the left, figures to the right."""
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while len(wide) > 1 and sum(wide) + 2 * (len(wide) - 1) > room:
        wide.pop()
    rows = [row[: len(wide)] for row in rows]
    words = [not any(char.isdigit() for char in cell) for cell in rows[1]] if len(rows) > 1 else []
    return [
        "  ".join(
            f"{cell:<{width}}" if word else f"{cell:>{width}}"
            for cell, width, word in zip(row, wide, words or [True] * len(wide), strict=True)
        ).rstrip()
        for row in rows
    ]


def models_table(used: Path | None) -> list[str]:
    """The models on this machine, and the one in use."""
    from gptoss_tui.models.fit import this_machine
    from gptoss_tui.models.listing import list_models
    from gptoss_tui.models.table import table

    lines = visible(table(list(list_models(this_machine())))).splitlines()
    if used is not None:
        lines.append(f"  The one in use: {visible(str(used))}")
    return [*lines, "/model NAME goes on with another one."]
