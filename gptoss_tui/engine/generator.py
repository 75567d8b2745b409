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
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import mlx.core as mx

from gptoss_tui.engine.context import Context
from gptoss_tui.engine.control import Control, callers_own
from gptoss_tui.engine.drawing import Ahead, Drawer, Drawn, Held, recent_tokens
from gptoss_tui.engine.events import Event, Finished, PrefillProgress, Reason, StateFile, Step
from gptoss_tui.engine.model import Model, Taps
from gptoss_tui.engine.request import Request
from gptoss_tui.engine.sampling import RECENT_TOKENS, push, top_logprobs
from gptoss_tui.engine.statefile import Owner, read_state, write_state
from gptoss_tui.errors import StateError

CHUNK_SECONDS = 0.5
"""What a prefill chunk should take at most, so that stopping is quick on a small machine. Where the smallest one that
makes sense takes longer, stopping waits for it."""

CHUNKS = (32, 64, 128, 256, 512, 1024, 2048)
"""Sizes of prefill chunks, in tokens."""

CLEAR_EVERY = 256
"""Tokens after which MLX's buffer cache is emptied, as the growing KV caches leave buffers of every size in it."""


class Generator:
    """A model, its caches, and the loop. One answer at a time."""

    def __init__(self, model: Model, identity: str, history_bytes: int) -> None:
        """`identity` says which weights the model has, for what is stored on disk."""
        self.model = model
        self.identity = identity
        self.context = Context(model.config, history_bytes, model.dtype.size)
        self.drawer = Drawer(model.config.vocabulary)
        self._pins: tuple[int, ...] = ()
        self._chunk = self._chunk_within(0)

    def forget(self) -> None:
        """Empties the caches."""
        self.context.forget()
        mx.clear_cache()

    def generate(self, request: Request, control: Control, emit: Callable[[Event], None]) -> None:
        """Answers one request, handing every event to `emit`, the `Finished` last.

        Raises `CallerFault` for what a caller's own code raises; the caches are then as far as the last token emitted.
        """
        mx.reset_peak_memory()
        ids, config = request.ids, self.model.config
        self._pins = request.pins
        reused = self.context.go_to(ids, len(ids) - 1, request.pins)
        control.reused_tokens = reused
        room = config.context - len(ids)
        limit = room if request.max_tokens is None else min(room, request.max_tokens)
        begun = time.perf_counter()
        held: Held | None = None
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
        if cancelled() or self.context.reads(ids):
            return
        self.context.go_to(ids, len(ids))
        for _ in self._chunks(ids, None):
            if cancelled():
                break

    def save_state(self, file: Path) -> StateFile:
        """Writes what the caches hold. Raises `StateError`."""
        begun = time.perf_counter()
        if not self.context.tokens:
            raise StateError("There is no prompt state to save: nothing was read yet", "Ask something first.")
        size = write_state(file, self._owner(), self.context.state())
        return StateFile(len(self.context.tokens), size, time.perf_counter() - begun)

    def restore_state(self, file: Path, ids: Sequence[int]) -> int:
        """Reads a file into the caches and goes to the end of what serves `ids`; returns how many tokens of them are
        held by then. Raises `StateError`."""
        state = read_state(file, self._owner())
        if not ids or ids[0] != state.ids[0]:
            raise StateError(f"{file.name} belongs to another conversation", "This one is read anew; nothing is lost.")
        return self.context.restore(state, ids)

    def _owner(self) -> Owner:
        return Owner(self.model.config, self.identity, self.model.dtype)

    def _read(
        self, ids: Sequence[int], request: Request, control: Control, emit: Callable[[Event], None]
    ) -> Iterator[Held]:
        """Prefills with progress, yielding what each chunk's pass held. Nothing is told where one token is left to
        read."""
        reused, begun = len(self.context.tokens), time.perf_counter()
        tell = len(ids) - reused > 1
        if tell:
            emit(PrefillProgress(reused, len(ids), reused, 0.0))
        for held in self._chunks(ids, request):
            if tell:
                emit(PrefillProgress(len(self.context.tokens), len(ids), reused, time.perf_counter() - begun))
            yield held

    def _chunks(self, ids: Sequence[int], request: Request | None) -> Iterator[Held]:
        """Reads what the caches lack of `ids`, in chunks sized by how fast the last one was."""
        read = self.context.tokens
        while len(read) < len(ids):
            chunk = ids[len(read) : len(read) + self._chunk]
            begun = time.perf_counter()
            held = self._pass(mx.array(list(chunk)), request)
            self.context.add(chunk)
            # The logits of all but the last chunk are not needed, so they are never computed.
            last = request is not None and len(read) == len(ids)
            mx.eval(self.context.arrays(), held.arrays() if last else [])
            mx.clear_cache()
            affordable = len(chunk) / (time.perf_counter() - begun) * CHUNK_SECONDS
            if len(chunk) == self._chunk:
                self._chunk = self._chunk_within(affordable)
            yield held

    def _chunk_within(self, tokens: float) -> int:
        """The largest chunk of at most so many tokens, or the least that makes sense."""
        sizes = [size for size in CHUNKS if size >= self.model.least_chunk]
        return max((size for size in sizes if size <= tokens), default=sizes[0])

    def _steps(
        self, held: Held, request: Request, control: Control, emit: Callable[[Event], None], limit: int
    ) -> Iterator[Step]:
        """Draws, queues and emits up to `limit` tokens, one in flight; yields each step once it is emitted."""
        first = len(request.ids)
        known = list(request.ids[-RECENT_TOKENS:])  # for the repetition penalty
        drawn = self.drawer.draw(held, control.params, first, recent_tokens(known))
        for index in range(limit):
            position = first + index
            if request.before_sample is not None:
                with callers_own():
                    wanted = request.before_sample(index, known[-1] if index else None, control.params)
                if wanted is not None:
                    control.params = wanted
            ahead: Ahead | None = None
            step = None
            while step is None:
                if drawn.params != control.params:
                    drawn = self.drawer.draw(drawn.held, control.params, position, recent_tokens(known))
                if ahead is None and index + 1 < limit:
                    ahead = self._read_ahead(drawn, request, position + 1, known)
                drawn = self.drawer.exactly(drawn, position, known)
                token = drawn.token
                if ahead is not None and ahead.read.item() != token:
                    # It was drawn anew since: the queued pass read a token that nobody will see.
                    self.context.settle()
                    ahead = None
                    continue
                step = control.emit_unless_changed(drawn.step(index, request.started), emit)
            known = [*known[1 - RECENT_TOKENS :], token]
            if ahead is not None:
                self.context.add((token,))
            yield step
            if index % CLEAR_EVERY == 0:
                mx.clear_cache()
            if ahead is not None:
                drawn = ahead.drawn

    def _read_ahead(self, drawn: Drawn, request: Request, position: int, known: list[int]) -> Ahead:
        """Queues the pass that reads the token in flight, and the draw of the one after it."""
        held = self._pass(drawn.draw.token, request)
        recent = recent_tokens(known)
        if drawn.params.repetition_penalty != 1:
            recent = push(recent, drawn.draw.token)
        return Ahead(drawn.draw.token, self.drawer.draw(held, drawn.params, position, recent))

    def _pass(self, ids: mx.array, request: Request | None) -> Held:
        """One forward pass over `ids` (L,), with what the request wants to see of it. Nothing is evaluated."""
        taps = Taps(router=request is not None and request.router)
        with self.context.moving(ids.size) as cache:
            logits = self.model(ids, cache, taps=taps, pins=self._pins)
        wanted = 0 if request is None else request.top_logprobs
        return Held(
            logits=logits,
            alternatives=top_logprobs(logits, wanted) if wanted else None,
            experts=mx.stack(taps.experts) if taps.experts else None,
        )
