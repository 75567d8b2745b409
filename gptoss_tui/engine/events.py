"""The values that cross threads: what the model thread tells about loading, prefill, decode and its caches.

Plain frozen dataclasses of numbers and strings. No mlx here: an array that left the model thread would be a hazard, and
a front end must be importable without a device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gptoss_tui.engine.params import SamplingParams

Reason = Literal["stop", "length", "context", "interrupted"]
AttentionMode = Literal["sliding", "full"]


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """One step of loading a checkpoint."""

    done_bytes: int
    """Bytes of weights on the device so far."""
    total_bytes: int
    """Bytes of weights in the checkpoint's files."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What was loaded, as read from the files."""

    name: str
    """The folder's name, or the repository's in a hub cache."""
    attention: tuple[AttentionMode, ...]
    """The mode of each layer, first layer first."""
    window: int
    """Tokens that a sliding layer sees, the current one included."""
    context: int
    """Positions that the model was made for: the longest prompt and answer together."""
    vocabulary_size: int
    experts: int
    """Experts in each layer."""
    experts_per_token: int
    parameters: int
    """Weights of the model, quantisation scales not counted."""
    weights_bytes: int
    """Bytes of the weights in the files."""
    bits_per_weight: float
    """8 * weights_bytes / parameters."""
    device: str
    """`Metal`, `CUDA` or `CPU`."""
    dtype: str
    """The floating-point type that is computed in, such as `bfloat16`."""
    warning: str = ""
    """One line that a person should see (memory is tight, …); empty where all is well."""

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.attention)


@dataclass(frozen=True, slots=True)
class PrefillProgress:
    """Prompt tokens read so far. Not sent where nothing was left to prefill."""

    done: int
    """Prompt tokens whose keys and values are cached, reused ones included."""
    total: int
    """Prompt tokens in all."""
    reused: int
    """Prompt tokens that were in the cache before."""
    elapsed_s: float
    """Seconds since the prefill began."""


@dataclass(frozen=True, slots=True)
class Step:
    """One token, chosen."""

    index: int
    """0 for the first token of the answer."""
    token_id: int
    logprob: float
    """Natural log of the token's probability in the model's own distribution, before any sampling filter."""
    params: SamplingParams
    """What chose this token; its seed is the one in use, never None."""
    elapsed_s: float
    """Seconds since the generation was asked for."""
    alternatives: tuple[tuple[int, float], ...] = ()
    """(token id, logprob) of the likeliest tokens, likeliest first, where top_logprobs asked for them."""
    experts: tuple[tuple[int, ...], ...] = ()
    """For each layer the experts that the router chose while it read the token before this one, strongest first, where
    the router tap is on."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of every generation."""

    reason: Reason
    """stop: a stop token. length: max_tokens. context: no position is left. interrupted: `stop()` was called."""
    stop_id: int | None
    """The stop token that ended it; it was sent as a `Step` too."""
    prompt_tokens: int
    reused_tokens: int
    """Prompt tokens that were in the cache and needed no prefill."""
    completion_tokens: int
    """Steps sent, the stop token included."""
    seed: int
    ttft_s: float
    """Seconds from the call to the first token; NaN without one."""
    prefill_tps: float
    """Prompt tokens read a second; NaN where nothing was prefilled."""
    decode_tps: float
    """Tokens a second after the first; NaN with fewer than two."""
    peak_bytes: int
    """The device's peak memory since the generation began."""


@dataclass(frozen=True, slots=True)
class LayerState:
    """One layer's attention and cache, counted on the host: nothing is read back from the device."""

    index: int
    mode: AttentionMode
    window: int | None
    """None for a full layer."""
    tokens: int
    """Tokens of the context that this layer has read."""
    visible: int
    """Tokens that the last one read attends to, itself included: all in a full layer, at most `window` in a sliding
    one."""
    used_bytes: int
    """Keys and values that attention needs now."""
    history_bytes: int
    """Older rows of a sliding layer kept for rewinding, pinned copies included."""
    allocated_bytes: int
    """The arrays' own size."""


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """What the engine keeps beyond what attention needs, so that going back or elsewhere costs no reading."""

    history_bytes: int
    """Older rows of sliding layers on the line that is held now."""
    pinned_bytes: int
    """Copies of the rows before pinned positions, kept where history does not reach."""
    parked_bytes: int
    """Branches of the recent past."""
    parked_branches: int
    """How many of them there are."""
    budget_bytes: int
    """What the three may take together."""


@dataclass(frozen=True, slots=True)
class StateFile:
    """A prompt state that was written to disk."""

    tokens: int
    """Tokens of the conversation whose rows it holds."""
    bytes: int
    """The file's size."""
    seconds: float
    """What writing it took."""


Event = PrefillProgress | Step | Finished
