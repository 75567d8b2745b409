"""The two engines that are compared, behind one interface: read a prompt, write tokens, say how long it took.

Each runs on a thread of its own, since MLX's streams belong to threads; they never compute at the same time. On the CPU
both compute in float32 on the same weights: its kernels for anything else are several times slower.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import mlx.core as mx

from gptoss_tui.engine.events import Step
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import GptOssError


@dataclass(frozen=True, slots=True)
class Timing:
    """One answer."""

    first_s: float
    """Seconds from asking to the first token."""
    rest_s: float
    """Seconds from the first token to the last."""
    tokens: int
    """Tokens written: fewer than asked for where time ran out."""
    peak_bytes: int
    """The device's peak memory over what was in use before, plus this side's weights: as if it had been alone."""


class Side(Protocol):
    """One engine with a model loaded."""

    load_s: float
    """Seconds that loading took."""

    def answer(self, ids: Sequence[int], params: SamplingParams, tokens: int, until: float) -> Timing | None:
        """Reads `ids` from nothing and writes `tokens` tokens, or what it can until `time.monotonic()` is `until`.

        None where not even the first token came in time. What the device has begun is waited for.
        """

    def close(self) -> None:
        """Lets go of the model."""


class Ours:
    """This program's engine, all that it tells of its steps included."""

    def __init__(self, folder: Path) -> None:
        growth, asked = _Growth(), time.perf_counter()
        self._engine = Engine.load(folder)
        self.load_s = time.perf_counter() - asked
        self._weights_bytes = growth.bytes()
        self.info = self._engine.info

    def answer(self, ids: Sequence[int], params: SamplingParams, tokens: int, until: float) -> Timing | None:
        """See `Side`."""
        self._engine.forget()
        growth = _Growth()
        asked = time.perf_counter()
        times = []
        with self._engine.generate(ids, params, max_tokens=tokens) as generation:
            for event in generation:
                if isinstance(event, Step):
                    times.append(time.perf_counter())
                    self._engine.layers()  # what an instrument would look at
                if time.monotonic() >= until:
                    break
        return _timing(asked, times, growth.peak() + self._weights_bytes)

    def close(self) -> None:
        """See `Side`."""
        self._engine.close()


class MlxLm:
    """mlx-lm's model and `generate_step`, used as its own command line uses them."""

    def __init__(self, folder: Path) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mlx-lm")
        self._model: Any = None
        self._weights_bytes = 0
        self.load_s = 0.0
        try:
            self._thread.submit(self._load, folder).result()
        except ImportError as error:
            self.close()
            raise GptOssError(f"mlx-lm is not here: {error}", "pip install mlx-lm") from error
        except (ValueError, KeyError, TypeError, OSError, RuntimeError) as error:
            self.close()
            raise GptOssError(
                f"mlx-lm cannot load this checkpoint: {error}", "Choose one in a layout that mlx-lm knows."
            ) from error

    def answer(self, ids: Sequence[int], params: SamplingParams, tokens: int, until: float) -> Timing | None:
        """See `Side`."""
        return self._thread.submit(self._answer, ids, params, tokens, until).result()

    def close(self) -> None:
        """See `Side`."""
        self._thread.submit(self._let_go).result()
        self._thread.shutdown()

    def _load(self, folder: Path) -> None:
        from mlx_lm.utils import load_model  # not part of what is timed: it brings Transformers along

        growth, asked = _Growth(), time.perf_counter()
        self._model, _ = load_model(folder)
        if mx.default_device() == mx.Device(mx.cpu):
            self._model.set_dtype(mx.float32)
            mx.eval(self._model.parameters())
        self.load_s = time.perf_counter() - asked
        self._weights_bytes = growth.bytes()

    def _answer(self, ids: Sequence[int], params: SamplingParams, tokens: int, until: float) -> Timing | None:
        from mlx_lm.generate import generate_step, generation_stream, wired_limit
        from mlx_lm.sample_utils import make_sampler

        def look(done: int, total: int) -> None:
            if time.monotonic() >= until:
                raise TimeoutError

        sampler = make_sampler(params.temperature, params.top_p, params.min_p, top_k=params.top_k)
        prompt = mx.array(list(ids))
        growth = _Growth()
        times: list[float] = []
        with wired_limit(self._model, [generation_stream]):
            asked = time.perf_counter()
            try:
                steps = generate_step(
                    prompt, self._model, max_tokens=tokens, sampler=sampler, prompt_progress_callback=look
                )
                for _ in steps:
                    times.append(time.perf_counter())
                    if time.monotonic() >= until:
                        break
            except TimeoutError:
                return None
        return _timing(asked, times, growth.peak() + self._weights_bytes)

    def _let_go(self) -> None:
        self._model = None
        mx.clear_cache()
        # Streams left to the interpreter's end may abort the process.
        mx.clear_streams()


class _Growth:
    """How much more memory the device has in use than when this was made."""

    def __init__(self) -> None:
        mx.clear_cache()
        mx.reset_peak_memory()
        self._before = mx.get_active_memory()

    def bytes(self) -> int:
        """Now."""
        mx.clear_cache()
        return mx.get_active_memory() - self._before

    def peak(self) -> int:
        """At most."""
        return max(0, mx.get_peak_memory() - self._before)


def _timing(asked: float, times: list[float], peak_bytes: int) -> Timing | None:
    return Timing(times[0] - asked, times[-1] - times[0], len(times), peak_bytes) if times else None
