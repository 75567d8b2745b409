"""The line under the prompt: model, state, tokens a second, context, knobs, cut to the terminal's width. Pure."""

from __future__ import annotations

from gptoss_tui.chat import format
from gptoss_tui.chat.controls import CONTROLS
from gptoss_tui.keys import Keymap
from gptoss_tui.repl.conversation import Conversation
from gptoss_tui.repl.rows import Fragment, Row, row_width


def status_row(conversation: Conversation, knob: int, keymap: Keymap, width: int) -> Row:
    """The row; `knob` is the index of the knob that + and - turn. What does not fit is left out from its end."""
    parts: list[Row] = [[("class:status.name", _name(conversation))], [("class:status", _state(conversation))]]
    if conversation.queue:
        parts.append([("class:status.warning", f"{len(conversation.queue)} waiting")])
    if conversation.opened is not None:
        session, engine = conversation.opened.session, conversation.opened.engine
        parts.append([("class:status", f"context {engine.cached_tokens:,}/{engine.info.context:,}")])
        for index, control in enumerate(CONTROLS):
            value = control.get(session.params)
            chosen = index == knob and conversation.running
            if chosen or index == 0 or control.format(value) != "off":
                style = "class:status.chosen" if chosen else "class:status"
                parts.append([(style, f"{control.label} {control.format(value)}")])
        parts.append([("class:status.muted", f"effort {session.effort}")])
        if conversation.running:
            parts.append([("class:status.muted", f"{keymap.first('app.stop')} stops")])
    row: Row = [("class:status", " ")]
    for part in parts:
        gap: list[Fragment] = [("class:status.muted", " · ")] if len(row) > 1 else []
        if row_width([*row, *gap, *part]) > width:
            break
        row += [*gap, *part]
    return [*row, ("class:status", " " * max(0, width - row_width(row)))]


def _name(conversation: Conversation) -> str:
    return format.shorten(conversation.opened.engine.info.name, 28) if conversation.opened is not None else "gptoss"


def _state(conversation: Conversation) -> str:
    meter = conversation.meter
    match conversation.phase:
        case "loading":
            if not conversation.total:
                return "loading"
            share = conversation.done / conversation.total
            return f"loading {format.size(conversation.done)} of {format.size(conversation.total)} ({share:.0%})"
        case "reading":
            return f"reading {conversation.done:,} of {conversation.total:,}" if conversation.total else "reading"
        case "writing":
            return f"writing {format.rate(meter.last_second)} tok/s (mean {format.rate(meter.mean)})"
        case "stopping":
            return "stopping"
        case "failed":
            return "no model"
        case _:
            return "ready"
