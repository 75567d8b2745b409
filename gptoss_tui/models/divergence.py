"""How far a converted checkpoint is from its source: the Kullback-Leibler divergence of their predictions on one text.

The two are loaded one after the other, so that memory need hold only the larger. Runs MLX on the calling thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mlx.core as mx
import numpy as np
import numpy.typing as npt

from gptoss_tui.engine.cache import KVCache
from gptoss_tui.engine.loading import load_model
from gptoss_tui.errors import VocabularyError
from gptoss_tui.harmony.vocabulary import load_vocabulary

TEXT = (
    "The library opened at nine. A boy asked for a book about rivers, and the librarian wrote the shelf number on a "
    "slip of paper. Outside it rained. def area(radius): return 3.14159 * radius ** 2. At sea level water boils at "
    "100 °C."
)
"""Prose, a line of code and a fact: long enough to tell 8 bits from 4, short enough for a person to wait for."""

TOKENS = 64


@dataclass(frozen=True, slots=True)
class Divergence:
    """Of the second checkpoint from the first."""

    mean: float
    """Nats per token, averaged."""
    largest: float
    """Nats, at the worst token."""
    agreement: float
    """Share of tokens at which both find the same one likeliest."""
    tokens: int


def divergence(source: Path, converted: Path, on_progress: Callable[[int, int], None] | None = None) -> Divergence:
    """Compares the two on `TEXT`. `on_progress(done, total)` counts tokens. Raises what loading raises."""
    ids = _ids(source)
    tell = on_progress or (lambda done, total: None)
    p = _predictions(source, ids, lambda done: tell(done, 2 * len(ids)))
    q = _predictions(converted, ids, lambda done: tell(len(ids) + done, 2 * len(ids)))
    nats = np.maximum(np.sum(np.exp(p) * (p - q), axis=-1), 0.0)
    same = np.mean(p.argmax(axis=-1) == q.argmax(axis=-1))
    return Divergence(float(nats.mean()), float(nats.max()), float(same), len(ids))


def _ids(folder: Path) -> list[int]:
    try:
        return load_vocabulary(folder).encode(TEXT)[:TOKENS]
    except VocabularyError:  # any ids tell two sets of weights apart
        return [37 * i % 251 for i in range(TOKENS)]


def _predictions(folder: Path, ids: list[int], on_token: Callable[[int], None]) -> npt.NDArray[np.float64]:
    """Log-probabilities of what follows each token, (tokens, vocabulary)."""
    model = load_model(folder).model
    cache = KVCache(model.config, 0, model.dtype.size)
    rows = []
    for done, token in enumerate(ids, start=1):
        logits = model(mx.array([token]), cache).astype(mx.float32)
        rows.append(np.array(logits, dtype=np.float32))
        on_token(done)
    del model, cache
    mx.clear_cache()
    logits64 = np.stack(rows).astype(np.float64)
    logits64 -= logits64.max(axis=-1, keepdims=True)
    scale: npt.NDArray[np.float64] = np.log(np.exp(logits64).sum(axis=-1, keepdims=True))
    return np.asarray(logits64 - scale)
