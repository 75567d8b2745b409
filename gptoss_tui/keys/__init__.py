"""Keys: every action that a key can do, by id, in one table for both front ends, and what config.toml changes in it.

Plain values. Knows neither Textual nor prompt_toolkit: `tui` and `repl` turn names of keys into their toolkit's own.
"""

from __future__ import annotations

from gptoss_tui.keys.action import Action, Place
from gptoss_tui.keys.keymap import Keymap, keymap_of
from gptoss_tui.keys.names import KeyNameError, display, key_named

__all__ = ["Action", "KeyNameError", "Keymap", "Place", "display", "key_named", "keymap_of"]
