"""mlx-lm's gpt_oss model, able to read the experts as Transformers publishes them.

mlx-lm 0.32 knows OpenAI's packed experts and its own files; of Transformers' plain `gate_up_proj` (experts, in, out) it
slices the wrong axis and drops the `.weight`. This module puts such experts into mlx-lm's own layout first. Imports
mlx-lm, and with it transformers: only for converting.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
from mlx_lm.models import gpt_oss


class Model(gpt_oss.Model):  # type: ignore[misc] # mlx-lm has no types
    """mlx-lm's, with one more layout."""

    def sanitize(self, weights: dict[str, mx.array]) -> dict[str, Any]:
        """The weights under mlx-lm's names and in its layout, from any published one."""
        plain = {name: value for name, value in weights.items() if name.endswith(("gate_up_proj", "down_proj"))}
        if not plain:
            sanitized: dict[str, Any] = super().sanitize(weights)
            return sanitized
        inputs = {"gate_up_proj": self.args.hidden_size, "down_proj": self.args.intermediate_size}
        rows = {"gate_up_proj": 2 * self.args.intermediate_size, "down_proj": self.args.hidden_size}
        arranged: dict[str, Any] = {}
        for name, value in weights.items():
            at, _, kind = name.rpartition(".")
            if name in plain:
                # Square ones are ambiguous; Transformers' own order is (experts, in, out).
                if value.shape[1:] == (inputs[kind], rows[kind]):
                    value = value.swapaxes(1, 2)
                if kind == "gate_up_proj":  # rows of gate and up take turns
                    arranged[f"{at}.gate_proj.weight"] = mx.contiguous(value[:, ::2])
                    arranged[f"{at}.up_proj.weight"] = mx.contiguous(value[:, 1::2])
                else:
                    arranged[f"{name}.weight"] = mx.contiguous(value)
            elif kind == "gate_up_proj_bias":
                arranged[f"{at}.gate_proj.bias"] = mx.contiguous(value[:, ::2])
                arranged[f"{at}.up_proj.bias"] = mx.contiguous(value[:, 1::2])
            elif kind == "down_proj_bias":
                arranged[f"{at}.down_proj.bias"] = value
            else:
                arranged[name] = value
        return arranged


def model_classes(config: dict[str, Any]) -> tuple[type[Model], type[Any]]:
    """What mlx-lm's `load_model` asks for: the model's class and that of its arguments."""
    return Model, gpt_oss.ModelArgs
