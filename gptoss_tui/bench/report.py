"""What the bench measured, as a table for people and as one JSON object for programs. Prints nothing."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics

from gptoss_tui.bench.measure import Results, Row


def table(results: Results) -> str:
    """The medians, side by side."""
    info = results.info
    lines = [
        f"{info.name} · {info.layers} layers · {info.bits_per_weight:.2f} bits per weight · {info.device}",
        " · ".join(f"{name} {number}" for name, number in results.versions.items()) + f" · {machine()}",
        "",
        f"{'':28}{'':10}{'gptoss':>11}{'mlx-lm':>11}{'ratio':>8}",
    ]
    for row in results.rows:
        ours, theirs = (_number(statistics.median(side)) for side in (row.ours, row.theirs))
        lines.append(f"{row.name:28}{row.unit:10}{ours:>11}{theirs:>11}{ratio(row):8.2f}")
    order = "taken in turns" if results.in_turns else "one engine after the other, as both do not fit into memory"
    runs = min(len(row.ours) for row in results.rows)
    lines += ["", f"Medians of {runs} or more runs, {order}. For tokens/s a ratio above 1 is better, else one below 1."]
    if results.left_out:
        lines.append(f"Left out, since they would take minutes each: {'; '.join(results.left_out)}.")
    return "\n".join(lines) + "\n"


def as_json(results: Results) -> str:
    """The medians, the ratios and every run, in one line."""
    info = results.info
    rows = [
        {
            "name": row.name,
            "unit": row.unit,
            "higher_is_better": row.higher_is_better,
            "gptoss": statistics.median(row.ours),
            "mlx_lm": statistics.median(row.theirs),
            "ratio": ratio(row),
            "gptoss_runs": row.ours,
            "mlx_lm_runs": row.theirs,
        }
        for row in results.rows
    ]
    fields = {
        "model": info.name,
        "layers": info.layers,
        "parameters": info.parameters,
        "bits_per_weight": info.bits_per_weight,
        "device": info.device,
        "dtype": info.dtype,
        "machine": machine(),
        "versions": results.versions,
        "in_turns": results.in_turns,
        "results": rows,
        "left_out": list(results.left_out),
    }
    return json.dumps(fields, ensure_ascii=False, allow_nan=False) + "\n"


def ratio(row: Row) -> float:
    """Our median to mlx-lm's."""
    return statistics.median(row.ours) / statistics.median(row.theirs)


def machine() -> str:
    """What this was measured on, in a few words."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def _number(value: float) -> str:
    return f"{value:,.{max(0, 2 - int(math.log10(value)))}f}" if value >= 1 else f"{value:.3f}"
