"""What is asked of the engine, and whether it can be answered at all. No mlx here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gptoss_tui.engine.events import ModelInfo
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import ParameterError, PromptError

BeforeSample = Callable[[int, int | None, SamplingParams], SamplingParams | None]


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

    def check(self, info: ModelInfo) -> None:
        """Raises `PromptError` or `ParameterError` where that model cannot answer it."""
        if not self.ids:
            raise PromptError("The prompt is empty", "Write something to answer.")
        if len(self.ids) >= info.context:
            raise PromptError(
                f"The prompt has {len(self.ids):,} tokens and the model's context holds {info.context:,}",
                "Shorten it, or begin a new conversation.",
            )
        check_ids(self.ids, info)
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ParameterError(f"max tokens cannot be {self.max_tokens}", "Give 1 or more.")
        if not 0 <= self.top_logprobs <= info.vocabulary_size:
            raise ParameterError(f"top logprobs cannot be {self.top_logprobs}", f"Give 0 to {info.vocabulary_size:,}.")


def check_ids(ids: Sequence[int], info: ModelInfo) -> None:
    """Raises `PromptError` where ids are not that model's."""
    if ids and (min(ids) < 0 or max(ids) >= info.vocabulary_size):
        raise PromptError(
            f"The prompt holds ids outside the vocabulary of {info.vocabulary_size:,}", "Use the model's own tokenizer."
        )
