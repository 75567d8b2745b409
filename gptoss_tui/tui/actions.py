"""Every action once: its key, its names and what it does. Bindings, palette, key bar and help are made from this table.

Knows no widget: an action is a name that the app or the focused widget understands.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person can do, from anywhere or in one pane."""

    id: str
    """Names it in a keymap, such as `app.stop`."""
    keys: str
    """Keys as Textual writes them, separated by commas."""
    action: str
    """The method `action_…` that does it, with arguments where it takes some."""
    title: str
    """One or two words, for the key bar."""
    help: str
    """One sentence, for tooltips, the palette and the help screen."""
    show: bool = False
    """True where the key bar should have it while there is room."""
    priority: bool = False
    """True where it works whatever has the focus."""
    palette: bool = True
    """False for what makes sense only by key."""

    def binding(self) -> Binding:
        """The same as a Textual binding."""
        return Binding(
            self.keys,
            self.action,
            self.title,
            show=self.show,
            tooltip=self.help,
            id=self.id,
            priority=self.priority,
        )


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
    Action("app.retry", "alt+r", "retry", "retry", "Drop the last answer and ask again.", show=True),
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
    Action("app.copy", "alt+c", "copy_answer", "copy", "Copy the last answer as it was written.", show=True),
    Action("app.copy-thinking", "alt+x", "copy_thinking", "copy thinking", "Copy the last answer's thinking."),
    Action(
        "app.new",
        "ctrl+l",
        "new",
        "new",
        "Begin a new conversation; press twice, as the present one is not kept.",
        show=True,
        priority=True,
    ),
    Action("app.layers", "alt+1", "pane('layers')", "layers", "Go to the layers."),
    Action("app.kv", "alt+2", "pane('kv')", "KV cache", "Go to the KV cache."),
    Action("app.tokens", "alt+3", "pane('tokens')", "tokens", "Go to the tokens."),
    Action("app.knobs", "alt+4", "pane('sampling')", "sampling", "Go to the sampling knobs.", palette=False),
    Action("app.chat", "alt+0", "pane('chat')", "chat", "Go to the conversation, to read and scroll."),
    Action("app.pause", "alt+p", "pause", "pause view", "Freeze the token view; the model goes on."),
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
        "Complete a slash command; else go to the next pane.",
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
    Action("thinking.copy", "c", "copy", "copy", "Copy the text of this block.", show=True, palette=False),
)
"""What works on a thinking block."""

GROUPS: dict[str, tuple[Action, ...]] = {
    "Anywhere": APP,
    "In the prompt": PROMPT,
    "In every pane": PANE,
    "In the token pane": TOKENS,
    "In the sampling pane": SAMPLING,
    "On a thinking block": THINKING,
}


def bindings(actions: tuple[Action, ...]) -> list[Binding]:
    """The actions as Textual bindings."""
    return [action.binding() for action in actions]
