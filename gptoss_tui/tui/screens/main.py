"""The one screen: status, chat, instruments, prompt, keys. Arranges them by the window's size; computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.timer import Timer
from textual.widgets import Static

from gptoss_tui.tui.backlog import behind
from gptoss_tui.tui.conductor import Conductor
from gptoss_tui.tui.frontend import TuiFrontEnd
from gptoss_tui.tui.lean import LeanCompositor
from gptoss_tui.tui.messages import Loaded, LoadFailed, LoadTick, ModelSwitched, Offered, Told, Wake
from gptoss_tui.tui.mover import Mover
from gptoss_tui.tui.screens.arranged import Arranged
from gptoss_tui.tui.sessions import Sessions
from gptoss_tui.tui.snapshot import Phase, Snapshot
from gptoss_tui.tui.widgets.chat import ChatPane
from gptoss_tui.tui.widgets.heading import Acted
from gptoss_tui.tui.widgets.keybar import KeyBar
from gptoss_tui.tui.widgets.kv import KvPane
from gptoss_tui.tui.widgets.layers import LayersPane
from gptoss_tui.tui.widgets.live import LOW_BANDWIDTH
from gptoss_tui.tui.widgets.prompt import Prompt
from gptoss_tui.tui.widgets.promptbar import PromptBar
from gptoss_tui.tui.widgets.sampling import SamplingPane
from gptoss_tui.tui.widgets.status import StatusLine
from gptoss_tui.tui.widgets.suggestions import Suggestions
from gptoss_tui.tui.widgets.tokens import TokensPane

if TYPE_CHECKING:
    from gptoss_tui.chat.history import PromptHistory
    from gptoss_tui.tui.options import TuiOptions
    from gptoss_tui.tui.ports import OpenBackend


CATCH_UP_S = 0.05
"""Seconds between two looks at a terminal that has not taken yet what was sent."""


class MainScreen(Arranged):
    """All panes, and the conductor that feeds them."""

    AUTO_FOCUS = "#prompt"

    def __init__(
        self, options: TuiOptions, history: PromptHistory, open_backend: OpenBackend, notices: Sequence[str] = ()
    ) -> None:
        """`notices` stand above the conversation from the start."""
        super().__init__()
        self._compositor = self._lean = LeanCompositor(lambda: behind(self.app))
        self.status = StatusLine()
        self.keymap = options.keymap
        self._low_bandwidth = options.low_bandwidth
        self.chat = ChatPane(options.keymap, notices)
        self.layers_pane = LayersPane()
        self.kv = KvPane()
        self.tokens = TokensPane()
        self.sampling = SamplingPane(lambda params: self.conductor.set_params(params))
        self.prompt = Prompt(history)
        self.suggestions = Suggestions()
        self.promptbar = PromptBar(self.suggestions, self.prompt)
        self.keybar = KeyBar(self.offers)
        self.front_end = TuiFrontEnd(self)
        self.conductor = Conductor(options, self, open_backend)
        self.mover = Mover(self, self.conductor)
        self.sessions = Sessions(self, self.conductor)
        self._notice = ""
        self._catching_up: Timer | None = None
        self._phase: Phase | None = None

    def compose(self) -> ComposeResult:
        """Top to bottom; the grid in the middle is arranged by app.tcss."""
        yield self.status
        with Container(id="body"):
            yield self.chat
            with Container(id="instruments"):
                yield from self.panels
            yield self.promptbar
        yield self.keybar
        yield Static(id="toosmall")

    def on_mount(self) -> None:
        """The first frame is drawn before the model is looked at."""
        self.set_class(self._low_bandwidth, LOW_BANDWIDTH)
        self.arrange_at_first()
        self.show(self.conductor.snapshot)
        self.call_after_refresh(self.conductor.start)
        self.sessions.begin()

    def show(self, snapshot: Snapshot) -> None:
        """A new picture for every pane that is in sight."""
        self.status.show(replace(snapshot, notice=self._notice) if self._notice else snapshot)
        for panel in self.panels:
            panel.show(snapshot)
        if snapshot.phase != self._phase:
            # Other things can be done now.
            self._phase = snapshot.phase
            self.chat.set_idle(snapshot.phase == "idle")
            self.keybar.refresh()

    def offers(self, action: str) -> bool:
        """False for actions that would do nothing now: the key bar leaves them out."""
        meant = self.chat.meant
        view = meant.view if meant is not None else None
        match action:
            case "stop":
                return self.conductor.running or bool(self.conductor.snapshot.queued)
            case "do('continue')":
                return view is not None and view.continues and not self.conductor.running
            case "do('copy')":
                return meant is not None and bool(meant.answer)
            case "new":
                return bool(self.chat.turns) and not self.conductor.running
            case "thinking":
                return any(turn.thinking for turn in self.chat.turns)
            case _:
                return not action.startswith("do(") or (view is not None and not self.conductor.running)

    def notice(self, text: str, seconds: float) -> None:
        """Says something in the status line for a moment."""
        self._notice = text
        self.show(self.conductor.snapshot)
        self.set_timer(seconds, self._end_notice)

    def _end_notice(self) -> None:
        self._notice = ""
        self.show(self.conductor.snapshot)

    def on_screen_suspend(self) -> None:
        """Another screen draws now."""
        self._lean.forget()

    def on_screen_resume(self) -> None:
        """Another screen has drawn."""
        self._lean.forget()

    def _compositor_refresh(self) -> None:
        super()._compositor_refresh()
        if self._lean.held and self._catching_up is None:
            self._catching_up = self.set_timer(CATCH_UP_S, self._catch_up)

    def _catch_up(self) -> None:
        self._catching_up = None
        if self.is_current:
            self._compositor_refresh()

    # What the panes and the other threads tell

    @on(Wake)
    def _wake(self) -> None:
        self.conductor.player.schedule()

    @on(LoadTick)
    def _load_tick(self, event: LoadTick) -> None:
        self.conductor.on_tick(event)

    @on(Loaded)
    async def _loaded(self, event: Loaded) -> None:
        await self.conductor.on_loaded(event)

    @on(Told)
    async def _told(self, event: Told) -> None:
        await self.chat.note(event.text, "warning")

    @on(Offered)
    async def _offered(self, event: Offered) -> None:
        await self.sessions.offer(event)

    @on(ModelSwitched)
    async def _switched(self, event: ModelSwitched) -> None:
        await self.conductor.on_switched(event)

    @on(LoadFailed)
    async def _load_failed(self, event: LoadFailed) -> None:
        await self.conductor.on_load_failed(event)

    @on(SamplingPane.Refused)
    def _value_refused(self, event: SamplingPane.Refused) -> None:
        self.app.notify(f"{event.fault.message} {event.fault.hint}", severity="warning")

    @on(Prompt.Sent)
    async def _sent(self, event: Prompt.Sent) -> None:
        self.promptbar.show_files(())
        if self.mover.editing is not None:
            self.run_worker(self.mover.finish(event.text))
            return
        if self.front_end.execute(event.text):
            return
        await self.conductor.send(event.text)

    @on(Prompt.ScrollAsked)
    def _scroll_chat(self, event: Prompt.ScrollAsked) -> None:
        if event.pages < 0:
            self.chat.scroll_page_up(animate=False)
        else:
            self.chat.scroll_page_down(animate=False)

    @on(Prompt.Edited)
    def _prompt_edited(self, event: Prompt.Edited) -> None:
        self.suggestions.offer(event.text if self.mover.editing is None else "")
        self.mover.typed(event.text)

    @on(Prompt.CompleteAsked)
    def _complete(self) -> None:
        if (text := self.suggestions.completed(self.prompt.text)) is not None:
            self.prompt.fill(text)

    # The conversation

    @on(Acted)
    def _acted(self, event: Acted) -> None:
        self.run_worker(self.mover.act(event.name, self.chat.turn_of(event.by)))

    @on(ChatPane.Selected)
    def _selected(self) -> None:
        self.mover.selected(self.chat.selected)
        self.keybar.refresh()

    @on(ChatPane.Left)
    def _chat_left(self) -> None:
        self.prompt.focus()

    def copy(self, text: str, what: str) -> None:
        """Copies a text, and says so."""
        self.front_end.copy(text, what)
