"""Asks a checkpoint questions through the program's engine and counts: `evaluate.py WHAT --checkpoint FOLDER …`.

WHAT is `exact` (its logits against those that losses.py kept), `wordings` (written questions in the wording that was
held out), `everyday` (questions with a pattern that a right answer matches), `form` (is it well-formed harmony, does it
repeat itself, how long does it think), `probe` (the same two figures from what `train.py --probe` wrote), or `print`
(questions and answers as Markdown). Run it from the repository's root.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import corpus
import mlx.core as mx
import numpy as np
from answers import Answer, answer, read
from numpy.typing import NDArray

from gptoss_tui.engine.cache import KVCache
from gptoss_tui.engine.loading import load_model
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import EFFORTS, Effort, Message


def words(text: str) -> set[tuple[str, str]]:
    """Pairs of neighbouring words."""
    listed = re.findall(r"[a-z0-9]+", text.lower())
    return set(pairwise(listed))


def likeness(one: str, other: str) -> float:
    """Shared pairs of neighbouring words over all of them, 0 to 1."""
    a, b = words(one), words(other)
    return len(a & b) / max(len(a | b), 1)


def exact(options: argparse.Namespace) -> None:
    """Largest difference and top-token agreement between PyTorch, mlx-lm and the engine, same float32 weights."""
    from mlx_lm import load

    mx.set_default_device(mx.cpu)
    kept = np.load(options.logits)
    reference: NDArray[np.float32] = kept["logits"]
    cuts = np.cumsum(kept["lengths"])[:-1]
    documents = np.split(kept["ids"], cuts)
    other, _ = load(str(options.checkpoint))
    model = load_model(options.checkpoint).model
    theirs: list[NDArray[np.float32]] = []
    ours: list[NDArray[np.float32]] = []
    for ids in documents:
        theirs.append(np.array(other(mx.array(ids)[None])[0].astype(mx.float32)))
        cache = KVCache(model.config, history_bytes=2**24, itemsize=model.dtype.size)
        for token in ids:
            logits = model(mx.array([int(token)]), cache)
            mx.eval(logits)
            ours.append(np.array(logits.astype(mx.float32)))
    for name, values in (
        ("mlx-lm, a whole text at once", np.concatenate(theirs)),
        ("this engine, token by token", np.stack(ours)),
    ):
        difference = np.abs(values - reference).max()
        agree = (values.argmax(-1) == reference.argmax(-1)).mean()
        print(
            f"{name}: {len(reference)} tokens, largest difference {difference:.2e}, top token equal {100 * agree:.2f} %"
        )


def wordings(options: argparse.Namespace, engine: Engine, harmony: Harmony) -> None:
    """Answers to written questions in the wording that was held out."""
    written = list(corpus.written([options.corpus, Path(__file__).parent]))
    asked = [c.held_out for c in written if c.held_out][: options.limit]
    count_wordings(options, written, ((q, answer(engine, harmony, [Message.user(q)], params(options))) for q in asked))


def count_wordings(
    options: argparse.Namespace, written: list[corpus.Conversation], answers: Iterable[tuple[str, Answer]]
) -> None:
    """Right: of all written answers the nearest is this question's, or another answer to the same words."""
    every = [(words(c.turns[0].answer), c) for c in written]
    kept_back = {c.held_out: c for c in written if c.held_out}
    right = total = 0
    for question, given in answers:
        conversation = kept_back[question]
        pairs = words(given.final)
        best = max(every, key=lambda item: len(item[0] & pairs) / max(len(item[0] | pairs), 1))[1]
        near = likeness(given.final, conversation.turns[0].answer)
        hit = best is conversation and near >= 0.3
        right, total = right + hit, total + 1
        if not hit or options.verbose:
            print(f"{'right' if hit else 'other'} {near:.2f} {question!r} -> {given.final[:100]!r}", flush=True)
    print(f"held-out wordings: {right} of {total} answered with this question's answer ({100 * right / total:.1f} %)")


def everyday(options: argparse.Namespace, engine: Engine, harmony: Harmony) -> None:
    """Right: the answer matches the question's pattern."""
    items = [json.loads(line) for line in options.questions.read_text().splitlines()]
    right = 0
    for item in items:
        given = answer(engine, harmony, [Message.user(item["prompt"])], params(options))
        hit = re.search(item["expect"], given.final, re.IGNORECASE) is not None
        right += hit
        if options.verbose or not hit:
            print(f"{'match' if hit else 'MISS'}: {item['prompt']}\n    {given.final}\n", flush=True)
    print(f"{options.questions.name}: {right} of {len(items)} match")


def form(options: argparse.Namespace, engine: Engine, harmony: Harmony) -> None:
    """Harmony's form, repetition and length of thought over many prompts and all efforts."""
    written = list(corpus.written([options.corpus, Path(__file__).parent]))
    prompts = [c.held_out for c in written if c.held_out]
    subjects = corpus.Subjects(written)
    source = corpus.sampled([options.corpus / "part-00.jsonl.gz"], subjects)
    held = (item.turns[0][0] for item in source if item.held_out and len(item.turns) == 1)
    while len(prompts) < options.limit:
        prompts.append(next(held))
    random.Random(3).shuffle(prompts)
    asked = [(EFFORTS[number % 3], prompt) for number, prompt in enumerate(prompts[: options.limit])]
    count_form(
        options,
        harmony,
        (
            (
                effort,
                prompt,
                answer(
                    engine,
                    harmony,
                    [Message.user(prompt)],
                    params(options, seed=number),
                    effort=effort,
                    max_tokens=options.max_tokens,
                ),
            )
            for number, (effort, prompt) in enumerate(asked)
        ),
    )


def count_form(options: argparse.Namespace, harmony: Harmony, answers: Iterable[tuple[Effort, str, Answer]]) -> None:
    """Well-formed ones, length of thought, and repetition, of answers to (effort, prompt)."""
    strict: Counter[Effort] = Counter()
    asked: Counter[Effort] = Counter()
    lengths: dict[Effort, list[int]] = {effort: [] for effort in EFFORTS}
    trigrams: Counter[tuple[str, ...]] = Counter()
    longest: Counter[int] = Counter()
    speeds: list[float] = []
    for effort, prompt, given in answers:
        asked[effort] += 1
        strict[effort] += given.strict
        lengths[effort].append(len(harmony.vocabulary.encode(given.analysis)))
        listed = re.findall(r"[a-z0-9']+", given.final.lower())
        trigrams.update(zip(listed, listed[1:], listed[2:], strict=False))
        longest[repeated_span(listed)] += 1
        speeds.append(given.decode_tps)
        if not given.strict:
            written = "".join(map(harmony.piece, given.ids))
            print(f"not well-formed: {effort} {prompt!r} -> {written[-200:]!r}", flush=True)
    print(
        f"strictly well-formed and ended with <|return|> within {options.max_tokens} tokens: "
        f"{strict.total()} of {asked.total()}; " + ", ".join(f"{e} {strict[e]} of {asked[e]}" for e in EFFORTS)
    )
    print(
        "analysis tokens: "
        + ", ".join(f"{e} mean {np.mean(n):.1f}, median {np.median(n):.0f}" for e, n in lengths.items())
    )
    print(f"distinct-3 over all answers {len(trigrams) / trigrams.total():.3f}")
    spans = sorted(longest.elements())
    print(
        f"longest repeated span, words: median {np.median(spans):.0f}, "
        f"99th percentile {np.percentile(spans, 99):.0f}, most {spans[-1]}"
    )
    if max(speeds):
        print(f"median {np.median(speeds):.0f} tokens/s")


def probed(options: argparse.Namespace) -> None:
    """The figures of `wordings` and `form` from what `train.py --probe` let the model answer in PyTorch."""
    harmony = Harmony.load(options.checkpoint)

    def text(ids: list[int]) -> str:
        return "".join(map(harmony.piece, ids))

    kept = json.loads(options.answers.read_text())
    written = list(corpus.written([options.corpus, Path(__file__).parent]))
    count_wordings(options, written, ((text(q), read(harmony, tuple(ids))) for q, ids in kept["wordings"]))
    count_form(
        options,
        harmony,
        ((EFFORTS[n % 3], text(q), read(harmony, tuple(ids))) for n, (q, ids) in enumerate(kept["form"])),
    )


def repeated_span(listed: list[str]) -> int:
    """Words of the longest stretch that occurs twice in one answer without overlap."""
    for size in range(len(listed) // 2, 0, -1):
        seen: dict[tuple[str, ...], int] = {}
        for at in range(len(listed) - size + 1):
            span = tuple(listed[at : at + size])
            if seen.setdefault(span, at) <= at - size:
                return size
    return 0


def printed(options: argparse.Namespace, engine: Engine, harmony: Harmony) -> None:
    """The prompts of a file, one a line, with what was thought and answered; nothing chosen, nothing changed."""
    for prompt in options.questions.read_text().splitlines():
        given: Answer = answer(engine, harmony, [Message.user(prompt)], params(options))
        body = "\n".join(f"> {line}".rstrip() for line in given.final.split("\n"))
        print(f"**{prompt}**  \n*{given.analysis}*\n\n{body}\n", flush=True)


def params(options: argparse.Namespace, seed: int = 1) -> SamplingParams:
    """Sampling as asked on the command line."""
    return SamplingParams(temperature=options.temperature, top_p=options.top_p, seed=seed)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("exact", "wordings", "everyday", "form", "probe", "print"))
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, help="folder with written-*.jsonl and part-*.jsonl.gz")
    parser.add_argument("--questions", type=Path, help="everyday: JSON lines; print: one prompt a line")
    parser.add_argument("--logits", type=Path, help="exact: what losses.py wrote")
    parser.add_argument("--answers", type=Path, help="probe: the probe.json of a run")
    parser.add_argument("--temperature", type=float, default=0.4)
    parser.add_argument("--top-p", type=float, default=0.9)
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--max-tokens", type=int, default=300, help="form: the limit of an answer")
    parser.add_argument("--verbose", action="store_true", help="print right answers too")
    options = parser.parse_args()
    if options.what == "exact":
        exact(options)
        return
    if options.what == "probe":
        probed(options)
        return
    harmony = Harmony.load(options.checkpoint)
    with Engine.load(options.checkpoint) as engine:
        {"wordings": wordings, "everyday": everyday, "form": form, "print": printed}[options.what](
            options, engine, harmony
        )


if __name__ == "__main__":
    main()
