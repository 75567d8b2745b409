"""The demo model's shape, and how each of its parameters is stored. Knows neither PyTorch nor MLX."""

from __future__ import annotations

from dataclasses import asdict, dataclass

GROUP = 64
BITS = 4
ROUTER_BITS = 8
SWIGLU_ALPHA = 1.702
SWIGLU_LIMIT = 7.0


@dataclass(frozen=True, slots=True)
class Geometry:
    """What config.json says; the defaults are the shipped model's."""

    layers: int = 8
    hidden: int = 320
    intermediate: int = 320
    experts: int = 12
    experts_per_token: int = 2
    heads: int = 6
    kv_heads: int = 2
    head_dim: int = 64
    vocabulary: int = 8192
    window: int = 128
    rope_theta: float = 150000.0
    yarn_factor: float = 32.0
    yarn_original: int = 4096
    yarn_beta_fast: float = 32.0
    yarn_beta_slow: float = 1.0
    epsilon: float = 1e-5

    def as_config(self, *, positions: int) -> dict[str, object]:
        """The fields of config.json; `positions` is the context that the program offers."""
        kinds = ["sliding_attention" if i % 2 == 0 else "full_attention" for i in range(self.layers)]
        return {
            "architectures": ["GptOssForCausalLM"],
            "model_type": "gpt_oss",
            "hidden_size": self.hidden,
            "intermediate_size": self.intermediate,
            "num_hidden_layers": self.layers,
            "layer_types": kinds,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "attention_bias": True,
            "attention_dropout": 0.0,
            "sliding_window": self.window,
            "num_local_experts": self.experts,
            "num_experts_per_tok": self.experts_per_token,
            "experts_per_token": self.experts_per_token,
            "router_aux_loss_coef": 0.01,
            "output_router_logits": False,
            "hidden_act": "silu",
            "swiglu_limit": SWIGLU_LIMIT,
            "rms_norm_eps": self.epsilon,
            "rope_theta": int(self.rope_theta),
            "rope_scaling": {
                "rope_type": "yarn",
                "factor": self.yarn_factor,
                "beta_fast": self.yarn_beta_fast,
                "beta_slow": self.yarn_beta_slow,
                "original_max_position_embeddings": self.yarn_original,
                "truncate": True,
            },
            "initial_context_length": self.yarn_original,
            "max_position_embeddings": positions,
            "vocab_size": self.vocabulary,
            "tie_word_embeddings": False,
            "initializer_range": 0.02,
            "use_cache": True,
            "torch_dtype": "bfloat16",
        }

    def as_dict(self) -> dict[str, float]:
        """The fields, for a checkpoint in progress."""
        return asdict(self)


def bits_of(name: str, dimensions: int) -> int | None:
    """Bits of a parameter in the checkpoint; None for those that are not quantised."""
    if not name.endswith("weight") or dimensions < 2:
        return None
    return ROUTER_BITS if ".router." in name else BITS
