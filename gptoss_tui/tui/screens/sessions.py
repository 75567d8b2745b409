"""The kept conversations: found by their words, opened, renamed, deleted and brought back, written to a file.

Everything that touches the disk runs beside the interface. Knows no running conversation but by its id.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.cells import cell_len
from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.style import Style
from textual.widgets import Input, Static

from gptoss_tui.chat import format
from gptoss_tui.chat.exporting import export_archive
from gptoss_tui.errors import GptOssError
from gptoss_tui.keys import Keymap
from gptoss_tui.keys.conversation import SESSIONS
from gptoss_tui.tui.actions import bindings
from gptoss_tui.tui.screens.listing import ListScreen
from gptoss_tui.visible import visible, visible_token

if TYPE_CHECKING:
    from gptoss_tui.chat.store.library import Library
    from gptoss_tui.chat.store.rows import Listed

T = TypeVar("T")

_LATELY_S = 7 * 86_400.0
"""Up to this age a conversation's time is told as how long ago it was."""
_WIDE = 72
"""Cells from which a line has room for everything."""


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation, and where the words were found in it."""

    one: Listed
    excerpt: str = ""


class SessionsScreen(ListScreen[str, Found]):
    """Gives back the id of the conversation to go on with."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(SESSIONS)]
    SHEET = "sessions"
    PLACEHOLDER = "Words of a conversation"

    def __init__(
        self,
        library: Library,
        keymap: Keymap,
        present: str,
        *,
        rename: Callable[[str], None],
        leave: Callable[[], Awaitable[None]],
        words: str = "",
    ) -> None:
        """`present` is the id of the conversation on the screen: `rename` gives that one another title, `leave` begins
        another one. `words` are searched for at first."""
        super().__init__()
        self._library, self._keymap = library, keymap
        self._present, self._rename, self._leave, self._begin = present, rename, leave, words
        self._all: list[Listed] = []
        self._elsewhere: dict[str, str] = {}
        """What other processes do, by their ids."""
        self._deleted: list[Listed] = []
        self._renaming: Listed | None = None
        self._told: Found | None = None
        """What the line under the list is about."""

    async def on_mount(self) -> None:
        """The list is there at once, or after a moment where there are very many."""
        self.name_sheet("Conversations", f"enter opens · {self._keymap.first('sessions.back')} back")
        self.say(head="", foot="")
        title = Input(id="sessions-title", placeholder="Another title")
        title.display = False
        await self.query_one("#sessions").mount(title, Static(self._ways(), id="sessions-ways"))
        self.words.value = self._begin
        self._load()

    def _ways(self) -> Content:
        """What can be done with the marked one, to be clicked."""
        parts: list[tuple[str, Style] | str] = []
        for name in ("rename", "delete", "undo", "export"):
            text = f"{self._keymap.key(f'sessions.{name}')} {name}".lstrip()
            parts += ["   " if parts else "", (text, Style.from_meta({"@click": f"screen.{name}"}))]
        return Content.assemble(*parts)

    def _load(self, mark: int = 0) -> None:
        def read() -> tuple[list[Listed], dict[str, str]]:
            from gptoss_tui.chat.store.instances import others

            doing = {other.id: "being finished" if other.doing == "finishing" else "open" for other in others(folder)}
            return self._library.listed(), doing

        folder = self._library.folder

        async def load() -> None:
            told = await self._beside(read)
            if told is not None:
                self._all, self._elsewhere = told
                await self._find(self.words.value, mark)

        self.run_worker(load(), group="load", exclusive=True)

    async def _beside(self, work: Callable[[], T]) -> T | None:
        """What `work` returns, done on a thread; a fault is told, and None."""
        try:
            return await asyncio.to_thread(work)
        except GptOssError as fault:
            self.notify(visible(f"{fault.message}\n{fault.hint}".strip()), severity="warning", markup=False)
            return None

    # Finding

    def typed(self, words: str) -> None:
        """Searches; only the newest words matter."""
        self.run_worker(self._find(words), group="find", exclusive=True)

    async def _find(self, words: str, mark: int = 0) -> None:
        if not words.strip():
            self.show_items([Found(one) for one in self._all], mark)
        else:
            matches = await self._beside(lambda: self._library.search(words))
            known = {one.id: one for one in self._all}
            found = [Found(known[m.conversation_id], m.excerpt) for m in matches or () if m.conversation_id in known]
            self.show_items(found, mark)
        if not self.items:
            none = "No conversation holds these words." if self._all else "Nothing is kept yet: ask something."
            self.say(foot=none)

    def line(self, item: Found) -> Content:
        """Title, what is to be known of it, and when; under it where the words stand."""
        one, width = item.one, self.width
        mark = ("• ", "$accent") if one.id == self._present else ("  ", "")
        right = _when(one.updated)
        if width >= _WIDE:
            right = f"{_turns(one):>10}  {visible_token(one.model, 20):<20}{right:>14}"
        state = self._state(one)
        room = max(8, width - 4 - cell_len(right) - cell_len(state))
        title = Content(visible_token(one.title or "without a title", 120)).truncate(room, ellipsis=True)
        gap = " " * max(1, width - 2 - title.cell_length - cell_len(state) - cell_len(right))
        parts: list[Content | tuple[str, str] | str] = [mark, title, (state, "$warning"), gap, (right, "$muted")]
        if item.excerpt:
            around = Content(visible_token(item.excerpt, 400)).truncate(max(8, width - 4), ellipsis=True)
            parts += ["\n    ", around.stylize("$muted")]
        return Content.assemble(*parts)

    def _state(self, one: Listed) -> str:
        if one.id == self._present:
            return ""
        if one.open_by in self._elsewhere:
            return f"  {self._elsewhere[one.open_by]} elsewhere"
        return "  cut off" if one.dropped is not None else ""

    def on_marked(self, item: Found | None) -> None:
        """Says what the line has no room for."""
        if item is not None and item != self._told:
            one = item.one
            begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.created))
            model = visible_token(one.model, 40) or "no model"
            self.say(foot=f"begun {begun} · {_turns(one)} · {one.tokens:,} tokens written · {model}")
        self._told = item

    # Doing

    def chosen(self, item: Found) -> None:
        """Goes on with it."""
        self.dismiss(item.one.id)

    def action_move(self, by: int) -> None:
        """Moves the mark; from the words, into the list, where letters act."""
        if self.focused is self.words and self.items:
            self.list.focus()
        if by < 0 and self.list.highlighted == 0:
            self.words.focus()
            return
        super().action_move(by)

    def action_words(self) -> None:
        """From the list to the words, and back."""
        (self.words if self.focused is not self.words else self.list).focus()

    def action_rename(self) -> None:
        """Asks for another title."""
        if (item := self.marked) is None:
            return
        self._renaming = item.one
        title = self.query_one("#sessions-title", Input)
        title.value, title.display = item.one.title, True
        title.focus()

    @on(Input.Submitted, "#sessions-title")
    async def _renamed(self, event: Input.Submitted) -> None:
        one, title = self._renaming, event.value.strip()
        self._end_renaming()
        if one is None or not title:
            return
        if one.id == self._present:
            self._rename(title)
        await self._beside(lambda: self._library.rename(one.id, title))
        self._load(self.list.highlighted or 0)

    def _end_renaming(self) -> None:
        self._renaming = None
        self.query_one("#sessions-title", Input).display = False
        self.list.focus()

    async def action_delete(self) -> None:
        """Takes it out of the list; it can be brought back."""
        item = self.marked
        if item is None:
            return
        if item.one.id == self._present:
            self._present = ""
            await self._leave()
        elif item.one.open_by in self._elsewhere:
            self.say(foot="Another gptoss has it open: leave it there first.")
            return
        at = self.list.highlighted or 0
        await self._beside(lambda: self._library.delete(item.one.id))
        self._deleted.append(item.one)
        self._all = [one for one in self._all if one.id != item.one.id]
        self.show_items([each for each in self.items if each.one.id != item.one.id], at)
        title = visible_token(item.one.title or "without a title", 40)
        self.say(foot=f"{self._keymap.first('sessions.undo')} brings back “{title}”.")

    async def action_undo(self) -> None:
        """Brings back what was deleted last."""
        if not self._deleted:
            self.say(foot="Nothing was deleted here.")
            return
        one = self._deleted.pop()
        await self._beside(lambda: self._library.restore(one.id))
        self._load(self.list.highlighted or 0)

    async def action_export(self) -> None:
        """Writes it to a Markdown file in the working folder."""
        if (item := self.marked) is None:
            return
        file = await self._beside(lambda: export_archive(self._library.get(item.one.id)))
        if file is not None:
            self.say(foot=visible(f"Written to {file}."))

    def action_leave(self) -> None:
        """Out of renaming, else out of here."""
        if self._renaming is not None:
            self._end_renaming()
            return
        super().action_leave()


def _turns(one: Listed) -> str:
    return f"{one.prompts:,} {'turn' if one.prompts == 1 else 'turns'}"


def _when(seconds: float) -> str:
    age = time.time() - seconds
    return format.ago(age) if age < _LATELY_S else time.strftime("%Y-%m-%d", time.localtime(seconds))
