"""Plays the two engines against each other, in turns, and collects what they did. Prints nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import mlx.core as mx

from gptoss_tui import __version__
from gptoss_tui.bench.samplers import compare_samplers
from gptoss_tui.bench.sides import MlxLm, Ours, Side, Timing
from gptoss_tui.engine.events import ModelInfo
from gptoss_tui.engine.memory import physical_memory
from gptoss_tui.engine.params import SamplingParams

GREEDY = SamplingParams(temperature=0)
TOP_P = SamplingParams(top_p=0.95)
SAMPLERS = {"top-p 0.9": SamplingParams(top_p=0.9), "top-k 40": SamplingParams(top_k=40)}

_LONG_S = 20.0
"""A turn of this many seconds is long."""
_MEMORY_SHARE = 0.6
"""Share of memory that two copies of the model may take; beyond it they are loaded one after the other."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int = 5
    """Runs of each measurement, after one to warm up; where that one takes long, it counts too."""
    seconds: float = 60.0
    """After this long no further run of a measurement is begun."""
    longest_s: float = 120.0
    """A prefill that is expected to take either side longer than this is left out."""
    decode_prompt: int = 128
    """Tokens of prompt before the decode that is measured."""
    decode_tokens: int = 128
    prompts: tuple[int, ...] = (128, 2048, 8192)
    """Lengths of prefill, as far as the model's context allows."""
    sampler_rounds: int = 15


QUICK = Plan(rounds=3, seconds=10.0, longest_s=30.0, decode_tokens=32, prompts=(128, 512), sampler_rounds=5)


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, every run of it."""

    name: str
    unit: str
    higher_is_better: bool
    ours: tuple[float, ...]
    theirs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """All of it, with what it was measured on."""

    info: ModelInfo
    versions: dict[str, str]
    in_turns: bool
    """False where the two models did not fit side by side: then one was measured after the other."""
    rows: tuple[Row, ...]
    left_out: tuple[str, ...]
    """Measurements that would have taken too long."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A prompt and what is to be written after it."""

    name: str
    ids: tuple[int, ...]
    params: SamplingParams
    tokens: int


Runs = dict[str, list[Timing]]


def measure(folder: Path, plan: Plan, on_progress: Callable[[str], None]) -> Results:
    """Measures the checkpoint in `folder`. Raises what loading raises; `GptOssError` where mlx-lm cannot load it."""
    on_progress("Loading the model")
    ours = Ours(folder)
    info = ours.info
    jobs = _jobs(info, plan)
    both = _fit_side_by_side(info)
    mine: Runs = {}
    others: Runs = {}
    with ExitStack() as open_sides:
        open_sides.callback(ours.close)
        if not both:
            _play(jobs, plan, [(ours, mine)], on_progress)
            open_sides.close()
        on_progress("Loading the model with mlx-lm")
        theirs = MlxLm(folder)
        open_sides.callback(theirs.close)
        _play(jobs, plan, [(ours, mine), (theirs, others)] if both else [(theirs, others)], on_progress)
    done = [job for job in jobs if job.name in mine and job.name in others]
    rows = _rows(done, mine, others) + _sampler_rows(info.vocabulary_size, plan, on_progress)
    versions = {"gptoss": __version__, "mlx": version("mlx"), "mlx-lm": version("mlx-lm")}
    return Results(info, versions, both, rows, tuple(job.name for job in jobs if job not in done))


def _jobs(info: ModelInfo, plan: Plan) -> list[_Job]:
    # The same for both sides and every time; what the tokens mean does not matter for how long they take.
    ids = tuple(random.Random(0).randrange(info.vocabulary_size) for _ in range(max(plan.prompts)))
    asked = ids[: min(plan.decode_prompt, info.context // 2)]
    tokens = min(plan.decode_tokens, info.context - len(asked))
    return [
        _Job("decode, greedy", asked, GREEDY, tokens),
        _Job("decode, top-p 0.95", asked, TOP_P, tokens),
        *(
            _Job(f"prefill, {length:,} tokens", ids[:length], GREEDY, 1)
            for length in plan.prompts
            if length < info.context
        ),
    ]


def _fit_side_by_side(info: ModelInfo) -> bool:
    # Ours may be float32 on the CPU, and theirs has scales of four bytes there.
    widest = max(info.weights_bytes, 4 * info.parameters if info.device == "CPU" else 0)
    return info.weights_bytes + widest <= _MEMORY_SHARE * physical_memory()


def _play(
    jobs: Sequence[_Job], plan: Plan, sides: Sequence[tuple[Side, Runs]], on_progress: Callable[[str], None]
) -> None:
    """Has every side do every job, in turns, `plan.rounds` times or as often as there is time for."""
    pace = 0.0  # seconds that the slower side has taken for each token of the last prompt
    for job in jobs:
        if job.tokens == 1 and pace * len(job.ids) > plan.longest_s:
            continue
        begun, done, warm = time.monotonic(), 0, False
        while done < plan.rounds and (done == 0 or time.monotonic() - begun < plan.seconds):
            on_progress(f"{job.name}: {f'run {done + 1} of {plan.rounds}' if warm else 'warming up'}")
            timings = [side.answer(job.ids, job.params, job.tokens) for side, _ in sides]
            pace = max(timing.first_s for timing in timings) / len(job.ids)
            if warm or sum(timing.first_s + timing.rest_s for timing in timings) > _LONG_S:
                done += 1
                for timing, (_, runs) in zip(timings, sides, strict=True):
                    runs.setdefault(job.name, []).append(timing)
            warm = True


def _rows(jobs: Sequence[_Job], ours: Runs, theirs: Runs) -> tuple[Row, ...]:
    rows = []
    for job in jobs:
        sides = (ours[job.name], theirs[job.name])
        if job.tokens > 1:
            speeds = [tuple((run.tokens - 1) / run.rest_s for run in side) for side in sides]
        else:
            speeds = [tuple(len(job.ids) / run.first_s for run in side) for side in sides]
        rows.append(Row(job.name, "tokens/s", True, *speeds))
    longest = max(jobs, key=lambda job: len(job.ids))
    peaks = [tuple(run.peak_bytes / 2**20 for run in side[longest.name]) for side in (ours, theirs)]
    rows.append(Row(f"peak memory, {len(longest.ids):,} tokens", "MiB", False, *peaks))
    return tuple(rows)


def _sampler_rows(vocabulary: int, plan: Plan, on_progress: Callable[[str], None]) -> tuple[Row, ...]:
    rows = []
    logits = mx.random.normal((vocabulary,), key=mx.random.key(0)) * 3
    for name, params in SAMPLERS.items():
        on_progress(f"sampler, {name}")
        times = compare_samplers(logits, params, plan.sampler_rounds)
        sides = [tuple(1e3 * seconds for seconds in side) for side in (times.ours, times.theirs)]
        rows.append(Row(f"sampler, {name}", "ms", False, *sides))
    return tuple(rows)
