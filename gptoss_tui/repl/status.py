"""The line under the prompt: model, state, tokens a second, context, knobs, cut to the terminal's width. Pure."""

from __future__ import annotations

from gptoss_tui.chat import format
from gptoss_tui.chat.controls import CONTROLS
from gptoss_tui.keys import Keymap
from gptoss_tui.repl.conversation import Conversation
from gptoss_tui.repl.rows import Fragment, Row, row_width
from gptoss_tui.visible import visible_token

_CHOSEN = "class:status.chosen"


def status_row(conversation: Conversation, knob: int, keymap: Keymap, width: int, *, spare: bool = False) -> Row:
    """The row; `knob` is the index of the knob that + and - turn. What matters least is left out where not all fits;
    with `spare`, colours that only please are too, as each of them costs more bytes than the word it is for."""
    parts = _parts(conversation, knob, keymap)
    while len(parts) > 1 and 1 + sum(row_width(part) + 3 for _, part in parts) - 3 > width:
        # The later of two that matter as little.
        parts.remove(max(reversed(parts), key=lambda each: each[0]))
    row: Row = [("class:status", " ")]
    for _, part in parts:
        gap: list[Fragment] = [("class:status.muted", " · ")] if len(row) > 1 else []
        row += [*gap, *part]
    return (
        [("class:status" if style != "class:status.chosen" else style, text) for style, text in row] if spare else row
    )


def _parts(conversation: Conversation, knob: int, keymap: Keymap) -> list[tuple[int, Row]]:
    """(rank, what is shown) in their order on the screen; of a high rank is what can be left out first."""
    running = conversation.running
    meter = conversation.meter
    parts: list[tuple[int, Row]] = [(7 if running else 3, [("class:status.name", _name(conversation))])]
    parts.append((0, [("class:status", _state(conversation))]))
    if conversation.phase == "writing":
        parts.append((6, [("class:status.muted", f"mean {format.rate(meter.mean)}")]))
    if conversation.queue:
        parts.append((1, [("class:status.warning", f"{len(conversation.queue)} waiting")]))
    if conversation.opened is None:
        return parts
    session, engine = conversation.opened.session, conversation.opened.engine
    parts.append((3, [("class:status", f"context {engine.cached_tokens:,}/{engine.info.context:,}")]))
    for index, control in enumerate(CONTROLS):
        value = control.get(session.params)
        chosen = index == knob and running
        if chosen or index == 0 or control.format(value) != "off":
            style = _CHOSEN if chosen else "class:status"
            parts.append((2 if chosen else 4, [(style, f"{control.label} {control.format(value)}")]))
    parts.append((8, [("class:status.muted", f"effort {session.effort}")]))
    if running:
        parts.append((5, [("class:status.muted", f"{keymap.first('app.stop')} stops")]))
    return parts


def _name(conversation: Conversation) -> str:
    opened = conversation.opened
    # A folder may have any name.
    return format.shorten(visible_token(opened.engine.info.name, 80), 28) if opened is not None else "gptoss"


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
            return f"writing {format.rate(meter.last_second)} tok/s"
        case "stopping":
            return "stopping"
        case "failed":
            return "no model"
        case _:
            return "ready"
