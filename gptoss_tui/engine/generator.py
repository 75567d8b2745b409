"""The incremental generator: a prompt in, one token at a time out, every knob live.

    prefill the prompt in chunks           -> logits of the first token, held
    for each token:
        draw it from the held logits
        queue the pass that reads it       (one token in flight: the device works while the host waits)
        learn which token it is, emit it

The token in flight is drawn but not yet emitted. If a parameter changes before it is, it is drawn again from the logits
that are still held; if that gives another token, the queued pass is thrown away and the caches go back one row. So a
change holds from the very next token that anybody sees, and costs one call of the sampler, seldom one pass.

What the caches hold is kept between answers. A new prompt goes back to the end of the longest prefix that they hold
exactly and reads only the rest. Runs on the model's thread; knows token ids, no text.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx

from gptoss_tui.engine.cache import KVCache
from gptoss_tui.engine.control import Control
from gptoss_tui.engine.events import Event, Finished, LayerState, PrefillProgress, Reason, Step
from gptoss_tui.engine.model import Model, Taps
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.sampling import RECENT_TOKENS, Draw, Sampler, noise_key, push, top_logprobs

BeforeSample = Callable[[int, int | None, SamplingParams], SamplingParams | None]

CHUNK_SECONDS = 0.5
"""What a prefill chunk should take at most, so that stopping is quick on a small machine."""

CHUNKS = (32, 64, 128, 256, 512, 1024, 2048)
"""Sizes of prefill chunks, in tokens."""

WIDE_DRAWS = 16
"""After a shortlist that was too short, draws made over the whole vocabulary before a shortlist is tried again."""

CLEAR_EVERY = 256
"""Tokens after which MLX's buffer cache is emptied, as the growing KV caches leave buffers of every size in it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One generation, as it was asked for."""

    ids: tuple[int, ...]
    max_tokens: int | None
    stop_ids: frozenset[int]
    top_logprobs: int
    pins: tuple[int, ...]
    before_sample: BeforeSample | None
    router: bool
    started: float
    """time.perf_counter() when it was asked for."""


@dataclass(frozen=True, slots=True)
class _Held:
    """The logits of one position, and what else its pass told."""

    logits: mx.array
    """(vocabulary,)."""
    alternatives: tuple[mx.array, mx.array] | None
    experts: mx.array | None

    def arrays(self) -> list[mx.array]:
        extras = [] if self.experts is None else [self.experts]
        return [self.logits, *(self.alternatives or ()), *extras]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A token drawn from held logits with these parameters, not emitted yet."""

    held: _Held
    params: SamplingParams
    draw: Draw

    def queue(self) -> None:
        """Starts computing it."""
        flags = [] if self.draw.exact is None else [self.draw.exact]
        mx.async_eval([self.draw.token, self.draw.logprob, *flags, *self.held.arrays()])


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A queued pass that reads the token in flight, and the draw that follows it."""

    read: mx.array
    """The token that the pass reads: uint32 (1,)."""
    drawn: _Drawn


class Generator:
    """A model, its caches, and the loop. One answer at a time."""

    def __init__(self, model: Model, history_bytes: int) -> None:
        self.model = model
        self.tokens: list[int] = []  # the ids whose keys and values the caches hold
        self._history_bytes = history_bytes
        self._cache = self._fresh_cache()
        self._sampler = Sampler(model.config.vocabulary)
        self._pins: tuple[int, ...] = ()
        self._chunk = CHUNKS[0]
        self._wide_draws = 0  # draws still to be made without a shortlist
        # Taken while a pass moves the counters, so that `layers` never sees half of one.
        self._counting = threading.Lock()
        self._states = self._cache.states()
        self._asked = False  # whether `layers` came while a pass was moving them

    def layers(self) -> tuple[LayerState, ...]:
        """Every layer's state, from any thread, at once: while a pass moves the counters, what was last known."""
        # Not waited for: on the CPU a prefill chunk is computed while the lock is held, and the caller may be a screen.
        if self._counting.acquire(blocking=False):
            try:
                self._states = self._cache.states()
            finally:
                self._counting.release()
        else:
            self._asked = True
        return self._states

    def forget(self) -> None:
        """Empties the caches."""
        with self._counting:
            self._cache = self._fresh_cache()
        self.tokens = []
        mx.clear_cache()

    def generate(self, request: Request, control: Control, emit: Callable[[Event], None]) -> None:
        """Answers one request, handing every event to `emit`, the `Finished` last."""
        mx.reset_peak_memory()
        ids, config = request.ids, self.model.config
        self._pins = request.pins
        reused = self._rewind_to(ids, len(ids) - 1)
        control.reused_tokens = reused
        room = config.context - len(ids)
        limit = room if request.max_tokens is None else min(room, request.max_tokens)
        begun = time.perf_counter()
        held: _Held | None = None
        for last in self._read(ids, request, control, emit):
            held = last
            if control.stopped:
                break
        prefilled = time.perf_counter()
        times: list[float] = []  # when each token was emitted
        reason: Reason = "interrupted"
        stop_id = None
        if not control.stopped and held is not None:
            reason = "length" if limit < room else "context"
            for step in self._steps(held, request, control, emit, limit):
                times.append(time.perf_counter())
                if step.token_id in request.stop_ids:
                    reason, stop_id = "stop", step.token_id
                elif control.stopped:
                    reason = "interrupted"
                else:
                    continue
                break
        read, seconds = len(ids) - reused, prefilled - begun
        emit(
            Finished(
                reason=reason,
                stop_id=stop_id,
                prompt_tokens=len(ids),
                reused_tokens=reused,
                completion_tokens=len(times),
                seed=control.seed,
                ttft_s=times[0] - request.started if times else math.nan,
                prefill_tps=read / seconds if read > 1 else math.nan,
                decode_tps=(len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else math.nan,
                peak_bytes=mx.get_peak_memory(),
            )
        )

    def prefill(self, ids: Sequence[int], cancelled: Callable[[], bool]) -> None:
        """Reads `ids` ahead of time, as far as it comes before `cancelled` turns true.

        Where the caches hold all of `ids` already, what they hold beyond stays.
        """
        # Going back loses rows: not for a request that was overtaken, nor for one that has nothing to read.
        if cancelled() or list(ids) == self.tokens[: len(ids)]:
            return
        self._rewind_to(ids, len(ids))
        for _ in self._chunks(ids, None):
            if cancelled():
                break

    def _rewind_to(self, ids: Sequence[int], most: int) -> int:
        """Goes back to the end of the longest prefix of `ids`, up to `most`, that the caches hold; returns its
        length."""
        pairs = zip(self.tokens, ids[:most], strict=False)
        common = next(
            (index for index, (mine, theirs) in enumerate(pairs) if mine != theirs), min(len(self.tokens), most)
        )
        with self._counting:
            position = self._cache.reachable(common)
            self._cache.rewind(position)
        del self.tokens[position:]
        return position

    def _read(
        self, ids: Sequence[int], request: Request, control: Control, emit: Callable[[Event], None]
    ) -> Iterator[_Held]:
        """Prefills with progress, yielding what each chunk's pass held. Nothing is told where one token is left to
        read."""
        reused, begun = len(self.tokens), time.perf_counter()
        tell = len(ids) - reused > 1
        if tell:
            emit(PrefillProgress(reused, len(ids), reused, 0.0))
        for held in self._chunks(ids, request):
            if tell:
                emit(PrefillProgress(len(self.tokens), len(ids), reused, time.perf_counter() - begun))
            yield held

    def _chunks(self, ids: Sequence[int], request: Request | None) -> Iterator[_Held]:
        """Reads what the caches lack of `ids`, in chunks sized by how fast the last one was."""
        while len(self.tokens) < len(ids):
            chunk = ids[len(self.tokens) : len(self.tokens) + self._chunk]
            begun = time.perf_counter()
            held = self._pass(mx.array(list(chunk)), request)
            self.tokens.extend(chunk)
            # The logits of all but the last chunk are not needed, so they are never computed.
            last = request is not None and len(self.tokens) == len(ids)
            mx.eval(self._cache.arrays(), held.arrays() if last else [])
            mx.clear_cache()
            affordable = len(chunk) / (time.perf_counter() - begun) * CHUNK_SECONDS
            if len(chunk) == self._chunk:
                self._chunk = max((size for size in CHUNKS if size <= affordable), default=CHUNKS[0])
            yield held

    def _steps(
        self, held: _Held, request: Request, control: Control, emit: Callable[[Event], None], limit: int
    ) -> Iterator[Step]:
        """Draws, queues and emits up to `limit` tokens, one in flight; yields each step once it is emitted."""
        first = len(request.ids)
        known = list(request.ids[-RECENT_TOKENS:])  # for the repetition penalty
        drawn = self._draw(held, control.params, first, _recent(known))
        for index in range(limit):
            position = first + index
            if request.before_sample is not None:
                wanted = request.before_sample(index, known[-1] if index else None, control.params)
                if wanted is not None:
                    control.params = wanted
            ahead: _Ahead | None = None
            step = None
            while step is None:
                if drawn.params != control.params:
                    drawn = self._draw(drawn.held, control.params, position, _recent(known))
                if ahead is None and index + 1 < limit:
                    ahead = self._read_ahead(drawn, request, position + 1, known)
                drawn = self._exactly(drawn, position, known)
                token = int(_host(drawn.draw.token.item()))
                if ahead is not None and ahead.read.item() != token:
                    # It was drawn anew since: the queued pass read a token that nobody will see.
                    with self._counting:
                        self._cache.rewind(len(self.tokens))
                    ahead = None
                    continue
                step = control.emit_unless_changed(_step(drawn, index, token, request.started), emit)
            known = [*known[1 - RECENT_TOKENS :], token]
            if ahead is not None:
                self.tokens.append(token)
            yield step
            if index % CLEAR_EVERY == 0:
                mx.clear_cache()
            if ahead is not None:
                drawn = ahead.drawn

    def _read_ahead(self, drawn: _Drawn, request: Request, position: int, known: list[int]) -> _Ahead:
        """Queues the pass that reads the token in flight, and the draw of the one after it."""
        held = self._pass(drawn.draw.token, request)
        recent = _recent(known)
        if drawn.params.repetition_penalty != 1:
            recent = push(recent, drawn.draw.token)
        return _Ahead(drawn.draw.token, self._draw(held, drawn.params, position, recent))

    def _draw(self, held: _Held, params: SamplingParams, position: int, recent: mx.array, wide: bool = False) -> _Drawn:
        """Draws the token at `position` and starts computing it."""
        noise = noise_key(params.seed or 0, position)
        wide = wide or self._wide_draws > 0
        drawn = _Drawn(held, params, self._sampler(held.logits, params, noise, recent, exhaustive=wide))
        drawn.queue()
        return drawn

    def _exactly(self, drawn: _Drawn, position: int, known: list[int]) -> _Drawn:
        """The same draw, made again over the whole vocabulary where the sampler's shortlist was too short for it."""
        self._wide_draws = max(0, self._wide_draws - 1)
        if drawn.draw.exact is None or drawn.draw.exact.item():
            return drawn
        self._wide_draws = WIDE_DRAWS
        return self._draw(drawn.held, drawn.params, position, _recent(known), wide=True)

    def _pass(self, ids: mx.array, request: Request | None) -> _Held:
        """One forward pass over `ids` (L,), with what the request wants to see of it. Nothing is evaluated."""
        taps = Taps(router=request is not None and request.router)
        with self._counting:
            logits = self.model(ids, self._cache, taps=taps, pins=self._pins)
            if self._asked:
                self._asked, self._states = False, self._cache.states()
        wanted = 0 if request is None else request.top_logprobs
        return _Held(
            logits=logits,
            alternatives=top_logprobs(logits, wanted) if wanted else None,
            experts=mx.stack(taps.experts) if taps.experts else None,
        )

    def _fresh_cache(self) -> KVCache:
        return KVCache(self.model.config, self._history_bytes, self.model.dtype.size)


def _recent(known: list[int]) -> mx.array:
    """The last tokens as the sampler wants them: int32 (20,), -1 where there are fewer."""
    return mx.array(([-1] * RECENT_TOKENS + known)[-RECENT_TOKENS:], mx.int32)


def _host(value: Any) -> Any:
    """What MLX handed to the host, whose stubs cannot say whether it is a number or a list."""
    return value


def _step(drawn: _Drawn, index: int, token: int, started: float) -> Step:
    """The event for a token that is known by now."""
    alternatives: tuple[tuple[int, float], ...] = ()
    if drawn.held.alternatives is not None:
        ids, logprobs = (_host(array.tolist()) for array in drawn.held.alternatives)
        alternatives = tuple(zip(ids, logprobs, strict=True))
    experts = () if drawn.held.experts is None else tuple(tuple(row) for row in _host(drawn.held.experts.tolist()))
    logprob = float(_host(drawn.draw.logprob.item()))
    return Step(index, token, logprob, drawn.params, time.perf_counter() - started, alternatives, experts)
