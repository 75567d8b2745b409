"""The KV cache: real bytes by kind of layer, how much of the context is taken, and what is kept for going back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gptoss_tui.chat import format
from gptoss_tui.engine.events import AttentionMode, LayerState, MemoryUse
from gptoss_tui.tui import bars
from gptoss_tui.tui.widgets.panel import Panel, Part

_LABEL = 9


_KEPT_STYLES = ("history", "accent", "full")


@dataclass(frozen=True, slots=True)
class _Sum:
    """Bytes of all layers of one kind."""

    used: int
    history: int
    allocated: int

    @classmethod
    def of(cls, layers: tuple[LayerState, ...], mode: AttentionMode | None = None) -> _Sum:
        chosen = [layer for layer in layers if mode is None or layer.mode == mode]
        return cls(
            sum(layer.used_bytes for layer in chosen),
            sum(layer.history_bytes for layer in chosen),
            sum(layer.allocated_bytes for layer in chosen),
        )


class KvPane(Panel):
    """A bar for each kind of layer, one for the context."""

    TITLE: ClassVar[str] = "KV cache"

    def __init__(self) -> None:
        super().__init__(id="kv")

    def title_parts(self) -> list[Part]:
        """Bytes in all."""
        if not self.snapshot.layers:
            return []
        total = _Sum.of(self.snapshot.layers)
        return [
            (f"  {format.size(total.used)} used", "accent"),
            (f" · {format.size(total.allocated)} allocated", "muted"),
        ]

    def build(self, width: int, height: int) -> list[list[Part]]:
        """Four rows, five where there is room; figures keep to the right of the bars."""
        layers, info = self.snapshot.layers, self.snapshot.info
        if not layers or info is None:
            return [[(" No cache yet.", "muted")]]
        sums = {mode: _Sum.of(layers, mode) for mode in ("sliding", "full")}
        largest = max(1, *(max(each.allocated, each.used + each.history) for each in sums.values()))
        tokens = max(layer.tokens for layer in layers)
        figures = {mode: self._bytes(each, width) for mode, each in sums.items()}
        left = max(0, info.context - tokens)
        context = f"{tokens:,} of {info.context:,}" + (f" · {left:,} left" if width >= 52 else "")
        memory = self.snapshot.memory
        kept = _of_budget(memory) if memory is not None else ""
        room = max(4, width - _LABEL - 3 - max(len(context), len(kept), *map(len, figures.values())))
        rows: list[list[Part]] = []
        for mode in ("sliding", "full"):
            each = sums[mode]
            spare = max(0, each.allocated - each.used - each.history)
            used, history, rest = bars.split([part / largest for part in (each.used, each.history, spare)], room)
            rows.append(
                [
                    (f" {mode:<{_LABEL - 1}}", mode),
                    ("▅" * used, mode),
                    ("▅" * history, "history"),
                    ("▁" * rest, "track"),
                    (" " * (room - used - history - rest), ""),
                    (f"  {figures[mode]}", ""),
                ]
            )
        share = tokens / info.context if info.context else 0.0
        style = "error" if share > 0.95 else "warning" if share > 0.8 else "accent"
        filled = bars.bar(share, room).rstrip()
        track = "·" * (room - len(filled))
        rows.append([(f" {'context':<{_LABEL - 1}}", "label"), (filled, style), (track, "track"), (f"  {context}", "")])
        if memory is not None:
            rows.append(self._kept(memory, room, kept))
            if height > len(rows):
                rows.append(_parts(memory, width))
        return rows

    @staticmethod
    def _kept(memory: MemoryUse, room: int, figures: str) -> list[Part]:
        budget = max(1, memory.budget_bytes)
        shares = [each / budget for each in (memory.history_bytes, memory.pinned_bytes, memory.parked_bytes)]
        cells = bars.split(shares, room)
        drawn = [("▅" * count, style) for count, style in zip(cells, _KEPT_STYLES, strict=True)]
        track = ("·" * (room - sum(cells)), "track")
        return [(f" {'kept':<{_LABEL - 1}}", "label"), *drawn, track, (f"  {figures}", "")]

    @staticmethod
    def _bytes(each: _Sum, width: int) -> str:
        used = format.size(each.used)
        if not each.history:
            return f"{used:>8}"
        return f"{used:>8} + {format.size(each.history)}" + (" history" if width >= 52 else "")


def _of_budget(memory: MemoryUse) -> str:
    taken = memory.history_bytes + memory.pinned_bytes + memory.parked_bytes
    return f"{format.size(taken):>8} of {format.size(memory.budget_bytes)}"


def _parts(memory: MemoryUse, width: int) -> list[Part]:
    """What is kept, each under its name, as much of it as fits."""
    many = f"{memory.parked_branches} " if memory.parked_branches > 1 else ""
    branches = "branch" if memory.parked_branches == 1 else "branches"
    said = (
        ("history", memory.history_bytes),
        ("pins", memory.pinned_bytes),
        (f"{many}{branches}", memory.parked_bytes),
    )
    parts: list[Part] = [(" " * _LABEL, "")]
    room = width - _LABEL - 1
    for (name, size), style in zip(said, _KEPT_STYLES, strict=True):
        text = f" {format.size(size)}"
        gap = 3 if len(parts) > 1 else 0
        if (room := room - gap - len(name) - len(text)) < 0:
            break
        parts += [(" " * gap, ""), (name, style), (text, "")]
    return parts
