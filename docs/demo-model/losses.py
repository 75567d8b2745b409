"""What the trained weights predict: held-out loss before and after quantisation, baselines, expert use; in PyTorch.

`losses.py --store store.xz --tokenizer FOLDER --weights RUN --logits out.npz`. Also writes the logits of 1,000 held-out
tokens, with which `evaluate.py` compares the exported checkpoint. Runs on a CPU in minutes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # PyTorch's own name for it
import weights
from compose import HIGH, Composer, Document
from geometry import Geometry
from network import GptOss
from numpy.typing import NDArray
from quantise import quantised
from store import Store
from torch import Tensor

WEIGHTS_OF_ORDERS = (0.04, 0.26, 0.70)
"""How the trigram baseline mixes unigram, bigram and trigram counts."""


class NGrams:
    """Interpolated counts of one, two and three tokens."""

    def __init__(self, documents: list[Document], vocabulary: int) -> None:
        self._v = vocabulary
        ids = np.concatenate([np.concatenate(([0, 0], d.ids.astype(np.int64))) for d in documents])
        self._one = np.bincount(ids, minlength=vocabulary) + 0.1
        self._tables = [np.unique(self._keys(ids, order), return_counts=True) for order in (2, 3)]
        self._contexts = [np.unique(self._keys(ids[:-1], order), return_counts=True) for order in (1, 2)]

    def _keys(self, ids: NDArray[np.int64], order: int) -> NDArray[np.int64]:
        keys = np.zeros(len(ids) - order + 1, dtype=np.int64)
        for i in range(order):
            keys = keys * self._v + ids[i : len(ids) - order + 1 + i]
        return keys

    @staticmethod
    def _count(table: tuple[NDArray[np.int64], NDArray[np.int64]], keys: NDArray[np.int64]) -> NDArray[np.float64]:
        at = np.searchsorted(table[0], keys).clip(max=len(table[0]) - 1)
        return np.where(table[0][at] == keys, table[1][at], 0).astype(np.float64)

    def losses(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of each id after the first two: by the unigram, by the trigram; nats."""
        target = ids[2:]
        unigram = self._one[target] / self._one.sum()
        mixed = WEIGHTS_OF_ORDERS[0] * unigram
        rest = np.zeros(len(target))
        for order, share in ((2, WEIGHTS_OF_ORDERS[1]), (3, WEIGHTS_OF_ORDERS[2])):
            seen = self._count(self._contexts[order - 2], self._keys(ids[3 - order : -1], order - 1))
            hits = self._count(self._tables[order - 2], self._keys(ids[3 - order :], order))
            known = seen > 0
            mixed += np.where(known, share * hits / np.where(known, seen, 1), 0)
            rest += np.where(known, 0, share)
        return -np.log(unigram), -np.log(mixed + rest * unigram)


def answer_mask(document: Document, store: Store) -> NDArray[np.bool_]:
    """Which ids are the last answer's content: what follows the last final header, less the stop token."""
    header = store.segment(store.frames.final)
    ids = document.ids
    start = max(i for i in range(len(ids) - len(header)) if np.array_equal(ids[i : i + len(header)], header))
    mask = np.zeros(len(ids), dtype=np.bool_)
    mask[start + len(header) : -1] = True
    return mask


@torch.no_grad()
def token_losses(model: GptOss, documents: list[Document]) -> list[NDArray[np.float32]]:
    """For each document the loss of its ids from the second on, nats."""
    found: dict[int, NDArray[np.float32]] = {}
    order = sorted(range(len(documents)), key=lambda i: len(documents[i].ids))
    for first in range(0, len(order), 8):
        group = order[first : first + 8]
        longest = max(len(documents[i].ids) for i in group)
        ids, numbers = torch.zeros(len(group), longest, dtype=torch.long), torch.full((len(group), longest), -1)
        for row, i in enumerate(group):
            size = len(documents[i].ids)
            ids[row, :size] = torch.from_numpy(documents[i].ids.astype(np.int64))
            numbers[row, :size] = 0
        logits = model(ids, numbers)[0]
        losses = F.cross_entropy(logits[:, :-1].transpose(1, 2), ids[:, 1:], reduction="none")
        for row, i in enumerate(group):
            found[i] = losses[row, : len(documents[i].ids) - 1].numpy()
    return [found[i] for i in range(len(documents))]


@torch.no_grad()
def expert_shares(model: GptOss, documents: list[Document]) -> Tensor:
    """(layers, experts): each expert's share of the router's choices over the documents, one after another."""
    total, tokens = torch.zeros(model.geometry.layers, model.geometry.experts), 0
    for document in documents:
        ids = torch.from_numpy(document.ids.astype(np.int64))[None]
        total += model(ids, torch.zeros_like(ids))[2] * ids.shape[1]
        tokens += ids.shape[1]
    return total / tokens


@torch.no_grad()
def keep_logits(model: GptOss, documents: list[Document], tokens: int, path: Path) -> None:
    """Writes ids and logits of whole documents until there are `tokens` of them."""
    ids_of, logits_of, count = [], [], 0
    for document in documents:
        ids = torch.from_numpy(document.ids.astype(np.int64))[None]
        ids_of.append(document.ids.astype(np.int64))
        logits_of.append(model(ids, torch.zeros_like(ids))[0][0].numpy())
        count += len(document.ids)
        if count >= tokens:
            break
    np.savez(path, lengths=[len(i) for i in ids_of], ids=np.concatenate(ids_of), logits=np.concatenate(logits_of))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--logits", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=400)
    options = parser.parse_args()
    store = Store.load(options.store)
    tensors, about = weights.load(options.weights)
    geometry = Geometry(**about["geometry"])  # type: ignore[arg-type]  # JSON, as train.py wrote it
    model = GptOss(geometry, positions=2048)
    model.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in tensors.items()}, strict=False)
    vocabulary = json.loads((options.tokenizer / "tokenizer.json").read_text())["model"]["vocab"]
    size_of = np.zeros(geometry.vocabulary, dtype=np.int64)
    for token, number in vocabulary.items():
        size_of[number] = len(token)

    composer = Composer(store, 7)
    # At high effort the analysis drafts the answer, which then is easy to predict: left out.
    held = np.flatnonzero(store.sampled_held & (store.sampled_effort < HIGH))[: options.documents]
    sets = {
        "sampled, held out": [composer.held_sampled(int(i)) for i in held],
        "written, wording held out": [composer.held_written(c) for c in store.written if c.held_out >= 0][
            : options.documents
        ],
    }
    keep_logits(model, sets["sampled, held out"][:3] + sets["written, wording held out"], 1000, options.logits)
    ngrams = NGrams([composer.document(0.7) for _ in range(60_000)], geometry.vocabulary)
    for name, documents in sets.items():
        masks = [answer_mask(d, store) for d in documents]
        picked = np.concatenate([mask[1:] for mask in masks])
        plain = np.concatenate(token_losses(model, documents))[picked]
        with quantised(model):
            stored = np.concatenate(token_losses(model, documents))[picked]
        baselines = [ngrams.losses(np.concatenate(([0], d.ids.astype(np.int64)))) for d in documents]
        unigram, trigram = (np.concatenate([b[i] for b in baselines])[picked] for i in (0, 1))
        per_byte = 1 / (
            np.log(2) * np.concatenate([size_of[d.ids[m]] for d, m in zip(documents, masks, strict=True)]).mean()
        )
        print(f"{name}: {len(documents)} answers, {len(plain)} tokens")
        for kind, losses in (("float", plain), ("4-bit", stored), ("trigram", trigram), ("unigram", unigram)):
            print(f"  {kind:8} {losses.mean():.4f} nats a token, {losses.mean() * per_byte:.3f} bits a byte")
    mixture = sets["sampled, held out"][:100] + sets["written, wording held out"][:100]
    for layer, shares in enumerate(expert_shares(model, mixture)):
        print(f"layer {layer}: " + " ".join(f"{100 * float(share):4.1f}" for share in shares))


if __name__ == "__main__":
    main()
