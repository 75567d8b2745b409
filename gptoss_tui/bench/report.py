"""What the bench measured, as Markdown that a terminal shows well too, and as one JSON object. Prints nothing."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence

from gptoss_tui.bench.interface import COLUMNS, ROWS, Interface
from gptoss_tui.bench.measure import Results, ratio
from gptoss_tui.bench.plan import Row
from gptoss_tui.engine.events import ModelInfo
from gptoss_tui.visible import visible_json

_WIDTHS = (34, 10, 9, 9, 7)


def heading(info: ModelInfo, versions: Mapping[str, str]) -> str:
    """What is measured on what, and the table's head."""
    return "\n".join(
        [
            f"# {info.name}",
            "",
            f"{info.layers} layers · {info.bits_per_weight:.2f} bits per weight · {info.device}, {info.dtype}",
            " · ".join(f"{name} {number}" for name, number in versions.items()) + f" · {machine()}",
            "",
            _cells("", "", "gptoss", "mlx-lm", "ratio"),
            "|" + "|".join("-" * (size + 1) + (":" if at > 1 else "-") for at, size in enumerate(_WIDTHS)) + "|\n",
        ]
    )


def line(row: Row) -> str:
    """One measurement: the medians side by side."""
    sides = [_number(statistics.median(side)) if side else "–" for side in (row.ours, row.theirs)]
    compared = ratio(row)
    return _cells(row.name, row.unit, *sides, "" if compared is None else f"{compared:.2f}") + "\n"


def closing(results: Results) -> str:
    """How to read the table, what is missing from it, and how near the memory's speed the decodes came."""
    order = "taken in turns" if results.in_turns else "one engine after the other, as both do not fit into memory"
    if results.why_alone:
        order = "this engine alone"
    speeds = [len(side) for row in results.rows if row.unit == "tokens/s" for side in (row.ours, row.theirs) if side]
    runs = f"Medians of {min(speeds, default=0)} or more runs"
    lines = ["", f"{runs}, {order}, in {results.seconds:.0f} s. For tokens/s a ratio above 1 is better, else below 1."]
    if results.why_alone:
        lines.append(f"gptoss alone: {results.why_alone}.")
    if results.left_out:
        lines.append(f"No time was left for: {'; '.join(results.left_out)}.")
    if results.floors:
        head = ["depth", "weights, MB", "cache, MB", "at least, ms", "took, ms", "share"]
        lines += [
            "",
            "## Roofline",
            "",
            f"What a token must read, over the {results.bandwidth / 1e9:.1f} GB/s of this machine's memory.",
            "",
            "| " + " | ".join(f"{cell:>12}" for cell in head) + " |",
            "|" + "|".join("-" * 13 + ":" for _ in head) + "|",
        ]
        for floor in results.floors:
            cells = [
                f"{floor.depth:,}",
                _number(floor.weights_bytes / 1e6),
                _number(floor.cache_bytes / 1e6),
                _number(1e3 * floor.floor_s),
                _number(1e3 * floor.token_s),
                f"{floor.share:.1%}",
            ]
            lines.append("| " + " | ".join(f"{cell:>12}" for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def interface_part(interface: Interface | None, why_not: str = "") -> str:
    """What the interface costs; `why_not` where it was not measured."""
    lines = ["", "## With the interface attached", ""]
    if interface is None:
        return "\n".join([*lines, f"Not measured: {why_not}."]) + "\n"
    without, attached = statistics.median(interface.without), statistics.median(interface.attached)
    lines += [
        f"{_number(attached)} tokens/s with the interface on a terminal of {COLUMNS}×{ROWS}, all panes, beside "
        f"{_number(without)} without: {attached / without:.2f}.",
        f"Medians of {len(interface.attached)} and {len(interface.without)} answers in one process; "
        f"{interface.bytes_per_s / 1000:.0f} KB/s to the terminal.",
    ]
    return "\n".join(lines) + "\n"


def as_json(results: Results, interface: Interface | None) -> str:
    """The medians, the ratios and every run, in one line."""
    info = results.info
    fields = {
        "model": info.name,
        "layers": info.layers,
        "parameters": info.parameters,
        "bits_per_weight": info.bits_per_weight,
        "device": info.device,
        "dtype": info.dtype,
        "machine": machine(),
        "versions": results.versions,
        "seconds": results.seconds,
        "in_turns": results.in_turns,
        "why_alone": results.why_alone or None,
        "results": [_fields(row) for row in results.rows],
        "left_out": list(results.left_out),
        "bandwidth_bytes_per_s": results.bandwidth,
        "roofline": [
            {
                "depth": floor.depth,
                "weights_bytes_per_token": round(floor.weights_bytes),
                "cache_bytes_per_token": floor.cache_bytes,
                "floor_s": floor.floor_s,
                "token_s": floor.token_s,
                "share": floor.share,
            }
            for floor in results.floors
        ],
        "interface": None
        if interface is None
        else {
            "tokens_per_s": statistics.median(interface.attached),
            "tokens_per_s_without": statistics.median(interface.without),
            "runs": interface.attached,
            "runs_without": interface.without,
            "bytes_per_s": interface.bytes_per_s,
        },
    }
    return visible_json(json.dumps(fields, ensure_ascii=False, allow_nan=False)) + "\n"


def _fields(row: Row) -> dict[str, object]:
    return {
        "name": row.name,
        "unit": row.unit,
        "higher_is_better": row.higher_is_better,
        "depth": row.depth,
        "gptoss": _median(row.ours),
        "mlx_lm": _median(row.theirs),
        "ratio": ratio(row),
        "gptoss_runs": row.ours,
        "mlx_lm_runs": row.theirs,
    }


def machine() -> str:
    """What this was measured on, in a few words."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _cells(*cells: str) -> str:
    padded = (
        f"{cell:{'<' if at < 2 else '>'}{size}}" for at, (cell, size) in enumerate(zip(cells, _WIDTHS, strict=True))
    )
    return "| " + " | ".join(padded) + " |"


def _number(value: float) -> str:
    return f"{value:,.{max(0, 2 - int(math.log10(value)))}f}" if value >= 1 else f"{value:.3f}"
