"""The REPL's keys, on top of prompt_toolkit's own for emacs and vi editing. What they do is the screen's."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.filters import Always, Condition, Filter, emacs_mode, has_focus, is_searching, vi_navigation_mode
from prompt_toolkit.key_binding import KeyBindings, KeyBindingsBase, KeyPressEvent, merge_key_bindings
from prompt_toolkit.key_binding.bindings.auto_suggest import load_auto_suggest_bindings
from prompt_toolkit.keys import KEY_ALIASES, Keys
from prompt_toolkit.search import SearchDirection, start_search

from gptoss_tui.chat.controls import CONTROLS
from gptoss_tui.keys import Keymap
from gptoss_tui.keys.names import character
from gptoss_tui.keys.table import REPL
from gptoss_tui.repl.blocks import block_open
from gptoss_tui.repl.view import TWICE_S

if TYPE_CHECKING:
    from gptoss_tui.repl.screen import Screen

Handler = Callable[["KeyPressEvent"], None]

_MORE = {
    "prompt.send": 'While the model writes, it is sent afterwards. After """ it breaks the line until """ ends it.',
    "prompt.search": "Up and down walk through them; right takes the suggestion.",
}


def keys_help(keymap: Keymap) -> list[tuple[str, str]]:
    """For the help: the keys as they are bound now, and what they do."""
    shown = [(keymap.shown(action), f"{action.help} {_MORE.get(action.id, '')}".rstrip()) for action in REPL]
    return [(keys, text) for keys, text in shown if keys]


def key_sequences(keymap: Keymap, name: str) -> list[tuple[str, ...]]:
    """The keys of an action as prompt_toolkit writes them; those that it cannot tell apart are left out."""
    action = next(each for each in REPL if each.id == name)
    sequences = []
    for keys in keymap.keys(action):
        parts = [part for key in keys for part in _parts(key)]
        if all(len(part) == 1 or part in _KNOWN for part in parts):
            sequences.append(tuple(parts))
    return sequences


_KNOWN = frozenset(key.value for key in Keys) | frozenset(KEY_ALIASES)


def _parts(key: str) -> list[str]:
    *modifiers, name = key.split("+")
    # A terminal sends Escape before a key that is pressed with alt.
    parts = ["escape"] if "alt" in modifiers else []
    char = character(name) or name
    if "alt" in modifiers and "shift" in modifiers and len(char) == 1:
        return [*parts, char.upper()]
    held = "".join(f"{modifier[0]}-" for modifier in ("ctrl", "shift") if modifier in modifiers)
    return [*parts, f"{held}{'@' if held == 'c-' and char == ' ' else char}"]


def key_bindings(screen: Screen, keymap: Keymap) -> KeyBindingsBase:
    """The bindings, for the screen's application."""
    keys = KeyBindings()
    typing = has_focus(screen.buffer) & ~is_searching
    empty = Condition(lambda: not screen.buffer.text)
    running = Condition(lambda: screen.conversation.running)
    last_interrupt = [float("-inf")]

    def on(name: str, when: Filter) -> Callable[[Handler], Handler]:
        """Binds the keys of an action to a function."""

        def bind(handler: Handler) -> Handler:
            for first, *others in key_sequences(keymap, name):
                # In vi's insert mode Escape is vi's; before another key it is so always.
                escapes = (emacs_mode if others else emacs_mode | vi_navigation_mode) if first == "escape" else Always()
                keys.add(first, *others, filter=when & escapes)(handler)
            return handler

        return bind

    @on("prompt.send", typing)
    def send(event: KeyPressEvent) -> None:
        buffer = screen.buffer
        chosen = buffer.complete_state.current_completion if buffer.complete_state is not None else None
        if chosen is not None:
            buffer.complete_state = None
            return
        if block_open(buffer.text):
            buffer.newline(copy_margin=False)
            return
        text = buffer.text
        buffer.reset(append_to_history=bool(text.strip()))
        screen.enter(text)

    @on("prompt.newline", typing)
    def break_line(event: KeyPressEvent) -> None:
        screen.buffer.newline(copy_margin=False)

    @on("app.stop", typing & running)
    def stop(event: KeyPressEvent) -> None:
        screen.conversation.stop()

    @on("app.interrupt", typing)
    @keys.add(Keys.SIGINT)
    def interrupt(event: KeyPressEvent) -> None:
        if screen.conversation.queue:
            screen.take_back()
            screen.conversation.stop()
        elif screen.conversation.stop():
            return
        elif screen.buffer.text:
            screen.buffer.reset(append_to_history=True)
        elif time.monotonic() - last_interrupt[0] < TWICE_S:
            screen.quit()
        else:
            last_interrupt[0] = time.monotonic()
            screen.note(f"{keymap.first('app.interrupt')} again to leave")

    @on("repl.leave", typing & empty)
    def leave(event: KeyPressEvent) -> None:
        screen.quit()

    @on("repl.more", typing & empty & running)
    def more(event: KeyPressEvent) -> None:
        screen.turn_knob(1)

    @on("repl.less", typing & empty & running)
    def less(event: KeyPressEvent) -> None:
        screen.turn_knob(-1)

    @on("repl.next-knob", typing & empty & running)
    def next_knob(event: KeyPressEvent) -> None:
        screen.knob = (screen.knob + 1) % len(CONTROLS)

    @on("prompt.complete", typing & ~empty)
    def complete(event: KeyPressEvent) -> None:
        # At once, though prompt_toolkit completes behind the keys: what is typed next must not overtake it.
        possible = list(screen.completer.get_completions(screen.buffer.document, CompleteEvent(True)))
        if len(possible) == 1:
            screen.buffer.apply_completion(possible[0])
        elif screen.buffer.complete_state is not None:
            screen.buffer.complete_next()
        else:
            screen.buffer.start_completion(insert_common_part=True)

    @on("prompt.search", typing)
    def search(event: KeyPressEvent) -> None:
        start_search(direction=SearchDirection.BACKWARD)

    @on("repl.edit", typing & emacs_mode)
    @keys.add("v", filter=typing & vi_navigation_mode)
    def edit(event: KeyPressEvent) -> None:
        event.app.create_background_task(screen.edit())

    return merge_key_bindings([load_auto_suggest_bindings(), keys])
