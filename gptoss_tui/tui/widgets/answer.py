"""An answer as Markdown while it is being written, with code coloured by the theme.

What is shown passes `gptoss_tui.visible` first; HTML is shown as text and links are not opened. Knows no model.
"""

from __future__ import annotations

from markdown_it import MarkdownIt
from pygments.token import Token
from textual.content import Content
from textual.highlight import HighlightTheme, highlight
from textual.widgets import Markdown
from textual.widgets.markdown import MarkdownFence, MarkdownStream

from gptoss_tui.visible import Visible, visible


class CodeTheme(HighlightTheme):
    """Pygments' tokens in the theme's `code-` roles."""

    STYLES = {  # noqa: RUF012 - declared so in the base class
        Token.Comment: "$code-comment italic",
        Token.Error: "$code-error",
        Token.Keyword: "$code-keyword",
        Token.Keyword.Type: "$code-type",
        Token.Literal.Number: "$code-number",
        Token.Literal.String: "$code-string",
        Token.Name.Attribute: "$code-function",
        Token.Name.Builtin: "$code-type",
        Token.Name.Class: "$code-type",
        Token.Name.Decorator: "$code-function",
        Token.Name.Exception: "$code-type",
        Token.Name.Function: "$code-function",
        Token.Name.Tag: "$code-keyword",
        Token.Operator: "$code-operator",
        Token.Operator.Word: "$code-keyword",
        Token.Generic.Deleted: "$code-error",
        Token.Generic.Inserted: "$code-string",
        Token.Generic.Heading: "$code-function",
    }


class CodeFence(MarkdownFence):
    """A block of code in the theme's colours."""

    @classmethod
    def highlight(cls, code: str, language: str, ansi: bool = False, dark: bool = False) -> Content:
        """Pygments' colours by role; a block that names no language is plain, since guessing guesses wrong."""
        return highlight(code, language=language.split()[0] if language.split() else "text", theme=CodeTheme)


def _parser() -> MarkdownIt:
    # HTML off: Textual draws no HTML, so tags must stay text or they would vanish.
    return MarkdownIt("gfm-like", {"html": False})


class Answer(Markdown, can_focus=True):
    """Markdown that grows; `text` is what the model wrote, unchanged."""

    BLOCKS = {  # noqa: RUF012 - declared so in the base class
        **Markdown.BLOCKS,
        "fence": CodeFence,
        "code_block": CodeFence,
    }

    def __init__(self, text: str = "") -> None:
        super().__init__(visible(text) if text else None, parser_factory=_parser, open_links=False)
        self._raw: list[str] = [text] if text else []
        self._sanitiser = Visible()
        self._stream: MarkdownStream | None = None

    @property
    def text(self) -> str:
        """What the model wrote so far, as it wrote it."""
        return "".join(self._raw)

    async def write(self, text: str) -> None:
        """Shows more of the answer; what cannot be drawn at once is drawn together later."""
        self._raw.append(text)
        if self._stream is None:
            self._stream = Markdown.get_stream(self)
        await self._stream.write(self._sanitiser.feed(text))

    async def complete(self) -> None:
        """Draws the whole text once more: streamed blocks may lack what came in the moment they were made."""
        if self._stream is not None:
            await self._stream.stop()
            self._stream = None
        await self.update(visible(self.text))
