"""Asks a model in training what it has learned, many prompts at once, in PyTorch: answers as ids, and counts of them.

Two kinds of prompts: written questions in the wording that was held out, answered greedily; and twice as many mixed
ones at all efforts at temperature 0.8, for the form. Knows ids only, no text: the figures that are reported come from
`evaluate.py`, through the program's own engine; these here tell within seconds which of two runs is the better one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from compose import MEDIUM, Composer
from network import GptOss
from store import NONE, Store, WrittenConversation

LIMIT = 300
"""Tokens an answer may take."""


@torch.no_grad()
def written_by(
    model: GptOss, prompts: Sequence[np.ndarray], stop: int, device: str, *, temperature: float
) -> list[list[int]]:
    """What the model writes after each prompt, up to `LIMIT` tokens, its stop token included."""
    generator = torch.Generator(device=device).manual_seed(1)
    lengths = torch.tensor([len(p) for p in prompts], device=device)
    ids = torch.zeros(len(prompts), int(lengths.max()) + LIMIT, dtype=torch.long, device=device)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = torch.from_numpy(prompt.astype(np.int64))
    alive = torch.arange(len(prompts), device=device)
    ends = lengths.clone()
    for _ in range(LIMIT):
        widest = int(ends[alive].max())
        rows = ids[alive, :widest]
        inside = torch.arange(widest, device=device)[None] < ends[alive, None]
        documents = torch.where(inside, 0, -1).to(torch.int16)
        logits = model(rows, documents)[0]
        after = logits[torch.arange(len(alive), device=device), ends[alive] - 1].float()
        if temperature > 0:
            chosen = torch.multinomial((after / temperature).softmax(-1), 1, generator=generator)[:, 0]
        else:
            chosen = after.argmax(-1)
        ids[alive, ends[alive]] = chosen
        ends[alive] += 1
        alive = alive[chosen != stop]
        if not len(alive):
            break
    return [ids[row, lengths[row] : ends[row]].tolist() for row in range(len(prompts))]


def split(answer: list[int], store: Store) -> tuple[list[int], list[int]] | None:
    """(analysis, final) of an answer that is strictly well-formed and closed; None for any other."""
    frames = store.frames
    analysis, final, end, assistant, stop = (
        store.segment(number).tolist()
        for number in (frames.analysis, frames.final, frames.end, frames.assistant, frames.stop)
    )
    special = {final[0], final[-1], end[0], assistant[0], stop[0]}
    thought: list[int] = []
    rest = answer
    if rest[: len(analysis)] == analysis and end[0] in rest:
        cut = rest.index(end[0])
        thought, rest = rest[len(analysis) : cut], rest[cut + 1 :]
        if rest[: len(assistant)] != assistant:
            return None
        rest = rest[len(assistant) :]
    if rest[: len(final)] != final or rest[-1:] != stop:
        return None
    said = rest[len(final) : -1]
    return None if special & set(said) or special & set(thought) else (thought, said)


def nearest(answer: list[int], written: list[tuple[set[tuple[int, int]], WrittenConversation]]) -> WrittenConversation:
    """The written conversation whose answer shares most pairs of neighbouring tokens with an answer."""
    pairs = set(pairwise(answer))
    return max(written, key=lambda item: len(item[0] & pairs) / max(len(item[0] | pairs), 1))[1]


def ask(model: GptOss, store: Store, out: Path, device: str, *, limit: int) -> None:
    """Prints the counts and writes prompts and answers, as ids, to `out`."""
    composer = Composer(store, 7)
    stop = int(store.segment(store.frames.stop)[0])
    held = [c for c in store.written if c.held_out != NONE][:limit]
    said = written_by(model, [composer.prompt(MEDIUM, c.held_out) for c in held], stop, device, temperature=0.0)
    written = [(set(pairwise(store.segment(c.turns[0].answer).tolist())), c) for c in store.written]
    right = 0
    for conversation, answer in zip(held, said, strict=True):
        parts = split(answer, store)
        right += parts is not None and nearest(parts[1], written) is conversation
    print(f"held-out wordings: {right} of {len(held)} nearest to their own answer", flush=True)
    kept = {"wordings": [(store.segment(c.held_out).tolist(), a) for c, a in zip(held, said, strict=True)]}
    free = [int(i) for i in np.flatnonzero(store.sampled_held) if np.diff(store.sampled_starts)[i] == 1]
    requests = [c.held_out for c in held] + [int(store.sampled_turns[store.sampled_starts[i], 0]) for i in free]
    requests = requests[: 2 * limit]
    efforts = [number % 3 for number in range(len(requests))]
    said = written_by(
        model,
        [composer.prompt(effort, request) for effort, request in zip(efforts, requests, strict=True)],
        stop,
        device,
        temperature=0.8,
    )
    for effort in range(3):
        written_out = [split(answer, store) for answer, e in zip(said, efforts, strict=True) if e == effort]
        thought = [len(p[0]) for p in written_out if p is not None]
        print(
            f"effort {effort}: {len(thought)} of {len(written_out)} well-formed in {LIMIT} tokens, "
            f"analysis {np.mean(thought or [0]):.1f} tokens",
            flush=True,
        )
    kept["form"] = [(store.segment(r).tolist(), a) for r, a in zip(requests, said, strict=True)]
    out.write_text(json.dumps(kept))
