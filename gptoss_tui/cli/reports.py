"""The two ways in which `gptoss run` tells an answer: as text for people, as JSON Lines for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from gptoss_tui.cli import jsonl
from gptoss_tui.cli.notes import note, write
from gptoss_tui.cli.output import ClosedPipe, Output
from gptoss_tui.errors import GptOssError
from gptoss_tui.visible import Visible

if TYPE_CHECKING:
    from gptoss_tui.chat.events import Token, TurnFinished
    from gptoss_tui.engine.events import LayerState, ModelInfo, PrefillProgress


class Report(Protocol):
    """What is told of one answer, in this order; `layers` after the prefill and at the end."""

    def model(self, info: ModelInfo) -> None: ...
    def prompt(self, ids: Sequence[int], reused_tokens: int) -> None: ...
    def prefill(self, progress: PrefillProgress) -> None: ...
    def layers(self, states: Sequence[LayerState]) -> None: ...
    def token(self, token: Token) -> None: ...
    def finished(self, event: TurnFinished) -> None: ...
    def fault(self, fault: GptOssError) -> None: ...


class JsonReport:
    """Every event as one JSON object on a line of its own."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def model(self, info: ModelInfo) -> None:
        """What answers."""
        self._put(jsonl.model(info))

    def prompt(self, ids: Sequence[int], reused_tokens: int) -> None:
        """What it was asked."""
        self._put(jsonl.prompt(ids, reused_tokens))

    def prefill(self, progress: PrefillProgress) -> None:
        """How far the prompt is read."""
        self._put(jsonl.prefill(progress))

    def layers(self, states: Sequence[LayerState]) -> None:
        """Every layer's attention and cache."""
        self._put(jsonl.layers(states))

    def token(self, token: Token) -> None:
        """One token."""
        self._put(jsonl.token(token))

    def finished(self, event: TurnFinished) -> None:
        """How it ended."""
        self._put(jsonl.finished(event))

    def fault(self, fault: GptOssError) -> None:
        """What ended it instead."""
        with suppress(ClosedPipe, GptOssError):  # it may be the output itself that is at fault
            self._put(jsonl.error(fault))

    def _put(self, fields: jsonl.Fields) -> None:
        self._output.write(jsonl.line(fields))


class TextReport:
    """The final channel on standard output; the analysis, where it is wanted, on standard error."""

    def __init__(self, output: Output, show_analysis: bool) -> None:
        self._final = _Text(output.write, terminal=output.terminal)
        self._analysis: _Text | None = None
        if show_analysis:
            terminal = sys.stderr is not None and sys.stderr.isatty()
            self._analysis = _Text(lambda text: write(sys.stderr, text), terminal=terminal)

    def model(self, info: ModelInfo) -> None:
        """Not told."""

    def prompt(self, ids: Sequence[int], reused_tokens: int) -> None:
        """Not told."""

    def prefill(self, progress: PrefillProgress) -> None:
        """Not told."""

    def layers(self, states: Sequence[LayerState]) -> None:
        """Not told."""

    def token(self, token: Token) -> None:
        """The text that it adds, as it comes."""
        for delta in token.deltas:
            if delta.channel == "final":
                if self._analysis is not None:
                    self._analysis.end()
                self._final.feed(delta.text)
            elif delta.channel == "analysis" and self._analysis is not None:
                self._analysis.feed(delta.text)

    def finished(self, event: TurnFinished) -> None:
        """The line's end, and on standard error what a person should know about how it ended."""
        if not event.text:
            # A model may forget its channels; then what it wrote outside of them is the answer.
            self._final.feed("".join(message.text for message in event.messages if message.channel is None))
        self._end()
        told = f"{event.finished.completion_tokens:,} tokens"
        if event.reason == "length":
            note(f"stopped at {told}, as --max-tokens says")
        elif event.reason == "context":
            note(f"stopped at {told}: the model's context is full")
        elif event.reason == "tool_call":
            note("the model called a tool, and none is connected here")
        elif event.reason == "stop" and not self._final.any:
            note("the model wrote no final answer; --show-analysis shows its thinking")

    def fault(self, fault: GptOssError) -> None:
        """The line's end: what went wrong is told elsewhere."""
        with suppress(ClosedPipe, GptOssError):
            self._end()

    def _end(self) -> None:
        if self._analysis is not None:
            self._analysis.end()
        self._final.end()


class _Text:
    """Text that ends with a line end. On a terminal nothing that the terminal would obey gets through."""

    def __init__(self, write: Callable[[str], None], *, terminal: bool) -> None:
        self._write = write
        self._visible = Visible() if terminal else None
        self._open = False
        self.any = False
        """Whether anything was written."""

    def feed(self, text: str) -> None:
        self._put(text if self._visible is None else self._visible.feed(text))

    def end(self) -> None:
        if self._visible is not None:
            self._put(self._visible.finish())
        if self._open:
            self._put("\n")

    def _put(self, text: str) -> None:
        if text:
            self._open = not text.endswith("\n")
            self.any = True
            self._write(text)
