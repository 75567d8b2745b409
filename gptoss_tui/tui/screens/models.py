"""Chooses a model: the checkpoints of this machine, found while the list is looked at, with their fit."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from gptoss_tui.chat.switching import same_model
from gptoss_tui.keys import Keymap
from gptoss_tui.keys.table import MODELS
from gptoss_tui.models.listing import Listed
from gptoss_tui.models.table import HEADINGS, fit_line, row
from gptoss_tui.tui.actions import bindings
from gptoss_tui.visible import visible_token

_NAME, _CELL = 16, 20
"""The least that a long name gets, and the most that another cell may take."""


class ModelScreen(ModalScreen[Path | None]):
    """A line to filter by, the models, and what the marked one would take here."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(MODELS)]

    def __init__(self, keymap: Keymap, present: Path | None) -> None:
        """`present` is the folder of the model that is loaded."""
        super().__init__()
        self._keymap = keymap
        self._present = present
        self._found: list[Listed] = []
        self._shown: list[Listed] = []
        self._looking = True

    def compose(self) -> ComposeResult:
        """Filter above, list, fit below."""
        with Vertical(id="models"):
            yield Input(placeholder="Part of a name", id="models-words")
            yield Static(id="models-head")
            yield OptionList(id="models-found")
            yield Static(id="models-fit")

    def on_mount(self) -> None:
        """The list fills while it is looked at."""
        sheet = self.query_one("#models")
        sheet.border_title = "Models"
        sheet.border_subtitle = f"enter goes on with it · {self._keymap.first('models.back')} back"
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

    def on_resize(self) -> None:
        """Names get another width."""
        self.call_after_refresh(self._show)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._show()

    def _show(self) -> None:
        listed = self.query_one(OptionList)
        words = self.query_one(Input).value.lower().split()
        marked = self._marked
        self._shown = [one for one in self._found if all(word in one.place.name.lower() for word in words)]
        rows = [
            tuple(visible_token(cell, 200 if at == 0 else _CELL) for at, cell in enumerate(row(one)[:-1]))
            for one in self._shown
        ]
        widths = [max(map(len, column)) for column in zip(HEADINGS[:-1], *rows, strict=True)]
        room = listed.size.width - sum(widths[1:]) - 2 * len(widths) - 4
        widths[0] = min(widths[0], max(_NAME, room))
        rows = [(name if len(name) <= widths[0] else f"…{name[1 - widths[0] :]}", *cells) for name, *cells in rows]
        self.query_one("#models-head", Static).update(Content.styled(_line(HEADINGS[:-1], widths), "$muted"))
        listed.clear_options()
        lines = [_line(cells, widths) for cells in rows]
        listed.add_options([Option(self._option(*pair)) for pair in zip(self._shown, lines, strict=True)])
        if self._shown:
            listed.highlighted = self._shown.index(marked) if marked in self._shown else 0
        self._preview()

    def _option(self, one: Listed, text: str) -> Content:
        present = same_model(self._present, one.place.folder)
        style = "$muted" if one.problem or (one.fit is not None and one.fit.verdict == "no") else "$foreground"
        return Content.assemble(("• " if present else "  ", "$accent"), (text, style))

    @property
    def _marked(self) -> Listed | None:
        at = self.query_one(OptionList).highlighted
        return self._shown[at] if at is not None and at < len(self._shown) else None

    @on(OptionList.OptionHighlighted)
    def _preview(self) -> None:
        marked = self._marked
        if marked is not None:
            text = fit_line(marked)
        elif self._looking:
            text = "Looking …"
        else:
            text = "None. To get one: gptoss pull mlx-community/gpt-oss-20b-MXFP4-Q4"
        self.query_one("#models-fit", Static).update(Content.styled(visible_token(text, 400), "$muted"))

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _take(self) -> None:
        marked = self._marked
        if marked is None:
            return
        if marked.problem:
            self.notify(visible_token(f"This one cannot be loaded: {marked.problem}", 400), markup=False)
            return
        self.dismiss(marked.place.folder)

    def action_move(self, by: int) -> None:
        """Moves through the list while the words keep the focus."""
        listed = self.query_one(OptionList)
        if self._shown:
            listed.highlighted = max(0, min(len(self._shown) - 1, (listed.highlighted or 0) + by))

    def action_leave(self) -> None:
        """Chooses none."""
        self.dismiss(None)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))
