"""`Engine`: the one thread on which MLX runs, for the life of a model.

MLX's streams belong to the thread that made them, so loading, prefill, decode and the caches all live on this thread;
only values of `events` leave it. It never waits for a reader: events queue up until somebody takes them.
"""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import mlx.core as mx

from gptoss_tui.engine.awake import keep_awake
from gptoss_tui.engine.context import Context
from gptoss_tui.engine.control import CallerFault, Control, as_device_error
from gptoss_tui.engine.events import LayerState, LoadProgress, MemoryUse, ModelInfo, StateFile
from gptoss_tui.engine.generation import Generation
from gptoss_tui.engine.generator import Generator
from gptoss_tui.engine.loading import load_model, working_set
from gptoss_tui.engine.memory import history_budget
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.request import BeforeSample, Request, check_ids
from gptoss_tui.errors import EngineBusy, EngineClosed

LEAVING_SECONDS = 5.0
"""How long the interpreter's end waits for an engine that nobody closed."""

T = TypeVar("T")


class Engine:
    """A loaded model on a thread of its own. Make one with `Engine.load`."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        # A daemon: a pass that hangs in a driver must not keep the process from leaving.
        self._thread = threading.Thread(target=self._run, name="gptoss-model", daemon=True)
        self._thread.start()
        self._lock = threading.Lock()
        self._current: Generation | None = None
        self._ahead = threading.Event()  # set to end the idle prefill that is under way
        self._closed = False
        self._generator: Generator
        # A process that ends while this thread computes would abort.
        atexit.register(self._leave)
        self.info: ModelInfo
        """What was loaded."""

    @classmethod
    def load(
        cls,
        folder: Path | str,
        on_progress: Callable[[LoadProgress], None] | None = None,
        *,
        cancelled: Callable[[], bool] | None = None,
        history_bytes: int | None = None,
        dense: bool | None = None,
    ) -> Engine:
        """Loads the checkpoint in `folder`, blocking; `on_progress` is called on the model's thread.

        `cancelled` is asked between layers; `history_bytes` bounds what is kept for going back (None: 256 MiB); `dense`
        is `load_model`'s. Raises what `load_model` raises, and `ParameterError`.
        """
        budget = history_budget(history_bytes)
        engine = cls()
        abandoned = threading.Event()

        def load() -> None:
            loaded = load_model(
                Path(folder),
                on_progress,
                cancelled=lambda: abandoned.is_set() or (cancelled is not None and cancelled()),
                dense=dense,
            )
            if (limit := working_set()) is not None:  # keeps the weights resident, as mlx-lm's wired_limit does
                mx.set_wired_limit(limit)
            engine.info = loaded.info
            engine._generator = Generator(loaded.model, loaded.identity, budget)

        try:
            engine._call(load).result()
        except BaseException:
            abandoned.set()  # an interrupt in this thread ends the loading in the other
            engine.close(wait=False)
            raise
        return engine

    @property
    def busy(self) -> bool:
        """Whether an answer is being written. Idle prefill does not count: it gives way."""
        return self._current is not None and not self._current.done

    @property
    def cached_tokens(self) -> int:
        """Tokens whose keys and values the caches hold."""
        return self.layers()[0].tokens

    def layers(self) -> tuple[LayerState, ...]:
        """Every layer's attention and cache now, counted on the host. From any thread; never waits."""
        return self._context.states()

    def memory(self) -> MemoryUse:
        """What is kept for going back and elsewhere, counted on the host. From any thread; never waits."""
        return self._context.memory()

    def reusable(self, ids: Sequence[int]) -> int:
        """How many tokens of the prompt `ids` a `generate` asked now would not read again: at most all but one.

        From any thread; never waits: while a pass is under way, as of the last. Raises `PromptError`, `EngineClosed`.
        """
        context = self._context
        check_ids(ids, self.info)
        return context.reusable(ids[: max(0, len(ids) - 1)])

    def generate(
        self,
        ids: Sequence[int],
        params: SamplingParams | None = None,
        *,
        max_tokens: int | None = None,
        stop_ids: Collection[int] = (),
        top_logprobs: int = 0,
        pins: Collection[int] = (),
        before_sample: BeforeSample | None = None,
        on_event: Callable[[], None] | None = None,
        router: bool = False,
    ) -> Generation:
        """Answers the prompt `ids`; returns at once.

        `max_tokens`: None is what the context leaves. `stop_ids` end the answer and are told as steps. `top_logprobs`:
        how many alternatives each step lists. `pins`: positions whose rewinding must stay cheap. `before_sample(index,
        previous_id, params)` runs on the model's thread before token `index` is settled; parameters that it returns
        hold from that token on. `on_event` runs on the model's thread after each event was queued and must only wake
        the reader. `router` adds each layer's experts to the steps.

        Raises `PromptError` for an empty prompt, one that fills the context or one with foreign ids, `ParameterError`,
        `EngineBusy`, `EngineClosed`.
        """
        request = Request(
            ids=tuple(ids),
            max_tokens=max_tokens,
            stop_ids=frozenset(stop_ids),
            top_logprobs=top_logprobs,
            pins=tuple(pins),
            before_sample=before_sample,
            router=router,
            started=time.perf_counter(),
        )
        if self._closed:
            raise _no_engine()
        request.check(self.info)
        control = Control(params if params is not None else SamplingParams())
        generation = Generation(control, on_event)

        def run() -> None:
            try:
                with keep_awake():
                    self._generator.generate(request, control, generation._put)
            except CallerFault as caller:
                self._generator.context.settle()
                generation._fail(caller.fault)
            except BaseException as fault:  # whatever it is, the reader is told: this thread has nobody to tell
                self._generator.forget()
                generation._fail(as_device_error(fault))

        with self._lock:
            if self.busy:
                raise EngineBusy("An answer is being written already", "Wait for it, or stop it first.")
            self._call(run)
            self._current = generation
            self._ahead.set()
        return generation

    def prefill(self, ids: Sequence[int]) -> None:
        """Reads `ids` while nobody waits; returns at once. The next `generate` ends it and keeps what it read.

        Raises `PromptError` for foreign ids, `EngineClosed`.
        """
        wanted = tuple(ids)[: self.info.context]
        check_ids(wanted, self.info)
        ahead = threading.Event()

        def run() -> None:
            try:
                self._generator.prefill(wanted, ahead.is_set)
            except RuntimeError:  # nobody waits for this; if the device is in trouble, the next answer will say so
                self._generator.forget()

        with self._lock:
            self._call(run)
            self._ahead.set()
            self._ahead = ahead

    def save_state(self, file: Path) -> StateFile:
        """Writes the rows of all tokens that were read to `file`, once what is being written has ended; blocks.

        The file is replaced as a whole or not at all, and nobody else may read it. Raises `StateError` where nothing
        was read or the disk does not take it, `EngineClosed`.
        """
        return self._while_idle(lambda: self._generator.save_state(file))

    def restore_state(self, file: Path, ids: Sequence[int]) -> int:
        """Reads such a file, so that a prompt that begins with `ids` need not be read again; blocks.

        Returns how many of `ids` are held by then: the longest prefix that the file, or what was held before, leads
        to. Raises `StateError` where the file is damaged, another model's or another conversation's, and nothing has
        changed then; `PromptError` for foreign ids, `EngineClosed`.
        """
        check_ids(ids, self.info)
        return self._while_idle(lambda: self._generator.restore_state(file, tuple(ids)))

    def forget(self) -> None:
        """Empties the caches, parked branches among them, once what is being written has ended."""
        self._while_idle(lambda: self._generator.forget())

    def close(self, wait: bool = True) -> None:
        """Stops what is being written and ends the thread. Does nothing the second time."""
        with self._lock:
            self._ahead.set()
            if self._current is not None:
                self._current.stop()
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        if wait:
            self._thread.join()

    def _leave(self) -> None:
        """What the interpreter's end does to an engine that is still open."""
        self.close(wait=False)
        self._thread.join(LEAVING_SECONDS)

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _context(self) -> Context:
        """What the model has read, for questions that any thread may ask."""
        generator: Generator | None = getattr(self, "_generator", None)  # closing takes it away at any moment
        if generator is None:
            raise _no_engine()
        return generator.context

    def _while_idle(self, job: Callable[[], T]) -> T:
        """What `job` returns, run once what is being written has ended; an idle prefill gives way."""

        def run() -> T:
            try:
                return job()
            except RuntimeError as fault:
                self._generator.forget()
                raise as_device_error(fault) from fault

        with self._lock:  # or closing could come between the question whether it is closed and the job
            self._ahead.set()
            future = self._call(run)
        return future.result()

    def _call(self, job: Callable[[], T]) -> Future[T]:
        """Runs `job` on the model's thread, after those before it; under the lock, once others know the engine."""
        if self._closed:
            raise _no_engine()
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(job())
            except BaseException as fault:
                future.set_exception(fault)

        self._jobs.put(run)
        return future

    def _run(self) -> None:
        """The model's thread."""
        while (job := self._jobs.get()) is not None:
            job()
            del job  # or the last generation would live until the next
        self.__dict__.pop("_generator", None)
        mx.clear_cache()  # whoever loads another model next needs the room
        mx.clear_streams()  # left to the interpreter's end, they may abort the process
        atexit.unregister(self._leave)


def _no_engine() -> EngineClosed:
    return EngineClosed("The engine is closed", "Load the model again.")
