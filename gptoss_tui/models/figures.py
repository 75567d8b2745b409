"""What a gpt_oss geometry costs: active parameters, and the KV cache's bytes. Arithmetic only; reads no files."""

from __future__ import annotations

from dataclasses import dataclass

from gptoss_tui.engine.config import ModelConfig
from gptoss_tui.engine.memory import HISTORY_BYTES


def active_parameters(config: ModelConfig) -> int:
    """Parameters that take part in one token: all but the experts not chosen and the embedding, of which one row is.

    OpenAI counts the same way: 3.61 thousand million of gpt-oss-20b's 20.91.
    """
    expert = (config.hidden + 1) * 2 * config.intermediate + (config.intermediate + 1) * config.hidden
    idle = config.layers * (config.experts - config.experts_per_token) * expert
    return config.parameters - idle - config.vocabulary * config.hidden


@dataclass(frozen=True, slots=True)
class KVCost:
    """What keys and values take in memory."""

    row_bytes: int
    """One token in one layer."""
    full_layers: int
    sliding_layers: int
    window: int

    @property
    def token_bytes(self) -> int:
        """What each token of context adds for good, and what is read of it at each step: its rows in full layers."""
        return self.row_bytes * self.full_layers

    def full_bytes(self, context: int) -> int:
        """All full layers at this many tokens."""
        return self.token_bytes * context

    def sliding_bytes(self, context: int) -> int:
        """All sliding layers' windows at this many tokens: it stops growing at the window."""
        return self.row_bytes * self.sliding_layers * min(context, self.window)

    def history_bytes(self, context: int) -> int:
        """Rows behind the windows that the engine keeps for rewinding, within its budget."""
        return min(self.row_bytes * self.sliding_layers * max(0, context - self.window), HISTORY_BYTES)

    @property
    def pin_bytes(self) -> int:
        """One pinned position: a copy of the rows before it that its windows need."""
        return self.row_bytes * self.sliding_layers * (self.window - 1)

    def total_bytes(self, context: int) -> int:
        """Everything that the engine keeps at this many tokens, pins aside."""
        return self.full_bytes(context) + self.sliding_bytes(context) + self.history_bytes(context)


def kv_cost(config: ModelConfig, itemsize: int) -> KVCost:
    """The cost with numbers of `itemsize` bytes: 2 on Metal and CUDA, 4 on the CPU."""
    return KVCost(
        row_bytes=2 * config.kv_heads * config.head_dim * itemsize,
        full_layers=config.attention.count("full"),
        sliding_layers=config.attention.count("sliding"),
        window=config.window,
    )
