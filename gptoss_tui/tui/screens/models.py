"""Chooses a model: the checkpoints of this machine, found while the list is looked at, with their fit."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import work
from textual.binding import BindingType
from textual.content import Content
from textual.worker import get_current_worker

from gptoss_tui.chat.switching import same_model
from gptoss_tui.keys import Keymap
from gptoss_tui.keys.table import MODELS
from gptoss_tui.models.listing import Listed
from gptoss_tui.models.table import HEADINGS, fit_line, row
from gptoss_tui.tui.actions import bindings
from gptoss_tui.tui.screens.listing import ListScreen
from gptoss_tui.visible import visible_token

_NAME, _CELL = 16, 20
"""The least that a long name gets, and the most that another cell may take."""


class ModelScreen(ListScreen[Path, Listed]):
    """The models, and what the marked one would take here."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(MODELS)]
    SHEET = "models"
    PLACEHOLDER = "Part of a name"

    def __init__(self, keymap: Keymap, present: Path | None) -> None:
        """`present` is the folder of the model that is loaded."""
        super().__init__()
        self._keymap = keymap
        self._present = present
        self._found: list[Listed] = []
        self._lines: dict[int, str] = {}
        """The text of each listed model, by its identity."""
        self._looking = True

    def on_mount(self) -> None:
        """The list fills while it is looked at."""
        self.name_sheet("Models", f"enter goes on with it · {self._keymap.first('models.back')} back")
        self._show()
        self._look()

    @work(thread=True)
    def _look(self) -> None:
        from gptoss_tui.models.fit import this_machine
        from gptoss_tui.models.listing import list_models

        worker = get_current_worker()
        for one in list_models(this_machine()):
            if worker.is_cancelled:
                return
            self.app.call_from_thread(self._add, one)
        self.app.call_from_thread(self._add, None)

    def _add(self, one: Listed | None) -> None:
        """One more; None: that was all."""
        if one is not None:
            self._found.append(one)
        else:
            self._looking = False
        self._show()

    def refit(self) -> None:
        """Names get another width."""
        self.call_after_refresh(self._show)

    def typed(self, words: str) -> None:
        """Those with all of the words in their names."""
        self._show()

    def _show(self) -> None:
        words = self.words.value.lower().split()
        marked = self.marked
        shown = [one for one in self._found if all(word in one.place.name.lower() for word in words)]
        rows = [
            tuple(visible_token(cell, 200 if at == 0 else _CELL) for at, cell in enumerate(row(one)[:-1]))
            for one in shown
        ]
        widths = [max(map(len, column)) for column in zip(HEADINGS[:-1], *rows, strict=True)]
        room = self.list.size.width - sum(widths[1:]) - 2 * len(widths) - 4
        widths[0] = min(widths[0], max(_NAME, room))
        rows = [(name if len(name) <= widths[0] else f"…{name[1 - widths[0] :]}", *cells) for name, *cells in rows]
        self.say(head=Content.styled(_line(HEADINGS[:-1], widths), "$muted"))
        self._lines = {id(one): _line(cells, widths) for one, cells in zip(shown, rows, strict=True)}
        self.show_items(shown, shown.index(marked) if marked in shown else 0)

    def line(self, item: Listed) -> Content:
        """A row of the table; the loaded one has a mark."""
        present = same_model(self._present, item.place.folder)
        style = "$muted" if item.problem or (item.fit is not None and item.fit.verdict == "no") else "$foreground"
        return Content.assemble(("• " if present else "  ", "$accent"), (self._lines[id(item)], style))

    def on_marked(self, item: Listed | None) -> None:
        """What it would take, or why there is none."""
        if item is not None:
            text = fit_line(item)
        elif self._looking:
            text = "Looking …"
        else:
            text = "None. To get one: gptoss pull mlx-community/gpt-oss-20b-MXFP4-Q4"
        self.say(foot=visible_token(text, 400))

    def chosen(self, item: Listed) -> None:
        """Goes on with it, where it can be loaded."""
        if item.problem:
            self.notify(visible_token(f"This one cannot be loaded: {item.problem}", 400), markup=False)
            return
        self.dismiss(item.place.folder)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))
