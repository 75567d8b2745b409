"""`gptoss run`: one prompt in, one answer out, for people at a shell and for programs in a pipe."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gptoss_tui.chat import format
from gptoss_tui.chat.attach import Attached, joined, read_text
from gptoss_tui.chat.events import Token, TurnFinished
from gptoss_tui.chat.moves import Send
from gptoss_tui.chat.turn import Turn
from gptoss_tui.cli import keeping
from gptoss_tui.cli.arguments import find_model, history_bytes, sampling_for, sampling_params
from gptoss_tui.cli.loaded import loaded
from gptoss_tui.cli.notes import Progress, note
from gptoss_tui.cli.output import ClosedPipe, Output
from gptoss_tui.cli.reports import JsonReport, Report, TextReport
from gptoss_tui.cli.talk import kept
from gptoss_tui.engine.events import PrefillProgress
from gptoss_tui.errors import EXIT_OK, GptOssError, PromptError
from gptoss_tui.harmony.messages import Message
from gptoss_tui.signals import Interrupted, Leaving

if TYPE_CHECKING:
    from gptoss_tui.engine.events import LayerState
    from gptoss_tui.engine.worker import Engine

STDIN = "-"
"""Among the words of a prompt: standard input goes behind them."""


def main(options: argparse.Namespace) -> int:
    """Answers once and returns the exit code; a signal ends the process here. Raises `GptOssError`."""
    output = Output()
    report: Report = JsonReport(output) if options.json else TextReport(output, options.show_analysis)
    with Leaving() as leaving:
        try:
            _answer(options, report, leaving)
        except Interrupted:
            leaving.leave()
        except ClosedPipe:
            return EXIT_OK  # whoever read it has seen enough
        except GptOssError as fault:
            report.fault(fault)
            raise
        if leaving.signum is not None:
            leaving.leave()
    return EXIT_OK


def read_prompt(words: list[str], files: Sequence[Attached] = ()) -> str:
    """The prompt: the words, then standard input where `-` is among them or where there are none, then the files.

    With files and no words, a terminal is not asked for any. Raises `PromptError` where that makes no prompt.
    """
    parts = [" ".join(word for word in words if word != STDIN)]
    enough = bool(files) and sys.stdin is not None and sys.stdin.isatty()
    if STDIN in words or not (words or enough):
        if sys.stdin is None:
            raise PromptError("There is no prompt: standard input is closed", 'Give one: gptoss run "…"')
        if sys.stdin.isatty():
            note("type the prompt, then Ctrl-D on a line of its own")
        data = sys.stdin.buffer.read()
        if b"\0" in data:
            raise PromptError("Standard input is not text", "Only text in UTF-8 can be a prompt; convert it first.")
        parts.append(data.decode("utf-8", errors="replace"))
    text = joined("\n\n".join(part for part in parts if part.strip()), files)
    if not text:
        raise PromptError("The prompt is empty", 'Give one: gptoss run "…", or pipe one in.')
    return text


def _answer(options: argparse.Namespace, report: Report, leaving: Leaving) -> None:
    sampling_params(options)  # a value out of range is told before a model is loaded
    resumed = keeping.to_resume(options)
    files = [Attached(name, read_text(Path(name))) for name in options.file]
    text = read_prompt(options.prompt, files)
    progress = Progress()
    folder = keeping.model_of(resumed if options.model is None else None, lambda: find_model(options, options.model))()
    params = sampling_for(options)(folder)
    with loaded(folder, progress, history_bytes(options)) as (engine, harmony):
        report.model(engine.info)
        for file in files:
            note(f"{file.name}: {format.tokens(len(harmony.vocabulary.encode(file.text)))}")
        if resumed is not None or options.keep:
            saving = keeping.saving_of_one(options, resumed)
            with kept(options, saving, engine, harmony, folder, params, leaving) as (session, keeper):
                watched = _Layers(engine, len(session.plan(Send(text)).ids))
                with session.send(text, on_event=watched.on_event) as turn:
                    leaving.on_signal = turn.stop
                    _tell(turn, watched, report, progress, keeper.flush)
            return
        ids = harmony.render([Message.user(text)], instructions=options.instructions, effort=options.effort)
        watched = _Layers(engine, len(ids))
        generation = engine.generate(
            ids, params, max_tokens=options.max_tokens, stop_ids=harmony.stop_ids, on_event=watched.on_event
        )
        # No session: nothing follows this answer, so nothing is to be read ahead for.
        with Turn(generation, harmony, ids, lambda turn, messages, failed: None) as turn:
            # From here on a signal lets the answer end by itself, with what was written.
            leaving.on_signal = turn.stop
            _tell(turn, watched, report, progress)


class _Layers:
    """The layers' states, now and as they were when the prompt of this many tokens had been read."""

    def __init__(self, engine: Engine, prompt_tokens: int) -> None:
        self.now = engine.layers
        self._prompt_tokens = prompt_tokens
        self._after_prefill: tuple[LayerState, ...] | None = None

    def on_event(self) -> None:
        """On the model's thread, before it reads on: a moment later the layers hold the next token as well."""
        if self._after_prefill is None and (states := self.now())[0].tokens >= self._prompt_tokens:
            self._after_prefill = states

    def after_prefill(self) -> tuple[LayerState, ...]:
        """Once the prompt is read."""
        return self._after_prefill or self.now()


def _tell(
    turn: Turn, watched: _Layers, report: Report, progress: Progress, keep: Callable[[], object] = lambda: None
) -> None:
    """Hands every event to the report, in the promised order; `keep` is called before the end is told."""
    told_prompt = told_layers = False
    for event in turn:
        if not told_prompt:
            report.prompt(turn.prompt_ids, turn.reused_tokens)
            told_prompt = True
        if isinstance(event, PrefillProgress):
            report.prefill(event)
            progress.show(f"Reading the prompt: {event.done:,} of {event.total:,} tokens")
            continue
        progress.clear()
        if isinstance(event, Token):
            if not told_layers:
                report.layers(watched.after_prefill())
                told_layers = True
            report.token(event)
        elif isinstance(event, TurnFinished):
            report.layers(watched.now())
            keep()
            report.finished(event)
