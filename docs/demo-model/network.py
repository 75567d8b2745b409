"""gpt_oss in PyTorch, for training: the function that the checkpoint computes in MLX, under the same parameter names.

Follows OpenAI's reference (`gpt_oss/torch/model.py`), with YaRN's correction range rounded (`truncate: true`) as mlx-lm
has it. All experts are computed densely and weighted by a router that is zero for those not chosen: at these sizes two
large matrix products do it, and every shape is static. Knows no data and no optimiser.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812  # PyTorch's own name for it
from geometry import SWIGLU_ALPHA, SWIGLU_LIMIT, Geometry
from torch import Tensor, nn
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention


def rotation_tables(geometry: Geometry, positions: int) -> tuple[Tensor, Tensor]:
    """(positions, head_dim / 2) cosines and sines of YaRN, its concentration multiplied in, float32."""
    half = geometry.head_dim // 2
    period = geometry.rope_theta ** (torch.arange(0, geometry.head_dim, 2, dtype=torch.float64) / geometry.head_dim)

    def dimension(rotations: float) -> float:
        return half * math.log(geometry.yarn_original / (rotations * 2 * math.pi)) / math.log(geometry.rope_theta)

    low, high = math.floor(dimension(geometry.yarn_beta_fast)), math.ceil(dimension(geometry.yarn_beta_slow))
    ramp = ((torch.arange(half, dtype=torch.float64) - low) / (high - low)).clamp(0, 1)
    frequency = (1 - ramp) / period + ramp / (period * geometry.yarn_factor)
    angle = torch.arange(positions, dtype=torch.float64)[:, None] * frequency
    concentration = 0.1 * math.log(geometry.yarn_factor) + 1
    return (angle.cos() * concentration).float(), (angle.sin() * concentration).float()


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def _linear(x: Tensor, layer: nn.Linear) -> Tensor:
    bias = None if layer.bias is None else layer.bias.to(x.dtype)
    return F.linear(x, layer.weight.to(x.dtype), bias)


class Attention(nn.Module):
    """Grouped-query attention with a learned sink a head, over the last `window` tokens or over all."""

    def __init__(self, geometry: Geometry, *, sliding: bool) -> None:
        super().__init__()
        self.geometry, self.sliding = geometry, sliding
        queries, keys = geometry.heads * geometry.head_dim, geometry.kv_heads * geometry.head_dim
        self.q_proj = nn.Linear(geometry.hidden, queries)
        self.k_proj = nn.Linear(geometry.hidden, keys)
        self.v_proj = nn.Linear(geometry.hidden, keys)
        self.o_proj = nn.Linear(queries, geometry.hidden)
        self.sinks = nn.Parameter(torch.zeros(geometry.heads))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, allowed: Tensor | BlockMask) -> Tensor:
        """x: (batch, tokens, hidden); allowed: (batch, 1, tokens, tokens) bool, or the same as a block mask."""
        batch, tokens, _ = x.shape
        dim, groups = self.geometry.head_dim, self.geometry.heads // self.geometry.kv_heads
        q = _rotate(_linear(x, self.q_proj).view(batch, tokens, -1, dim).transpose(1, 2), cos, sin)
        k = _rotate(_linear(x, self.k_proj).view(batch, tokens, -1, dim).transpose(1, 2), cos, sin)
        v = _linear(x, self.v_proj).view(batch, tokens, -1, dim).transpose(1, 2)
        if isinstance(allowed, BlockMask):
            mixed, mass = flex_attention(q, k, v, block_mask=allowed, scale=dim**-0.5, enable_gqa=True, return_lse=True)
            # The kernel knows no sink. One more column of the softmax scales every weight by the same share.
            share = torch.sigmoid(mass.float() - self.sinks.float().view(1, -1, 1))
            mixed = (mixed.float() * share[..., None]).to(x.dtype)
            return _linear(mixed.transpose(1, 2).reshape(batch, tokens, -1), self.o_proj)
        k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
        scores = (q @ k.transpose(-1, -2)).float() * dim**-0.5
        scores = scores.masked_fill(~allowed, -1e30)
        # A sink is one more column of the softmax with no value: it only takes mass away.
        sink = self.sinks.float().view(1, -1, 1, 1)
        top = torch.maximum(scores.amax(dim=-1, keepdim=True), sink).detach()
        mass = torch.exp(scores - top)
        weights = (mass / (mass.sum(dim=-1, keepdim=True) + torch.exp(sink - top))).to(x.dtype)
        return _linear((weights @ v).transpose(1, 2).reshape(batch, tokens, -1), self.o_proj)


class Experts(nn.Module):
    """The stacked weights of all experts: (experts, out, in), with biases (experts, out)."""

    def __init__(self, experts: int, outputs: int, inputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(experts, outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(experts, outputs))


class Mixture(nn.Module):
    """Top-k of the experts by the router's logits, weighted by a softmax over the chosen."""

    def __init__(self, geometry: Geometry) -> None:
        super().__init__()
        self.geometry = geometry
        self.router = nn.Linear(geometry.hidden, geometry.experts)
        self.experts = nn.ModuleDict(
            {
                "gate_proj": Experts(geometry.experts, geometry.intermediate, geometry.hidden),
                "up_proj": Experts(geometry.experts, geometry.intermediate, geometry.hidden),
                "down_proj": Experts(geometry.experts, geometry.hidden, geometry.intermediate),
            }
        )

    def forward(self, x: Tensor, counted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x: (tokens, hidden) -> the same; the balancing loss, 1 where balanced; each expert's share of the choices."""
        count, chosen = self.geometry.experts, self.geometry.experts_per_token
        logits = F.linear(x.float(), self.router.weight.float(), self.router.bias.float())
        values, indices = logits.topk(chosen, dim=-1)
        gates = torch.zeros_like(logits).scatter(-1, indices, values.softmax(dim=-1))
        weight = counted.float()[:, None]
        total = weight.sum().clamp(min=1)
        share = ((gates > 0).float() * weight).sum(0) / (total * chosen)
        balance = count * (share.detach() * ((logits.softmax(dim=-1) * weight).sum(0) / total)).sum()
        gates = gates.to(x.dtype)
        gate = self._all(x, "gate_proj").clamp(max=SWIGLU_LIMIT)
        up = self._all(x, "up_proj").clamp(-SWIGLU_LIMIT, SWIGLU_LIMIT)
        inner = gate * torch.sigmoid(SWIGLU_ALPHA * gate) * (up + 1)
        inner = inner.view(-1, count, self.geometry.intermediate) * gates[:, :, None]
        down = self.experts["down_proj"]
        assert isinstance(down, Experts)
        matrix = down.weight.to(x.dtype).transpose(1, 2).reshape(count * self.geometry.intermediate, -1)
        return inner.flatten(1) @ matrix + gates @ down.bias.to(x.dtype), balance, share

    def _all(self, x: Tensor, name: str) -> Tensor:
        """Every expert's projection side by side: (tokens, experts * intermediate)."""
        experts = self.experts[name]
        assert isinstance(experts, Experts)
        return F.linear(x, experts.weight.to(x.dtype).flatten(0, 1), experts.bias.to(x.dtype).flatten())


class Norm(nn.Module):
    """RMSNorm in float32."""

    def __init__(self, size: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., size), float32 in and out."""
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.epsilon) * self.weight


class Block(nn.Module):
    """One layer: attention, then experts, each after a norm and added to the residual stream."""

    def __init__(self, geometry: Geometry, *, sliding: bool) -> None:
        super().__init__()
        self.input_layernorm = Norm(geometry.hidden, geometry.epsilon)
        self.self_attn = Attention(geometry, sliding=sliding)
        self.post_attention_layernorm = Norm(geometry.hidden, geometry.epsilon)
        self.mlp = Mixture(geometry)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, allowed: Tensor | BlockMask, counted: Tensor, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x: (batch, tokens, hidden) float32; the products run in `dtype`."""
        x = x + self.self_attn(self.input_layernorm(x).to(dtype), cos, sin, allowed).float()
        flat = self.post_attention_layernorm(x).to(dtype).flatten(0, 1)
        out, balance, share = self.mlp(flat, counted.flatten())
        return x + out.float().view_as(x), balance, share


class Trunk(nn.Module):
    """Everything but the output head."""

    def __init__(self, geometry: Geometry) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(geometry.vocabulary, geometry.hidden)
        self.layers = nn.ModuleList(Block(geometry, sliding=i % 2 == 0) for i in range(geometry.layers))
        self.norm = Norm(geometry.hidden, geometry.epsilon)


class GptOss(nn.Module):
    """The model. Its parameter names are those of the checkpoint."""

    cos: Tensor
    sin: Tensor

    def __init__(self, geometry: Geometry, *, positions: int, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.geometry, self.dtype = geometry, dtype
        self.blocked = False
        """Attention by blocks of the mask (FlexAttention, compiled, on a GPU) instead of whole matrices."""
        self.model = Trunk(geometry)
        self.lm_head = nn.Linear(geometry.hidden, geometry.vocabulary, bias=False)
        cos, sin = rotation_tables(geometry, positions)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        depth = (2 * self.geometry.layers) ** -0.5
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                continue
            scale = parameter.shape[-1] ** -0.5
            if "embed_tokens" in name:
                scale = 0.5
            elif "o_proj" in name or "down_proj" in name:
                scale *= depth
            elif "lm_head" in name or "router" in name:
                scale *= 0.2
            if not name.endswith("bias"):
                nn.init.normal_(parameter, std=scale)
            else:
                nn.init.zeros_(parameter)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 1 and name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, ids: Tensor, documents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of what follows each token.

        ids, documents: (batch, tokens); a token sees only its own document; a document number below zero is padding.
        Returns logits (batch, tokens, vocabulary), the mean balancing loss and the experts' shares (layers, experts).
        """
        tokens = ids.shape[1]
        cos, sin = self.cos[:tokens], self.sin[:tokens]
        full, near = self._masks(documents)
        counted = documents >= 0
        x = self.model.embed_tokens(ids).float()
        balances, shares = [], []
        for block in self.model.layers:
            assert isinstance(block, Block)
            allowed = near if block.self_attn.sliding else full
            x, balance, share = block(x, cos, sin, allowed, counted, self.dtype)
            balances.append(balance)
            shares.append(share)
        x = self.model.norm(x).to(self.dtype)
        return _linear(x, self.lm_head), torch.stack(balances).mean(), torch.stack(shares)

    def _masks(self, documents: Tensor) -> tuple[Tensor | BlockMask, Tensor | BlockMask]:
        """What a token may look at: all that came before it in its document, and the last `window` tokens of that."""
        batch, tokens = documents.shape
        window = self.geometry.window
        if not self.blocked:
            place = torch.arange(tokens, device=documents.device)
            distance = place[:, None] - place[None, :]
            full = ((distance >= 0) & (documents[:, :, None] == documents[:, None, :]))[:, None]
            return full, full & (distance < window)

        def before(b: Tensor, _: Tensor, q: Tensor, k: Tensor) -> Tensor:
            return (q >= k) & (documents[b, q] == documents[b, k])

        def lately(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
            return before(b, h, q, k) & (q - k < window)

        device = str(documents.device)
        return (
            create_block_mask(before, batch, None, tokens, tokens, device=device),
            create_block_mask(lately, batch, None, tokens, tokens, device=device),
        )
