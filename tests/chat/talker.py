"""A real gpt_oss checkpoint that writes harmony: tiny, made on the spot, and true to a few answers given to it.

Its attention and experts are there and run, but their outputs are zero, so the next token depends on the last one only:
the embedding gives each token of the answers a dimension of its own, and the head holds how often which token followed
it. Greedy it follows the likeliest path; sampled it wanders between the answers.

A wandering one lets a little of attention and experts through, and leans differently towards each token: which of
several likely ones comes next depends, also greedily, on everything before. It often errs in its headers.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import mlx.core as mx

from gptoss_tui.harmony import Harmony
from tests.checkpoints import tiny_checkpoint
from tests.vocabularies import cut_tokenizer_json

THOUGHT_AND_ANSWER = (
    "<|channel|>analysis<|message|>Hm, so<|end|><|start|>assistant<|channel|>final<|message|>Hello there<|return|>"
)
TALK = (THOUGHT_AND_ANSWER, "<|channel|>final<|message|>Oh, yes there<|return|>")
"""What a talker says where nothing else is asked for; with temperature 1 all in between, too."""

RANKS = 4096
HIDDEN = 64
# Logits of tokens that never followed are 0, so these are as good as impossible.
_CERTAIN = 40.0
# Of a wandering talker: the share of attention's and the experts' outputs, and how much its leanings differ.
_LET_THROUGH = 0.02
_LEANING = 0.3


def talking_checkpoint(
    folder: Path, answers: Sequence[str] = TALK, *, context: int = 131072, wandering: bool = False, window: int = 128
) -> Path:
    """Writes a checkpoint with a tokenizer.json into `folder` and returns it.

    `answers` continue `<|start|>assistant`, formatting tokens spelled out; they may hold 64 different tokens.
    """
    cut_tokenizer_json(folder, RANKS)
    harmony = Harmony.load(folder)
    tiny_checkpoint(
        folder,
        affine=None,
        dtype=mx.float32,
        shards=1,
        hidden_size=HIDDEN,
        vocab_size=harmony.vocabulary.size,
        max_position_embeddings=context,
        sliding_window=window,
    )
    file = next(folder.glob("*.safetensors"))
    tensors = mx.load(str(file))
    assert isinstance(tensors, dict)
    for name in tensors:
        if re.search(r"(o_proj|down_proj)\.(weight|bias)$", name):
            tensors[name] = tensors[name] * (_LET_THROUGH if wandering else 0)
    tensors["model.norm.weight"] = mx.ones(HIDDEN)
    tensors["model.embed_tokens.weight"], tensors["lm_head.weight"] = _bigrams(harmony, answers)
    if wandering:
        head = tensors["lm_head.weight"]
        mx.random.seed(0)
        tensors["lm_head.weight"] = (
            head + mx.any(head != 0, axis=1, keepdims=True) * mx.random.normal(head.shape) * _LEANING
        )
    mx.save_safetensors(str(file), tensors, metadata={"format": "mlx"})
    return folder


def spelled_ids(harmony: Harmony, spelled: str) -> list[int]:
    """Text with harmony's formatting tokens spelled out, as ids."""
    special = harmony.vocabulary.special
    ids: list[int] = []
    for part in re.split(r"(<\|\w+\|>)", spelled):
        ids += [special[part]] if part in special else harmony.vocabulary.encode(part)
    return ids


def _bigrams(harmony: Harmony, answers: Sequence[str]) -> tuple[mx.array, mx.array]:
    """Embedding and head, (vocabulary, hidden) each."""
    followers: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for answer in answers:
        ids = spelled_ids(harmony, f"<|start|>assistant{answer}")
        for last, following in pairwise(ids):
            followers[last][following] += 1
    assert len(followers) <= HIDDEN, "more different tokens than dimensions"
    size = harmony.vocabulary.size
    embedding = [[0.0] * HIDDEN for _ in range(size)]
    head = [[0.0] * HIDDEN for _ in range(size)]
    for dimension, (last, counts) in enumerate(followers.items()):
        embedding[last][dimension] = 1.0
        for following, count in counts.items():
            # The final norm makes the one that stands in a row of zeros sqrt(hidden).
            head[following][dimension] = (_CERTAIN + math.log(count)) / math.sqrt(HIDDEN)
    return mx.array(embedding), mx.array(head)
