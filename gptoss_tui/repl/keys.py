"""The REPL's keys, on top of prompt_toolkit's own for emacs and vi editing. What they do is the screen's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.filters import Condition, emacs_mode, has_focus, is_searching, vi_navigation_mode
from prompt_toolkit.key_binding import KeyBindings, KeyBindingsBase, KeyPressEvent, merge_key_bindings
from prompt_toolkit.key_binding.bindings.auto_suggest import load_auto_suggest_bindings
from prompt_toolkit.keys import Keys

from gptoss_tui.chat.controls import CONTROLS
from gptoss_tui.repl.frontend import block_open

if TYPE_CHECKING:
    from gptoss_tui.repl.screen import Screen

TWICE_S = 2.0
"""Seconds in which the second press of a key that asks twice must come."""

KEYS_HELP = (
    'enter        send; while the model writes, it is sent afterwards. After """ it breaks the line until """ ends it',
    "alt-enter    break the line; ctrl-j does too",
    "esc, ctrl-c  stop the answer; ctrl-c on an empty prompt, twice: leave",
    "+ -          while the model writes, on an empty prompt: turn the marked knob; tab marks the next one",
    "ctrl-r       search the prompts of before; up and down walk through them; right takes the suggestion",
    "ctrl-x ctrl-e  write the prompt in $EDITOR (vi keys: v)",
    "ctrl-d       on an empty prompt: leave",
)
"""Lines for the help."""


def key_bindings(screen: Screen) -> KeyBindingsBase:
    """The bindings, for the screen's application."""
    keys = KeyBindings()
    typing = has_focus(screen.buffer) & ~is_searching
    empty = Condition(lambda: not screen.buffer.text)
    running = Condition(lambda: screen.conversation.running)
    last_interrupt = [float("-inf")]

    @keys.add("enter", filter=typing)
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

    @keys.add("c-j", filter=typing)
    @keys.add("escape", "enter", filter=typing & emacs_mode)
    def break_line(event: KeyPressEvent) -> None:
        screen.buffer.newline(copy_margin=False)

    # In vi's insert mode Escape is vi's.
    @keys.add("escape", filter=typing & running & (emacs_mode | vi_navigation_mode))
    def stop(event: KeyPressEvent) -> None:
        screen.conversation.stop()

    @keys.add("c-c", filter=typing)
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
            screen.note("ctrl-c again to leave")

    @keys.add("c-d", filter=typing & empty)
    def leave(event: KeyPressEvent) -> None:
        screen.quit()

    @keys.add("+", filter=typing & empty & running)
    def more(event: KeyPressEvent) -> None:
        screen.turn_knob(1)

    @keys.add("-", filter=typing & empty & running)
    def less(event: KeyPressEvent) -> None:
        screen.turn_knob(-1)

    @keys.add("tab", filter=typing & empty & running)
    def next_knob(event: KeyPressEvent) -> None:
        screen.knob = (screen.knob + 1) % len(CONTROLS)

    @keys.add("tab", filter=typing & ~empty)
    def complete(event: KeyPressEvent) -> None:
        # At once, though prompt_toolkit completes behind the keys: what is typed next must not overtake it.
        possible = list(screen.completer.get_completions(screen.buffer.document, CompleteEvent(True)))
        if len(possible) == 1:
            screen.buffer.apply_completion(possible[0])
        elif screen.buffer.complete_state is not None:
            screen.buffer.complete_next()
        else:
            screen.buffer.start_completion(insert_common_part=True)

    @keys.add("c-x", "c-e", filter=typing & emacs_mode)
    @keys.add("v", filter=typing & vi_navigation_mode)
    def edit(event: KeyPressEvent) -> None:
        event.app.create_background_task(screen.edit())

    return merge_key_bindings([load_auto_suggest_bindings(), keys])
