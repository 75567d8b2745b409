"""`gptoss run --json`: the events of one answer as JSON objects, one a line. The names are a promise to other programs.

Turns values into dictionaries; writes nothing. NaN and infinities, which JSON lacks, are null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gptoss_tui.errors import GptOssError
from gptoss_tui.visible import visible_json

if TYPE_CHECKING:
    from gptoss_tui.chat.events import Token, TurnFinished
    from gptoss_tui.engine.events import LayerState, ModelInfo, PrefillProgress

Fields = dict[str, object]


def line(fields: Fields) -> str:
    """One object as one line, its end included."""
    written = json.dumps(_finite(fields), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return visible_json(written) + "\n"


def model(info: ModelInfo) -> Fields:
    """What answers."""
    return {
        "event": "model",
        "name": info.name,
        "layers": info.layers,
        "attention": list(info.attention),
        "window": info.window,
        "bits_per_weight": info.bits_per_weight,
        "weights_bytes": info.weights_bytes,
    }


def prompt(ids: Sequence[int], reused_tokens: int) -> Fields:
    """What it was asked, as tokens."""
    return {"event": "prompt", "token_ids": list(ids), "reused_tokens": reused_tokens}


def prefill(progress: PrefillProgress) -> Fields:
    """How far the prompt is read."""
    return {"event": "prefill", "done": progress.done, "total": progress.total}


def token(token: Token) -> Fields:
    """One token of the answer."""
    params = token.step.params
    return {
        "event": "token",
        "index": token.step.index,
        "id": token.step.token_id,
        "piece": token.piece,
        "text": "".join(delta.text for delta in token.deltas),
        "channel": next((delta.channel for delta in token.deltas), None),
        "logprob": token.step.logprob,
        "params": {
            "temperature": params.temperature,
            "top_p": params.top_p,
            "top_k": params.top_k,
            "min_p": params.min_p,
            "repetition_penalty": params.repetition_penalty,
        },
    }


def layers(states: Sequence[LayerState]) -> Fields:
    """Every layer's attention and cache."""
    return {
        "event": "layers",
        "layers": [
            {
                "index": state.index,
                "mode": state.mode,
                "window": state.window,
                "tokens": state.tokens,
                "visible": state.visible,
                "used_bytes": state.used_bytes,
                "history_bytes": state.history_bytes,
                "allocated_bytes": state.allocated_bytes,
            }
            for state in states
        ],
    }


def finished(event: TurnFinished) -> Fields:
    """How it ended."""
    done = event.finished
    return {
        "event": "finished",
        "reason": event.reason,
        "text": event.text,
        "prompt_tokens": done.prompt_tokens,
        "reused_tokens": done.reused_tokens,
        "completion_tokens": done.completion_tokens,
        "seed": done.seed,
        "ttft_s": done.ttft_s,
        "prefill_tps": done.prefill_tps,
        "decode_tps": done.decode_tps,
        "peak_bytes": done.peak_bytes,
    }


def error(fault: GptOssError) -> Fields:
    """What went wrong."""
    return {"event": "error", "message": fault.message, "hint": fault.hint}


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return value
