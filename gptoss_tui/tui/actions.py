"""The table of keys as Textual's bindings. Knows no widget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.binding import Binding

from gptoss_tui.keys import Action, Keymap

NO_KEY = "no-key"
"""Stands for the key of an action that has none: Textual does not understand an empty one, and nobody sends this."""

# A terminal without the kitty keyboard protocol has one character for both.
_TWO_NAMES = {"ctrl+space": "ctrl+space,ctrl+@", "ctrl+at": "ctrl+at,ctrl+@"}


def bindings(actions: Sequence[Action]) -> list[Binding]:
    """The actions as Textual bindings, with the keys of the table."""
    return [
        Binding(
            action.keys,
            action.action,
            action.title,
            show=action.show,
            tooltip=action.help,
            id=action.id,
            priority=action.priority,
        )
        for action in actions
    ]


def textual_keymap(keymap: Keymap) -> Mapping[str, str]:
    """What config.toml changes, as `App.set_keymap` wants it."""
    return {
        name: ",".join(_TWO_NAMES.get(key, key) for keys in sequences for key in keys) or NO_KEY
        for name, sequences in keymap.changed.items()
    }
