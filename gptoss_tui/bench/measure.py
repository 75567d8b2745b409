"""Plays the two engines against each other, in turns, and tells each figure as soon as it has it. Prints nothing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import mlx.core as mx

from gptoss_tui import __version__
from gptoss_tui.bench.bandwidth import memory_bandwidth
from gptoss_tui.bench.plan import Job, Plan, Row, jobs
from gptoss_tui.bench.roofline import Floor, floors
from gptoss_tui.bench.samplers import compare_samplers
from gptoss_tui.bench.sides import MlxLm, Ours, Side, Timing
from gptoss_tui.engine.events import ModelInfo
from gptoss_tui.engine.memory import physical_memory
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import GptOssError
from gptoss_tui.models.fit import Machine, this_machine
from gptoss_tui.models.inspection import Inspection, inspect

SAMPLERS = {"top-p 0.9": SamplingParams(top_p=0.9), "top-k 40": SamplingParams(top_k=40)}

_MEMORY_SHARE = 0.6
"""Share of the device's memory that two copies of the model may take; beyond it they are loaded one after the other."""
_TOGETHER = 4
"""Tokens of a prompt that take hardly longer than one, at the least."""
_CAUTION, _GROWTH = 1.5, 0.35
_TOKENS_ENOUGH = 4
"""Tokens of a decode from which its speed is worth telling."""


class Listener:
    """What is told while it is measured; all of these do nothing unless overridden."""

    def progress(self, text: str) -> None:
        """What is being done now."""

    def begin(self, info: ModelInfo, versions: dict[str, str]) -> None:
        """The model is there."""

    def row(self, row: Row) -> None:
        """One figure, of both sides where both have it."""

    def early(self, row: Row) -> None:
        """One figure of ours alone, where mlx-lm's come later."""


@dataclass(frozen=True, slots=True)
class Results:
    """All of it, with what it was measured on."""

    info: ModelInfo
    versions: dict[str, str]
    in_turns: bool
    """False where the two models did not fit side by side: then one was measured after the other."""
    rows: tuple[Row, ...]
    why_alone: str
    """Why there is nothing of mlx-lm; empty where there is."""
    left_out: tuple[str, ...]
    """Measurements for which there was no time."""
    bandwidth: float
    """Bytes a second that the device's memory moves."""
    floors: tuple[Floor, ...]
    """How near each decode comes to that."""
    seconds: float
    """How long measuring took."""


Runs = dict[Job, list[Timing]]


def measure(folder: Path, plan: Plan, listener: Listener | None = None) -> Results:
    """Measures the checkpoint in `folder`, alone where mlx-lm cannot load it. Raises what loading raises."""
    return _Measuring(folder, plan, listener or Listener()).all()


class _Measuring:
    """One run of the bench."""

    def __init__(self, folder: Path, plan: Plan, listener: Listener) -> None:
        self._folder, self._plan, self._tell = folder, plan, listener
        self._began = time.monotonic()
        self._end = self._began + plan.seconds
        self._rows: list[Row] = []
        self._read: dict[int, tuple[int, float]] = {}
        """By the side's place: tokens of the last prompt that it read, and the seconds that each took."""

    def all(self) -> Results:
        found, machine = inspect(self._folder), this_machine()
        warm = self._read_files(found)
        self._tell.progress("Loading the model")
        ours = Ours(self._folder)
        info, versions = ours.info, _versions()
        self._tell.begin(info, versions)
        work = jobs(info, self._plan)
        both = _fit_side_by_side(info, machine)
        mine: Runs = {}
        others: Runs = {}
        with ExitStack() as open_sides:
            open_sides.callback(ours.close)
            bandwidth = self._measure_bandwidth()
            if not both:
                self._play(work, [(ours, mine)], halves=2)
                open_sides.close()
            theirs, why_alone = self._load_theirs()
            if theirs is not None:
                open_sides.callback(theirs.close)
            name = "load, files read before" if warm else "load"
            self._put(Row(name, "s", False, (ours.load_s,), (theirs.load_s,) if theirs is not None else ()))
            sides: list[tuple[Side, Runs]] = [(ours, mine)] if both else []
            if theirs is not None:
                sides.append((theirs, others))
            self._play(work, sides, before=mine, after=others)
        self._put_peak(work, mine, others)
        if not why_alone:
            self._samplers(info)
        measured = {row.name for row in self._rows}
        names = [name for job in work for name in (job.prefill, job.decode) if name]
        return Results(
            info=info,
            versions=versions,
            in_turns=both,
            rows=tuple(self._rows),
            why_alone=why_alone,
            left_out=tuple(name for name in names if name not in measured),
            bandwidth=bandwidth,
            floors=floors(self._rows, found, machine, bandwidth),
            seconds=time.monotonic() - self._began,
        )

    def _put(self, row: Row) -> None:
        self._rows.append(row)
        self._tell.row(row)

    def _read_files(self, found: Inspection) -> bool:
        """Reads the weights once where memory keeps them, so that neither side's loading waits for the disk."""
        if found.weights_bytes > physical_memory() // 2:
            return False
        self._tell.progress("Reading the files")
        buffer = bytearray(2**24)
        for name, _ in found.shards:
            with (self._folder / name).open("rb", buffering=0) as file:
                while file.readinto(buffer):
                    if time.monotonic() > self._end:
                        return False
        return True

    def _load_theirs(self) -> tuple[MlxLm | None, str]:
        """mlx-lm with the model, or None and why not."""
        self._tell.progress("Loading the model with mlx-lm")
        try:
            return MlxLm(self._folder), ""
        except GptOssError as fault:
            return None, fault.message

    def _measure_bandwidth(self) -> float:
        self._tell.progress("Measuring the memory's speed")
        rate = memory_bandwidth()
        self._put(Row("memory, read and written", "GB/s", True, (rate / 1e9,), ()))
        return rate

    def _play(
        self,
        work: Sequence[Job],
        sides: Sequence[tuple[Side, Runs]],
        *,
        halves: int = 1,
        before: Runs | None = None,
        after: Runs | None = None,
    ) -> None:
        """Has every side do every job, in turns, as often as the plan says or as there is time for.

        `halves`: how many such calls share what time is left. The last one is given what both sides did, in this call
        or before: with it a figure is complete.
        """
        end = time.monotonic() + (self._end - time.monotonic()) / halves
        for at, job in enumerate(work):
            # What one job does not need is there for those after it.
            until = time.monotonic() + (end - time.monotonic()) / (len(work) - at)
            if sides:
                self._do(job, sides, until)
            if before is None or after is None:
                for row in _rows(job, sides[0][1].get(job, []), []):
                    self._tell.early(row)
            else:
                for row in _rows(job, before.get(job, []), after.get(job, [])):
                    self._put(row)

    def _do(self, job: Job, sides: Sequence[tuple[Side, Runs]], until: float) -> None:
        """Has every side do one job again and again, the first time to warm up."""
        took = 0.0
        if mx.default_device() == mx.Device(mx.cpu):
            # On a GPU the first run of a shape compiles kernels: what was says nothing about what comes.
            took = sum(
                expected_s(len(job.ids), *self._read[place]) for place in range(len(sides)) if place in self._read
            )
        for run in range(self._plan.rounds + 1):
            began = time.monotonic()
            if began + took > until:
                break
            self._tell.progress(f"{job.name}: {f'run {run} of {self._plan.rounds}' if run else 'warming up'}")
            timings: list[Timing | None] = []
            for place, (side, _) in enumerate(sides):
                # A slow side must not leave the other one without time.
                share = time.monotonic() + (until - time.monotonic()) / (len(sides) - place)
                timings.append(side.answer(job.ids, job.params, job.tokens, share))
            took = time.monotonic() - began
            only = time.monotonic() + took > until
            for place, (timing, (_, runs)) in enumerate(zip(timings, sides, strict=True)):
                if timing is not None:
                    self._read[place] = (len(job.ids), timing.first_s / max(len(job.ids), _TOGETHER))
                    if run or only:
                        runs.setdefault(job, []).append(timing)

    def _put_peak(self, work: Sequence[Job], ours: Runs, theirs: Runs) -> None:
        done = [job for job in work if job.prefill and job in ours and (job in theirs or not theirs)]
        if done:
            longest = max(done, key=lambda job: len(job.ids))
            mine, others = (tuple(run.peak_bytes / 2**20 for run in side.get(longest, [])) for side in (ours, theirs))
            self._put(Row(f"peak memory, {len(longest.ids):,} tokens", "MiB", False, mine, others))

    def _samplers(self, info: ModelInfo) -> None:
        logits = mx.random.normal((info.vocabulary_size,), key=mx.random.key(0)) * 3
        for name, params in SAMPLERS.items():
            self._tell.progress(f"sampler, {name}")
            times = compare_samplers(logits, params, self._plan.sampler_rounds)
            mine, others = (tuple(1e3 * seconds for seconds in side) for side in (times.ours, times.theirs))
            self._put(Row(f"sampler, {name}", "ms", False, mine, others))


def expected_s(tokens: int, before: int, token_s: float) -> float:
    """Seconds that reading so many tokens may take, where `before` of them took `token_s` each; rather too many.

    mlx-lm reads up to 2,048 tokens at once and cannot be stopped in between; on a CPU each takes 2.6 times as long as
    among 128, and 1.5 times as long again among 8,192.
    """
    growth = float(max(1.0, tokens / max(before, 128)) ** _GROWTH)
    return tokens * token_s * _CAUTION * growth


def ratio(row: Row) -> float | None:
    """Our median to mlx-lm's; None where one is missing."""
    return statistics.median(row.ours) / statistics.median(row.theirs) if row.ours and row.theirs else None


def _fit_side_by_side(info: ModelInfo, machine: Machine) -> bool:
    # Ours may be float32 on the CPU, and theirs has scales of four bytes there.
    widest = max(info.weights_bytes, 4 * info.parameters if info.device == "CPU" else 0)
    return info.weights_bytes + widest <= _MEMORY_SHARE * machine.physical


def _rows(job: Job, ours: Sequence[Timing], theirs: Sequence[Timing]) -> list[Row]:
    rows = []
    if job.prefill:
        read, others = (tuple(len(job.ids) / run.first_s for run in side) for side in (ours, theirs))
        rows.append(Row(job.prefill, "tokens/s", True, read, others))
    if job.decode:
        enough = min(_TOKENS_ENOUGH, job.tokens)
        written, others = (
            tuple((run.tokens - 1) / run.rest_s for run in side if run.tokens >= enough) for side in (ours, theirs)
        )
        rows.append(Row(job.decode, "tokens/s", True, written, others, job.depth))
    return [row for row in rows if row.ours or row.theirs]


def _versions() -> dict[str, str]:
    versions = {"gptoss": __version__}
    for name in ("mlx", "mlx-lm"):
        with suppress(PackageNotFoundError):  # found on PYTHONPATH without its papers
            versions[name] = version(name)
    return versions
