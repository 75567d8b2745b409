"""The table of keys: every action once, by the place where its keys are heard.

Bindings, palette, key bar, help screens, `gptoss config keys` and docs/keys.md are made from it or checked against it.
"""

from __future__ import annotations

from dataclasses import replace

from gptoss_tui.keys.action import Action, Place
from gptoss_tui.keys.conversation import AGAIN, CHAT, MOVES, SESSIONS

APP: tuple[Action, ...] = (
    Action(
        "app.stop",
        "escape",
        "stop",
        "stop",
        "Stop the answer, or go back to the prompt.",
        show=True,
    ),
    Action(
        "app.interrupt",
        "ctrl+c",
        "interrupt",
        "copy, stop, leave",
        "Copy what is selected; else stop the answer; twice on an idle prompt: leave.",
        priority=True,
        palette=False,
    ),
    *AGAIN,
    Action(
        "app.sampling",
        "ctrl+s",
        "pane('sampling')",
        "sampling",
        "Go to the sampling knobs, or back.",
        show=True,
        priority=True,
    ),
    Action(
        "app.panes",
        "ctrl+o",
        "panes",
        "panes",
        "Show or hide the instruments; in a small window, switch to them.",
        show=True,
        priority=True,
    ),
    Action(
        "app.effort", "alt+e", "effort", "effort", "Change how long the model thinks: low, medium, high.", show=True
    ),
    Action("app.thinking", "alt+t", "thinking", "thinking", "Open or close the last answer's thinking.", show=True),
    Action("app.copy-thinking", "alt+x", "copy_thinking", "copy thinking", "Copy the last answer's thinking."),
    Action(
        "app.new",
        "ctrl+l",
        "new",
        "new",
        "Begin a new conversation; the present one stays among the saved ones.",
        show=True,
        priority=True,
    ),
    *MOVES,
    Action("app.layers", "alt+1", "pane('layers')", "layers", "Go to the layers."),
    Action("app.kv", "alt+2", "pane('kv')", "KV cache", "Go to the KV cache."),
    Action("app.tokens", "alt+3", "pane('tokens')", "tokens", "Go to the tokens."),
    Action("app.knobs", "alt+4", "pane('sampling')", "sampling", "Go to the sampling knobs.", palette=False),
    Action("app.chat", "alt+0", "pane('chat')", "chat", "Go to the conversation, to read and scroll."),
    Action("app.pause", "alt+p", "pause", "pause view", "Freeze the token view; the model goes on."),
    Action("app.model", "alt+m", "models", "model", "Choose another model; the conversation goes on with it."),
    Action("app.theme", "alt+k", "themes", "theme", "Choose the colours, with a preview."),
    Action(
        "app.palette",
        "ctrl+p",
        "command_palette",
        "palette",
        "List everything that can be done, and do it by name.",
        show=True,
        priority=True,
        palette=False,
    ),
    Action("app.help", "f1", "help", "help", "Explain the panes and list the keys."),
    Action("app.quit", "ctrl+q", "quit", "leave", "Leave gptoss.", priority=True),
)
"""What works wherever the focus is."""

PROMPT: tuple[Action, ...] = (
    Action("prompt.send", "enter", "send", "send", "Send the prompt.", palette=False),
    Action(
        "prompt.newline",
        "ctrl+j,alt+enter,shift+enter",
        "newline",
        "new line",
        "Break the line.",
        palette=False,
    ),
    Action("prompt.search", "ctrl+r", "search", "history", "Search the prompts of before."),
    Action(
        "prompt.complete",
        "tab",
        "complete",
        "complete",
        "Complete a slash command or a path behind an @; else go to the next pane.",
        palette=False,
    ),
    Action(
        "prompt.help",
        "question_mark",
        "help_or_type",
        "help",
        "On an empty prompt: help.",
        show=True,
        palette=False,
        when_empty=True,
    ),
)
"""What works in the prompt."""

PANE: tuple[Action, ...] = (
    Action(
        "pane.help", "question_mark", "pane_help", "help", "Explain the figures of this pane.", show=True, palette=False
    ),
)
"""What works in every instrument pane."""

TOKENS: tuple[Action, ...] = (
    Action(
        "tokens.pause",
        "space,p",
        "toggle_pause",
        "pause",
        "Freeze the view; the model goes on.",
        show=True,
        palette=False,
    ),
    Action("tokens.older", "up", "older(1)", "older", "Pause and look at older tokens.", palette=False),
    Action("tokens.newer", "down", "older(-1)", "newer", "Look at newer tokens.", palette=False),
    Action("tokens.page-older", "pageup", "older(10)", "older page", "Look ten tokens further back.", palette=False),
    Action("tokens.page-newer", "pagedown", "older(-10)", "newer page", "Look ten tokens further on.", palette=False),
    Action("tokens.newest", "end", "newest", "newest", "Go on with the newest token.", palette=False),
)
"""What works in the token pane."""

SAMPLING: tuple[Action, ...] = (
    Action("sampling.previous", "up", "select(-1)", "knob above", "Select the knob above.", palette=False),
    Action("sampling.next", "down", "select(1)", "knob below", "Select the knob below.", palette=False),
    Action("sampling.less", "left,minus", "turn(-1)", "less", "Turn the knob down one step.", show=True, palette=False),
    Action("sampling.more", "right,plus", "turn(1)", "more", "Turn the knob up one step.", show=True, palette=False),
    Action(
        "sampling.fine-less",
        "shift+left",
        "fine(-1)",
        "a little less",
        "Turn the knob down a fine step.",
        palette=False,
    ),
    Action(
        "sampling.fine-more", "shift+right", "fine(1)", "a little more", "Turn the knob up a fine step.", palette=False
    ),
    Action(
        "sampling.default",
        "backspace,delete",
        "default",
        "default",
        "Set the knob to its default.",
        show=True,
        palette=False,
    ),
)
"""What works in the sampling pane; digits type a value, Enter sets it."""

THINKING: tuple[Action, ...] = (
    Action("thinking.toggle", "enter,space", "fold", "open", "Open or close this block.", show=True, palette=False),
    Action("thinking.copy", "x", "copy", "copy", "Copy the text of this block.", show=True, palette=False),
)
"""What works on a thinking block."""

HELP: tuple[Action, ...] = (
    Action("help.close", "escape,q,enter,ctrl+c", "dismiss", "close", "Close the help.", palette=False),
    Action("help.all", "question_mark", "all", "everything", "Explain all panes and list all keys.", palette=False),
)
"""What works on the help sheet."""

HISTORY: tuple[Action, ...] = (
    Action("history.back", "escape,ctrl+c", "leave", "back", "Back to the prompt as it was.", palette=False),
    Action(
        "history.older", "down,ctrl+r", "move(1)", "older", "Go to the next older prompt.", priority=True, palette=False
    ),
    Action("history.newer", "up", "move(-1)", "newer", "Go to the next newer prompt.", priority=True, palette=False),
)
"""What works in the list of earlier prompts; Enter takes one."""

MODELS: tuple[Action, ...] = (
    Action("models.back", "escape,ctrl+c", "leave", "back", "Back, with the model as it is.", palette=False),
    Action("models.below", "down", "move(1)", "below", "Mark the model below.", priority=True, palette=False),
    Action("models.above", "up", "move(-1)", "above", "Mark the model above.", priority=True, palette=False),
)
"""What works in the list of models."""

THEMES: tuple[Action, ...] = (
    Action("themes.back", "escape,ctrl+c,q", "leave", "back", "Back to the colours as they were.", palette=False),
    Action("themes.keep", "d", "keep", "keep as default", "Use this theme next time too.", palette=False),
)
"""What works in the list of themes; Enter takes one."""

_SHARED = {
    "app.stop": "Stop the answer.",
    "app.interrupt": "Stop the answer; else empty the prompt; twice on an empty one: leave.",
    "prompt.send": "Send the prompt.",
    "prompt.newline": "Break the line.",
    "prompt.search": "Search the prompts of before.",
    "prompt.complete": "Complete a slash command, what it takes, or a path behind an @.",
}
"""The TUI's actions that the REPL has too, and what they do there."""

REPL: tuple[Action, ...] = (
    *(replace(action, help=_SHARED[action.id]) for action in (*APP, *PROMPT) if action.id in _SHARED),
    Action(
        "repl.more",
        "plus",
        "more",
        "more",
        "While the model writes, on an empty prompt: turn the marked knob up.",
        when_empty=True,
    ),
    Action(
        "repl.less",
        "minus",
        "less",
        "less",
        "While the model writes, on an empty prompt: turn the marked knob down.",
        when_empty=True,
    ),
    Action(
        "repl.next-knob",
        "tab",
        "next_knob",
        "next knob",
        "While the model writes, on an empty prompt: mark the next knob.",
        when_empty=True,
    ),
    Action("repl.edit", "ctrl+x ctrl+e", "edit", "edit", "Write the prompt in $EDITOR (vi keys: v)."),
    Action("repl.leave", "ctrl+d", "leave", "leave", "On an empty prompt: leave.", when_empty=True),
)
"""What works in the REPL."""

PLACES: tuple[Place, ...] = (
    Place("app", "Anywhere", APP),
    Place("prompt", "In the prompt", PROMPT, ("app",), typing=True),
    Place("pane", "In every pane", PANE, ("app",)),
    Place("tokens", "In the token pane", TOKENS, ("pane",)),
    Place("sampling", "In the sampling pane", SAMPLING, ("pane",)),
    Place("chat", "On a turn of the conversation", CHAT, ("app",)),
    Place("thinking", "On a thinking block", THINKING, ("chat",)),
    Place("help", "On the help sheet", HELP),
    Place("history", "In the list of earlier prompts", HISTORY, typing=True),
    Place("models", "In the list of models", MODELS, typing=True),
    Place("themes", "In the list of themes", THEMES),
    Place("sessions", "In the list of conversations", SESSIONS),
    Place("repl", "In the REPL", REPL, typing=True, front_end="repl"),
)
"""Every place, the widest first."""

ON_SCREEN: dict[str, tuple[Action, ...]] = {place.title: place.actions for place in PLACES if place.front_end == "tui"}
"""The TUI's actions by where they work, for its help."""

EDITING: frozenset[str] = frozenset(
    (
        *("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "backspace", "delete", "f6", "f7"),
        *(f"ctrl+{key}" for key in "adekuvwxyz"),
        *("ctrl+left", "ctrl+right", "ctrl+backspace", "alt+backspace", "alt+delete", "ctrl+shift+k"),
        *(f"shift+{key}" for key in ("up", "down", "left", "right", "home", "end")),
        *("ctrl+shift+left", "ctrl+shift+right"),
    )
)
"""Keys that edit the prompt of the TUI and are nobody's action there; they cannot be remapped."""
