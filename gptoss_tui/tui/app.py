"""The Textual application: bindings, palette, leaving, other screens. A conversation is the conductor's business."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from gptoss_tui import clipboard
from gptoss_tui.chat.history import PromptHistory, history_file
from gptoss_tui.clipboard import ClipboardError
from gptoss_tui.harmony.messages import EFFORTS
from gptoss_tui.keys import display
from gptoss_tui.keys.table import APP
from gptoss_tui.signals import Leaving
from gptoss_tui.tui.actions import NO_KEY, bindings, textual_keymap
from gptoss_tui.tui.backend import open_backend
from gptoss_tui.tui.options import TuiOptions
from gptoss_tui.tui.palette import commands
from gptoss_tui.tui.ports import OpenBackend
from gptoss_tui.tui.screens.help import HelpScreen
from gptoss_tui.tui.screens.history import HistoryScreen
from gptoss_tui.tui.screens.main import MainScreen
from gptoss_tui.tui.screens.models import ModelScreen
from gptoss_tui.tui.themed import ThemedApp
from gptoss_tui.tui.widgets.panel import Panel
from gptoss_tui.tui.widgets.prompt import Prompt

_UNDER_SHEETS = frozenset(("interrupt", "pane", "panes", "new", "command_palette"))

TWICE_S = 2.0
"""Seconds in which the second press of a key that asks twice must come."""


class GptOssApp(ThemedApp):
    """`gptoss` on a terminal that can hold it."""

    CSS_PATH: ClassVar[str | Path] = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(APP)]
    ENABLE_COMMAND_PALETTE = True
    TITLE = "gptoss"

    def __init__(self, options: TuiOptions, open_backend: OpenBackend = open_backend) -> None:
        super().__init__(options)
        self.set_keymap(textual_keymap(self.keymap))
        history = PromptHistory(history_file(options.history_file, private=not options.saving.save))
        self.main = MainScreen(options, history, open_backend, (*self.broken_themes, *options.keymap.notices))
        self._loop_of_app: asyncio.AbstractEventLoop | None = None
        self._asked = ("", 0.0)
        """The key that asked to be pressed twice, and when."""

    def get_default_screen(self) -> Screen[None]:
        """The one screen there is."""
        return self.main

    def on_mount(self) -> None:
        """From now on a signal can end the loop."""
        self._loop_of_app = asyncio.get_running_loop()

    def leave_soon(self) -> None:
        """Leaves; may be called from a signal handler and from any thread, and before the loop runs."""
        if self._loop_of_app is None:
            raise SystemExit(0)
        self._loop_of_app.call_soon_threadsafe(self.exit)

    def get_key_display(self, binding: Binding) -> str:
        """Keys as everything else here writes them: `ctrl+s` where Textual writes ^s."""
        return "" if binding.key == NO_KEY else display(binding.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that work everywhere do not reach under a sheet: what they would change is covered by it."""
        return self.screen is self.main or action not in _UNDER_SHEETS

    @property
    def busy(self) -> bool:
        """Whether an answer is under way that is worth finishing without a terminal."""
        keeper = self.main.conductor.keeper
        return keeper is not None and keeper.busy

    def close(self, leaving: Leaving | None = None) -> tuple[str, ...]:
        """Ends the model; called once the terminal is restored. `leaving`: what ended it, unless its person did. Lines
        for the person."""
        return self.main.conductor.close(leaving or Leaving())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette's entries."""
        return commands(self)

    async def run_named(self, action: str) -> None:
        """Runs an action of the table, wherever it is bound."""
        for target in (self, self.main.prompt):
            if hasattr(target, f"action_{action.split('(')[0]}"):
                await self.run_action(action, default_namespace=target)
                return

    # Actions

    async def action_stop(self) -> None:
        """Leaves editing, else stops the answer, else goes back to the prompt."""
        if not self.main.mover.cancel() and not await self.main.conductor.stop():
            self.main.prompt.focus()

    async def action_interrupt(self) -> None:
        """Copies what is selected, else stops, else leaves at the second press."""
        prompt = self.main.prompt
        selected = self.screen.get_selected_text() or (prompt.selected_text if prompt.has_focus else "")
        if selected:
            self.copy_to_clipboard(selected)
            self.screen.clear_selection()
            self.notify("Copied.")
        elif await self.main.conductor.stop():
            return
        elif prompt.text:
            prompt.prompts.add(prompt.text)
            prompt.load_text("")
        elif self._twice("interrupt", f"{self.keymap.first('app.interrupt')} again to leave"):
            self.exit()

    def _twice(self, name: str, notice: str) -> bool:
        """True at the second press within a moment; the first one says what the second would do."""
        now = time.monotonic()
        before, at = self._asked
        self._asked = (name, now)
        if before == name and now - at < TWICE_S:
            return True
        self.main.notice(notice, TWICE_S)
        return False

    async def action_do(self, name: str) -> None:
        """Does something with the selected turn, else with the last one."""
        await self.main.mover.act(name, self.main.chat.meant)

    def action_walk(self, by: int) -> None:
        """Selects the turn above or below."""
        self.main.chat.walk(by)

    async def action_new(self) -> None:
        """A new conversation; asks twice where something would be lost."""
        sessions = self.main.sessions
        again = f"{self.keymap.first('app.new')} again: a new conversation; this one is not kept"
        if not self.main.chat.turns or sessions.saved or self._twice("new", again):
            self._asked = ("", 0.0)
            await sessions.new()

    def action_sessions(self) -> None:
        """The list of conversations."""
        self.main.sessions.browse()

    def action_pane(self, name: str) -> None:
        """Goes to a pane, or back from it."""
        self.main.go_to(name)

    def action_panes(self) -> None:
        """Shows or hides the instruments."""
        self.main.toggle_panes()

    def action_effort(self) -> None:
        """The next effort."""
        conductor = self.main.conductor
        at = EFFORTS.index(conductor.snapshot.effort)
        conductor.set_effort(EFFORTS[(at + 1) % len(EFFORTS)])

    def action_thinking(self) -> None:
        """Opens or closes the last answer's thinking."""
        for turn in reversed(self.main.chat.turns):
            if turn.thinking:
                turn.thinking[-1].action_fold()
                return
        self.notify("There is no thinking yet.")

    def action_copy_thinking(self) -> None:
        """Copies the last answer's thinking."""
        texts = ("\n\n".join(part.text for part in turn.thinking) for turn in reversed(self.main.chat.turns))
        self.copy(next((text for text in texts if text), ""), "Thinking")

    def copy(self, text: str, what: str) -> None:
        """Copies a text, and says so."""
        if text:
            self.copy_to_clipboard(text)
            self.notify(f"{what} copied.")
        else:
            self.notify("There is nothing to copy yet.")

    def copy_to_clipboard(self, text: str) -> None:
        """Into every clipboard within reach; here and far away."""
        self._clipboard = text
        self.run_worker(self._copy(text))

    async def _copy(self, text: str) -> None:
        write = self._driver.write if self._driver is not None else None
        try:
            # On a thread, since a clipboard's program may take its time.
            await asyncio.to_thread(clipboard.copy, text, write)
        except ClipboardError as fault:
            self.notify(f"{fault.message}. {fault.hint}", severity="warning", markup=False)

    def action_models(self) -> None:
        """Chooses another model."""

        def take(folder: Path | None) -> None:
            if folder is not None:
                self.run_worker(self.main.conductor.use_model(folder))

        backend = self.main.conductor.backend
        self.push_screen(ModelScreen(self.keymap, backend.folder if backend is not None else None), take)

    def action_pause(self) -> None:
        """Freezes the token view."""
        self.main.tokens.action_toggle_pause()

    def action_help(self) -> None:
        """Help on the pane with the focus, or on everything."""
        focused = self.focused
        self.push_screen(HelpScreen(self.keymap, focused.id or "" if isinstance(focused, Panel) else ""))

    # Messages that ask for another screen

    def on_panel_help_asked(self, event: Panel.HelpAsked) -> None:
        """Explains one pane."""
        self.push_screen(HelpScreen(self.keymap, event.topic))

    def on_prompt_help_asked(self, _event: Prompt.HelpAsked) -> None:
        """Explains everything."""
        self.push_screen(HelpScreen(self.keymap))

    def on_prompt_search_asked(self, _event: Prompt.SearchAsked) -> None:
        """Searches the history; the chosen prompt may be edited before it is sent."""
        prompt = self.main.prompt

        def take(chosen: str | None) -> None:
            if chosen is not None:
                prompt.fill(chosen)
            prompt.focus()

        self.push_screen(HistoryScreen(prompt.prompts, self.keymap), take)
