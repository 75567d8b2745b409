"""An answer: lines while it is being written, Textual's Markdown once it is whole. Code has the theme's colours.

What is shown passes `gptoss_tui.visible` first; HTML is shown as text and links are not opened. Knows no model.
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown
from textual.widgets.markdown import MarkdownFence

from gptoss_tui.tui.code import highlighted
from gptoss_tui.tui.markdown_lines import parser
from gptoss_tui.tui.widgets.grows import Grows
from gptoss_tui.tui.widgets.live import Live
from gptoss_tui.visible import Visible, visible

LONGEST_WHOLE = 40_000
"""Characters of an answer that become Textual's Markdown. A longer one stays lines: a widget for each of its parts
would hold up the interface for seconds, or for minutes where they are nested."""


class CodeFence(MarkdownFence):
    """A block of code in the theme's colours."""

    @classmethod
    def highlight(cls, code: str, language: str, ansi: bool = False, dark: bool = False) -> Content:
        """Pygments' colours by role."""
        return highlighted(code, language)


class Whole(Markdown):
    """The finished answer; its text can be selected."""

    BLOCKS = {  # noqa: RUF012 - declared so in the base class
        **Markdown.BLOCKS,
        "fence": CodeFence,
        "code_block": CodeFence,
    }

    def __init__(self) -> None:
        super().__init__(parser_factory=parser, open_links=False)


class Answer(Grows, Vertical):
    """Markdown that grows; `text` is what the model wrote, unchanged."""

    def __init__(self) -> None:
        super().__init__()
        self._raw: list[str] = []
        self._sanitiser = Visible()
        self._live = Live()
        self._recalled = False

    def compose(self) -> ComposeResult:
        """Lines, for as long as the answer is being written."""
        if not self._recalled:
            yield self._live

    def recall(self, text: str) -> None:
        """Before it is mounted: the whole of an answer that was written before. `complete` draws it."""
        self._raw.append(text)
        self._recalled = True

    @property
    def text(self) -> str:
        """What the model wrote so far, as it wrote it."""
        return "".join(self._raw)

    def write(self, text: str) -> None:
        """Shows more of the answer."""
        self._raw.append(text)
        self._live.write(self._sanitiser.feed(text))

    async def complete(self) -> None:
        """The answer is whole: it is drawn once more, as Markdown."""
        if not self.is_attached or not (self._live.is_attached or self._recalled):
            return
        if len(self.text) > LONGEST_WHOLE:
            self._live.write(self._sanitiser.finish())
            self._live.settle()
            return
        whole = Whole()
        with self.app.batch_update():
            await self.mount(whole)
            await whole.update(visible(self.text))
            if self._live.is_attached:
                await self._live.remove()
        self._recalled = False
