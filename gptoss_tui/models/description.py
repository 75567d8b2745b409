"""An inspection as one JSON object: what `gptoss inspect --json` prints. Bytes are bytes, bits are bits; the names are
a promise to other programs."""

from __future__ import annotations

from collections.abc import Iterable

from gptoss_tui.models.card import CONTEXTS
from gptoss_tui.models.fit import Fit
from gptoss_tui.models.inspection import Inspection

Fields = dict[str, object]

_STATED = ("hidden_act", "initializer_range", "router_aux_loss_coef", "attention_dropout")


def describe(found: Inspection, fits: Iterable[Fit]) -> Fields:
    """Every figure of the checkpoint, and how it fits each machine; null where the files do not say."""
    config, ids, cost = found.config, found.ids, found.kv
    rope = config.rope
    return {
        "name": found.name,
        "folder": str(found.folder),
        "model_type": found.raw["model_type"],
        "architectures": found.raw.get("architectures"),
        "parameters": config.parameters,
        "active_parameters": found.active_parameters,
        "dtype": found.dtype,
        "geometry": {
            "layers": config.layers,
            "hidden": config.hidden,
            "intermediate": config.intermediate,
            "heads": config.heads,
            "kv_heads": config.kv_heads,
            "head_dim": config.head_dim,
            "experts": config.experts,
            "experts_per_token": config.experts_per_token,
            "swiglu_limit": config.swiglu_limit,
            "norm_eps": config.norm_eps,
            "attention": list(config.attention),
            "window": config.window,
            "context": config.context,
            **{name: found.raw.get(name) for name in _STATED},
        },
        "rope": {
            "theta": rope.theta,
            "factor": rope.factor,
            "beta_fast": rope.beta_fast,
            "beta_slow": rope.beta_slow,
            "original_context": rope.original,
            "truncate": rope.truncate,
        },
        "vocabulary": {
            "size": config.vocabulary,
            "eos": list(ids.eos),
            "pad": ids.pad,
            "special": dict(ids.named),
        },
        "quantisation": {
            "bits_per_weight": found.bits_per_weight,
            "layout": found.storage.layout,
            "groups": [
                {
                    "group": part.group,
                    "format": part.format,
                    "tensors": part.count,
                    "parameters": part.parameters,
                    "bytes": part.nbytes,
                    "bits_per_weight": part.bits_per_weight,
                }
                for part in found.summaries()
            ],
        },
        "files": {
            "weights_bytes": found.weights_bytes,
            "shards": [{"name": name, "bytes": size} for name, size in found.shards],
            "beside": list(found.files),
        },
        "bytes_per_token": {name: round(size) for name, size in found.bytes_per_token.items()},
        "kv_cache": {
            "bytes_per_token": cost.token_bytes,
            "row_bytes": cost.row_bytes,
            "pin_bytes": cost.pin_bytes,
            "contexts": [
                {
                    "tokens": context,
                    "full_bytes": cost.full_bytes(context),
                    "sliding_bytes": cost.sliding_bytes(context),
                    "history_bytes": cost.history_bytes(context),
                }
                for context in CONTEXTS
                if context <= config.context
            ],
        },
        "fit": [fit_fields(fit) for fit in fits],
        "problems": list(found.problems),
        "notes": list(found.notes),
    }


def fit_fields(fit: Fit) -> Fields:
    """One fit."""
    return {
        "device": fit.machine.device,
        "memory_bytes": fit.machine.physical,
        "working_set_bytes": fit.machine.working_set,
        "verdict": fit.verdict,
        "context": fit.context,
        "need_bytes": fit.need_bytes,
        "weights_bytes": fit.weights_bytes,
        "kv_bytes": fit.kv_bytes,
        "prefill_bytes": fit.prefill_bytes,
        "comfortable_context": fit.comfortable_context,
        "largest_context": fit.largest_context,
        "command": fit.command or None,
    }
