"""The layers: for each one how it attends, what it sees of the context, and what that costs. Draws `LayerState`s."""

from __future__ import annotations

from typing import ClassVar

from textual.geometry import Size

from gptoss_tui.chat import format
from gptoss_tui.engine.events import LayerState
from gptoss_tui.tui import bars
from gptoss_tui.tui.snapshot import Snapshot
from gptoss_tui.tui.widgets.panel import Panel, Part


class LayersPane(Panel):
    """One row a layer; two columns where the rows do not fit under one another."""

    TITLE: ClassVar[str] = "Layers"

    def __init__(self) -> None:
        super().__init__(id="layers")

    def show(self, snapshot: Snapshot) -> None:
        """Another number of layers needs another height."""
        if len(snapshot.layers) != len(self.snapshot.layers):
            self.refresh(layout=True)
        super().show(snapshot)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A line for each layer, where there is room for so many; a few while there are none yet."""
        return len(self.snapshot.layers) or 12

    def title_parts(self) -> list[Part]:
        """How many layers of each kind, and their bytes."""
        layers = self.snapshot.layers
        if not layers:
            return []
        sliding = sum(layer.mode == "sliding" for layer in layers)
        held = sum(layer.used_bytes for layer in layers)
        return [
            (f"  {sliding} sliding", "sliding"),
            (f" · {len(layers) - sliding} full", "full"),
            (f" · {format.size(held)}", "muted"),
        ]

    def build(self, width: int, height: int) -> list[list[Part]]:
        """The rows; order runs down the columns."""
        layers = self.snapshot.layers
        if not layers:
            return [[(" No model yet.", "muted")]]
        if len(layers) <= height or width < 50:
            return [_row(layer, width) for layer in layers]
        half, gap = (len(layers) + 1) // 2, 2
        cell = (width - gap) // 2
        rows = [_row(layer, cell) for layer in layers]
        return [[*rows[at], (" " * gap, ""), *(rows[at + half] if at + half < len(rows) else ())] for at in range(half)]


def _row(layer: LayerState, width: int) -> list[Part]:
    digits = max(3, len(format.count(layer.tokens)))
    number = f"{layer.index:>2} "
    if width >= 44:
        name, seen = f"{layer.mode:<8}", f" sees {layer.visible:>{digits},} of {layer.tokens:>{digits},}"
        held = f"{format.size(layer.used_bytes):>10}"
    elif width >= 34:
        name, seen = f"{layer.mode:<8}", f" sees {layer.visible:>{digits},}"
        held = f"{format.size(layer.used_bytes):>9}"
    else:
        name, seen = f"{layer.mode[:1]} ", f" {layer.visible:>{digits},}"
        held = f"{_compact(layer.used_bytes):>5}"
    room = max(3, width - len(number) - len(name) - len(seen) - len(held) - 2)
    hidden, cells = bars.sees(layer.visible, layer.tokens, room)
    return [
        (number, "muted"),
        (name, layer.mode),
        ("▕", "track"),
        ("·" * hidden, "track"),
        ("▅" * cells, layer.mode),
        ("▏", "track"),
        (seen, ""),
        (held, "muted"),
    ]


def _compact(count: int) -> str:
    """Bytes in at most four characters: `256K`, `6.7M`."""
    value, unit = format.size(count).split()
    number = float(value)
    return f"{number:.1f}{unit[0]}" if number < 9.95 and unit != "B" else f"{number:.0f}{unit[0]}"
