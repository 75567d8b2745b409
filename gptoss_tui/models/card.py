"""An inspection as a model card: sections of labelled figures for people, and one JSON object for programs.

Labels are those of the cards that people publish with a checkpoint, so that the two can be read side by side. What a
config does not say is shown as not stated, never assumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby, pairwise
from textwrap import wrap

from gptoss_tui.models.fit import Fit
from gptoss_tui.models.inspection import Inspection

Section = tuple[str, list[tuple[str, str]]]
"""A heading and its (label, figure) rows."""

CONTEXTS = (4096, 32_768, 131_072)
"""Tokens for which the KV cache is reckoned."""

_GIB = 2**30
_WIDTH = 120
_NOT_STATED = "not stated"


def amount(nbytes: float) -> str:
    """Bytes for people, in the units of disks and in those of memory: `11.77 GB (10.96 GiB)`."""
    for unit, size in (("G", 3), ("M", 2), ("K", 1)):
        if nbytes >= 1000**size:
            return f"{nbytes / 1000**size:,.2f} {unit}B ({nbytes / 1024**size:,.2f} {unit}iB)"
    return f"{nbytes:,.0f} bytes"


def _short(nbytes: int) -> str:
    return amount(nbytes).partition(" (")[0]


def sections(found: Inspection, fits: Iterable[Fit]) -> list[Section]:
    """Every figure of the checkpoint, and how it fits each machine."""
    return [
        ("Model", _model(found)),
        ("Mixture of experts", _experts(found)),
        ("Attention", _attention(found)),
        ("RoPE", _rope(found)),
        ("Vocabulary", _vocabulary(found)),
        ("Quantisation", _quantisation(found)),
        ("Files", _files(found)),
        ("Per token", _reading(found)),
        ("KV cache", _cache(found)),
        *(_fit(fit) for fit in fits),
        ("Checks", _checks(found)),
    ]


def lines(parts: Iterable[Section]) -> str:
    """The sections as text, labels in one column."""
    parts = list(parts)
    width = max(len(label) for _, rows in parts for label, _ in rows) + 2
    indent = " " * (width + 2)

    def row(label: str, figure: str) -> str:
        return "\n".join(wrap(f"  {label:{width}}{figure}", _WIDTH, subsequent_indent=indent, break_long_words=False))

    return "\n".join(f"{heading}\n" + "".join(f"{row(*pair)}\n" for pair in rows) for heading, rows in parts)


def _model(found: Inspection) -> list[tuple[str, str]]:
    config, raw = found.config, found.raw
    kinds = raw.get("architectures")
    return [
        ("Model type", str(raw["model_type"])),
        ("Architecture", ", ".join(map(str, kinds)) if isinstance(kinds, list) else _NOT_STATED),
        ("Parameters", f"{config.parameters:,} ({config.parameters / 1e9:.2f} billion)"),
        ("Active per token", f"{found.active_parameters:,} ({found.active_parameters / 1e9:.2f} billion)"),
        ("Layers", f"{config.layers:,}"),
        ("Hidden size", f"{config.hidden:,}"),
        ("Intermediate size", f"{config.intermediate:,}"),
        ("Hidden activation", _said(found, "hidden_act")),
        ("RMSNorm epsilon", f"{config.norm_eps:g}"),
        ("Initializer range", _said(found, "initializer_range")),
        ("Numbers outside quantised matrices", found.dtype),
    ]


def _experts(found: Inspection) -> list[tuple[str, str]]:
    config = found.config
    return [
        ("Experts", f"{config.experts:,}"),
        ("Experts per token", f"{config.experts_per_token:,}"),
        ("Router auxiliary loss coefficient", _said(found, "router_aux_loss_coef")),
        ("SwiGLU limit", f"{config.swiglu_limit:g}"),
    ]


def _attention(found: Inspection) -> list[tuple[str, str]]:
    config = found.config
    biased = any(name.endswith("q_proj.bias") for name in found.tensors)
    return [
        ("Attention heads", f"{config.heads:,}"),
        ("KV heads", f"{config.kv_heads:,}"),
        ("Head dimension", f"{config.head_dim:,}"),
        ("Pattern", _pattern(config.attention)),
        ("Sliding layers", _indices(config.attention, "sliding")),
        ("Full layers", _indices(config.attention, "full")),
        ("Sliding window", f"{config.window:,} tokens"),
        ("Positions", f"{config.context:,} tokens"),
        ("Bias", "yes" if biased else "no"),
        ("Sinks", "yes" if any(name.endswith(".sinks") for name in found.tensors) else "no"),
        ("Dropout", _said(found, "attention_dropout")),
    ]


def _rope(found: Inspection) -> list[tuple[str, str]]:
    rope = found.config.rope
    rows = [("Theta", f"{rope.theta:,g}" if rope.theta >= 1e6 else f"{rope.theta:,.0f}")]
    if rope.factor == 1:
        return [*rows, ("Scaling", "none")]
    return [
        *rows,
        ("Scaling", "YaRN"),
        ("Factor", f"{rope.factor:g}"),
        ("Beta fast, slow", f"{rope.beta_fast:g}, {rope.beta_slow:g}"),
        ("Initial context", f"{rope.original:,} tokens"),
        ("Ramp", "rounded to whole frequencies" if rope.truncate else "not rounded (truncate: false)"),
    ]


def _vocabulary(found: Inspection) -> list[tuple[str, str]]:
    ids = found.ids
    harmony = [
        f"{name} {i}" for name, i in sorted(ids.named.items(), key=lambda item: item[1]) if "reserved" not in name
    ]
    return [
        ("Vocabulary", f"{found.config.vocabulary:,}"),
        ("End of answer (eos)", ", ".join(map(str, ids.eos)) or _NOT_STATED),
        ("Padding (pad)", _NOT_STATED if ids.pad is None else str(ids.pad)),
        ("Special tokens", ", ".join(harmony) or _NOT_STATED),
    ]


def _quantisation(found: Inspection) -> list[tuple[str, str]]:
    rows = [("Bits per weight", f"{found.bits_per_weight:.3f}"), ("Layout", found.storage.layout)]
    return rows + [
        (
            "Norms, biases, sinks" if part.group == "norms" else part.group.capitalize(),
            f"{part.format:24} {part.bits_per_weight:6.3f} bits {part.parameters:>15,} in {part.count:,}",
        )
        for part in found.summaries()
    ]


def _files(found: Inspection) -> list[tuple[str, str]]:
    shards = [(name, amount(size)) for name, size in found.shards[:8]]
    if len(found.shards) > 8:
        shards.append((f"and {len(found.shards) - 8} more", amount(sum(size for _, size in found.shards[8:]))))
    return [
        ("Weights", f"{amount(found.weights_bytes)} in {len(found.shards)} files, {len(found.tensors):,} tensors"),
        *shards,
        ("Beside them", ", ".join(found.files)),
    ]


def _reading(found: Inspection) -> list[tuple[str, str]]:
    read = found.bytes_per_token
    total = sum(read.values())
    rows = [("Weights read", amount(total))]
    rows += [(f"  {name}", amount(size)) for name, size in read.items()]
    return [*rows, ("Cache read", f"{found.kv.token_bytes:,} bytes × tokens of context, in full layers")]


def _cache(found: Inspection) -> list[tuple[str, str]]:
    cost = found.kv
    rows = [
        ("Each token, for good", f"{cost.token_bytes:,} bytes in {cost.full_layers} full layers"),
        (
            "Each token of the window",
            f"{cost.row_bytes * cost.sliding_layers:,} bytes in {cost.sliding_layers} sliding layers",
        ),
        ("All windows, full (ring)", amount(cost.sliding_bytes(cost.window))),
        ("Each pinned position", amount(cost.pin_bytes)),
    ]
    return rows + [
        (
            f"At {context:,} tokens",
            f"full {amount(cost.full_bytes(context))}, windows {_short(cost.sliding_bytes(context))}, "
            f"rewind history {_short(cost.history_bytes(context))}",
        )
        for context in CONTEXTS
        if context <= found.config.context
    ]


def _fit(fit: Fit) -> Section:
    machine = fit.machine
    memory = f"{machine.physical / _GIB:.1f} GiB"
    if machine.working_set is not None:
        memory += f", of which Metal keeps {machine.working_set / _GIB:.1f} GiB resident"
    rows = [
        ("Verdict", {"fits": "fits", "tight": "tight: it may write slowly", "no": "does not fit"}[fit.verdict]),
        ("Needs", f"{fit.need_bytes / _GIB:.2f} GiB at {fit.context:,} tokens"),
        ("  weights", f"{fit.weights_bytes / _GIB:.2f} GiB"),
        ("  KV cache and history", f"{fit.kv_bytes / _GIB:.2f} GiB"),
        ("  prefill, at its peak", f"{fit.prefill_bytes / _GIB:.2f} GiB (estimate)"),
        ("Memory", memory),
        ("Largest context at full speed", _tokens(fit.comfortable_context)),
        ("Largest context at all", _tokens(fit.largest_context)),
    ]
    if fit.command:
        rows.append(("To give Metal the room", f"{fit.command} (until the next restart)"))
    return (f"Fit ({machine.device}, {machine.physical / _GIB:.0f} GiB)", rows)


def _checks(found: Inspection) -> list[tuple[str, str]]:
    rows = [("problem", text) for text in found.problems] + [("note", text) for text in found.notes]
    return rows or [("ok", "files whole, index and shapes as the config says, special tokens present")]


def _said(found: Inspection, name: str) -> str:
    value = found.raw.get(name)
    return _NOT_STATED if value is None else str(value)


def _tokens(count: int) -> str:
    return f"{count:,} tokens" if count else "none"


def _pattern(attention: tuple[str, ...]) -> str:
    runs = [(mode, len(list(run))) for mode, run in groupby(attention)]
    if len(runs) > 2 and all(length == 1 for _, length in runs):
        return f"alternating, {attention[0]} first"
    return ", ".join(f"{length} {mode}" for mode, length in runs[:6]) + (" …" if len(runs) > 6 else "")


def _indices(attention: tuple[str, ...], mode: str) -> str:
    at = [index for index, kind in enumerate(attention) if kind == mode]
    step = {b - a for a, b in pairwise(at)}
    if len(at) > 4 and step == {2}:
        return f"{len(at)}: {at[0]}, {at[1]}, {at[2]} … {at[-1]}"
    return f"{len(at)}: " + ", ".join(map(str, at)) if at else "0"
