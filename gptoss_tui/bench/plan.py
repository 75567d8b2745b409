"""How much is measured, what the jobs are, and what comes out of one: values only."""

from __future__ import annotations

import random
from dataclasses import dataclass

from gptoss_tui.engine.events import ModelInfo
from gptoss_tui.engine.params import SamplingParams

GREEDY = SamplingParams(temperature=0)
TOP_P = SamplingParams(top_p=0.95)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured, and for how long."""

    seconds: float = 480.0
    """The engines are measured for about this long, loading included: what has begun by then ends at its next token or
    chunk."""
    interface_s: float = 120.0
    """The most that measuring the interface takes, loading included."""
    rounds: int = 5
    """Runs of each measurement, after one to warm up; where there is no time for another, that one counts."""
    decode_tokens: int = 64
    """Tokens of each decode that is measured."""
    prompts: tuple[int, ...] = (128, 2048, 8192)
    """Lengths of prefill, as far as the model's context allows; behind all but the first a decode follows."""
    sampler_rounds: int = 15
    interface_rounds: int = 3
    """Answers with the interface attached, and as many without."""


QUICK = Plan(
    seconds=60.0,
    interface_s=30.0,
    rounds=3,
    decode_tokens=32,
    prompts=(128, 512),
    sampler_rounds=5,
    interface_rounds=2,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, every run of it."""

    name: str
    unit: str
    higher_is_better: bool
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    """Empty where there is nothing of that side: time ran out, or it has no such thing."""
    depth: int | None = None
    """Tokens in the cache before what was measured, of a decode."""


@dataclass(frozen=True, slots=True)
class Job:
    """A prompt and what is to be written after it."""

    ids: tuple[int, ...]
    params: SamplingParams
    tokens: int
    prefill: str
    """The name under which its prefill is told; empty: it is not."""
    decode: str
    """The same of its decode."""

    @property
    def name(self) -> str:
        """For people."""
        return self.decode or self.prefill

    @property
    def depth(self) -> int:
        """Tokens of context behind which its decode is told: none where the prompt is but the first token."""
        return len(self.ids) if self.prefill else 0


def jobs(info: ModelInfo, plan: Plan) -> list[Job]:
    """What both sides do, the same every time; what the tokens mean does not matter for how long they take."""
    ids = tuple(random.Random(0).randrange(info.vocabulary_size) for _ in range(max(plan.prompts)))
    tokens = min(plan.decode_tokens, info.context - 1)
    made = [
        Job(ids[:1], GREEDY, tokens, "", "decode, greedy, depth 0"),
        Job(ids[:1], TOP_P, tokens, "", "decode, top-p 0.95, depth 0"),
    ]
    for at, length in enumerate(plan.prompts):
        if length < info.context:
            decoded = min(plan.decode_tokens, info.context - length) if at else 1
            decode = f"decode, greedy, depth {length:,}" if decoded > 1 else ""
            made.append(Job(ids[:length], GREEDY, decoded, f"prefill, {length:,} tokens", decode))
    return made
