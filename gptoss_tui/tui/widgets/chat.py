"""The conversation: turns from top to bottom, the newest in sight until the person scrolls away. Knows no session.

Of a long one only the newest turns are widgets, and more of them as the person goes back: each costs a few milliseconds
to make and a little with every layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.layout import DockArrangeResult

from gptoss_tui.keys import Keymap
from gptoss_tui.tui.widgets.grows import Grows
from gptoss_tui.tui.widgets.note import Note
from gptoss_tui.tui.widgets.selecting import Selecting
from gptoss_tui.tui.widgets.turn import Notes, Turn

if TYPE_CHECKING:
    from gptoss_tui.tui.turnview import TurnView

AT_ONCE = 12
"""The most turns that are drawn together; fewer where they fill the window twice."""
MOST = 40
"""Turns that a conversation may have as widgets while it grows."""


class _Said(Grows, Vertical):
    """All that was said."""


class ChatPane(Selecting):
    """#chat."""

    def __init__(self, keymap: Keymap, notices: Sequence[str] = ()) -> None:
        super().__init__(keymap)
        send, newline, help_key = (keymap.first(f"prompt.{name}") for name in ("send", "newline", "help"))
        self._welcome = f"Ask something: {send} sends, {newline} breaks the line, / lists commands, {help_key} helps."
        self.border_title = "Chat"
        self._about = Vertical(*(Note(line, kind="about") for line in notices), id="about")
        # As tall as the pane at least: Textual would hang a shorter conversation on the lower edge.
        self._said = _Said(self._about, Note(self._welcome, kind="welcome"), id="said")
        self._views: list[TurnView] = []
        """The whole path, as it was drawn last."""
        self._first = 0
        """How many of its turns are not widgets yet."""
        self._notes: Notes = lambda node: ()
        self._earlier: Note | None = None
        """Says how many turns there are above."""
        self._going_up = False
        """Whether turns further up are being drawn."""
        self._from_below: float | None = None
        """Lines between the top of the window and the conversation's end, to be kept at the next layout."""

    def compose(self) -> ComposeResult:
        """What the model is, then the conversation; an empty one says how to begin."""
        yield self._said

    def on_mount(self) -> None:
        """Stays at the end while the conversation grows."""
        self.anchor()

    def arrange(self, size: Size, optimal: bool = False) -> DockArrangeResult:
        """Keeps the window where it was when something comes in above it."""
        result = super().arrange(size, optimal)
        if self._from_below is not None:
            top = max(0, result.total_region.bottom - self._from_below)
            self._from_below = None
            for name in ("scroll_y", "scroll_target_y"):
                self.set_reactive(getattr(type(self), name), top)
        return result

    async def introduce(self, *lines: str) -> None:
        """What the model is, above the conversation; it stays when the conversation is cleared."""
        await self._about.mount_all(Note(line, kind="about") for line in lines if line)

    async def ask(self, prompt: str) -> Turn:
        """A new turn at the end, that is not in the tree yet."""
        await self.query(".-welcome").remove()
        await self._let_go()
        turn = Turn(prompt)
        self.turns.append(turn)
        await self._said.mount(turn)
        self.anchor()
        return turn

    async def _let_go(self) -> None:
        """The oldest turns of a conversation that has grown long are widgets no more; going up brings them back."""
        spare = len(self.turns) - MOST
        if spare < 0 or self._first + len(self.turns) != len(self._views):
            return
        first = self.turns[spare + AT_ONCE]
        children = list(self._said.children)
        gone = [child for child in children[: children.index(first)] if child not in (self._about, self._earlier)]
        del self.turns[: spare + AT_ONCE]
        self._first += spare + AT_ONCE
        with self.app.batch_update():
            await self._said.remove_children(gone)
            await self._tell_earlier(self._first)

    async def show(self, views: Sequence[TurnView], notes: Notes, *, stay: bool = False) -> Turn | None:
        """Draws a path; the turn at its end, None where it is empty. What is drawn already is not drawn again.

        `notes` makes the lines under an answer; `stay`: the window stays where it is instead of going to the end.
        """
        self._notes = notes
        if not views:
            await self.clear()
            return None
        kept = self._unchanged(views)
        page = self._page(views, len(views))
        anew = kept < self._first or (page > kept and not stay)
        if anew:
            self._first = kept = page
        if self.has_focus_within and not self.has_focus:
            self.focus(scroll_visible=False)
        if stay:
            self.release_anchor()
        with self.app.batch_update():
            await self._cut(0 if anew else kept - self._first)
            for begin in range(kept, len(views), AT_ONCE):
                await self._draw(views[begin : begin + AT_ONCE])
            await self._tell_earlier(self._first)
        self.described(views)
        if not stay:
            self.anchor()
        return self.turns[-1]

    def described(self, views: Sequence[TurnView]) -> None:
        """What stands in the tree of what is shown: numbers and branches may have changed."""
        self._views = list(views)
        self.select_again()
        for turn, view in zip(self.turns, self._views[self._first :], strict=False):
            turn.describe(view)
        self.offer_ways()
        # Other moves can be made now, at other costs.
        self.post_message(self.Selected())

    def _unchanged(self, views: Sequence[TurnView]) -> int:
        """How many turns are on the screen, or would be further up, as they are."""
        count = 0
        for at, view in enumerate(views[: self._first + len(self.turns)]):
            shown = self._views[at] if at < self._first else self.turns[at - self._first].view
            if shown is None or shown.ids != view.ids or any(node.ending == "writing" for node in view.nodes):
                break
            count += 1
        return count

    def _page(self, views: Sequence[TurnView], end: int) -> int:
        """Where a page of turns begins that ends before turn `end`: as many as fill the window twice."""
        width, lines, at = max(20, self.size.width), 0, end
        while at > 0 and end - at < AT_ONCE and lines < 2 * self.size.height:
            at -= 1
            for node in views[at].nodes:
                lines += 3 + sum(1 + len(line) // width for line in node.text.splitlines())
        return at

    async def _cut(self, kept: int) -> None:
        """Takes away the turns behind the first `kept`, and what the program said after those."""
        await self.query(".-welcome").remove()
        if kept == len(self.turns):
            return
        end = self._said.children.index(self.turns[kept])
        gone = [*self._said.children[end:]]
        del self.turns[kept:]
        await self._said.remove_children(gone)

    async def _draw(self, views: Sequence[TurnView], *, above: Turn | None = None) -> None:
        turns = [Turn(view=view) for view in views]
        for turn in turns:
            turn.recall(self._notes)
        at = len(self.turns) if above is None else 0
        await self._said.mount_all(turns, before=above)
        self.turns[at:at] = turns
        for turn, view in zip(turns, views, strict=True):
            await turn.complete()
            if view.nodes[-1].ending == "writing":
                await turn.reopen(view.nodes[-1])

    async def _tell_earlier(self, count: int) -> None:
        if self._earlier is not None:
            await self._earlier.remove()
            self._earlier = None
        if count:
            one = "1 turn is" if count == 1 else f"{count:,} turns are"
            self._earlier = Note(f"{one} further up:", kind="earlier", ways=(("earlier-turns", "show more", ""),))
            await self._said.mount(self._earlier, after=self._about)

    def show_earlier(self) -> None:
        """Draws some of the turns further up; the window stays where it is."""
        if self._first and not self._going_up:
            self._going_up = True
            self.run_worker(self._show_earlier())

    def walk(self, by: int) -> None:
        """As ever; from the first turn that is drawn, to the one above it."""
        if by < 0 and self._first and self.turns and self.selected is self.turns[0]:
            if not self._going_up:
                self._going_up = True
                self.run_worker(self._show_earlier(walk=by))
            return
        super().walk(by)

    async def _show_earlier(self, walk: int = 0) -> None:
        first = self._page(self._views, self._first)
        with self.app.batch_update():
            await self._draw(self._views[first : self._first], above=self.turns[0] if self.turns else None)
            await self._tell_earlier(first)
            self._from_below = self.virtual_size.height - self.scroll_y
            self._first = first
        self._going_up = False
        self.offer_ways()
        if walk:
            self.walk(walk)

    @property
    def has_earlier(self) -> bool:
        """Whether there are turns further up that are not drawn."""
        return self._first > 0

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """At the top, more comes in above."""
        super().watch_scroll_y(old_value, new_value)
        if self._first and new_value < old_value and new_value < 2:
            self.show_earlier()

    async def forget(self, turn: Turn) -> None:
        """Takes a turn away that was never answered."""
        if turn in self.turns:
            self.turns.remove(turn)
            await turn.remove()

    async def note(self, text: str | Note, kind: str = "info", *, under: Turn | None = None) -> None:
        """A line from the program, under a turn or at the end."""
        if under is not None and not under.is_attached:
            return
        note = text if isinstance(text, Note) else Note(text, kind=kind)
        await (self._said if under is None else under).mount(note)

    async def clear(self) -> None:
        """An empty conversation."""
        self.turns.clear()
        self._views, self._first, self._earlier = [], 0, None
        await self._said.remove_children([child for child in self._said.children if child is not self._about])
        await self._said.mount(Note(self._welcome, kind="welcome"))
