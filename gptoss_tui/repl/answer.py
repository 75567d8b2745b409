"""An answer while it is written: which text is thinking and which is meant for the person, as rows that stay.

Makes the model's text safe to show. Knows no terminal and no clock.
"""

from __future__ import annotations

from gptoss_tui.chat.runs import Run
from gptoss_tui.harmony.messages import Channel
from gptoss_tui.repl.markdown import MarkdownStream, PlainStream
from gptoss_tui.repl.options import Thinking
from gptoss_tui.repl.rows import Row
from gptoss_tui.visible import Visible, visible_token

THINKING_STYLE = "class:muted italic"


class AnswerRows:
    """The rows of one answer. Each is handed out once, for good; `tail` shows what is not settled yet."""

    def __init__(self, width: int, thinking: Thinking) -> None:
        self._width = width
        self.thinking = thinking
        """What to do with thinking; a change holds from the next part on."""
        self._part: tuple[Channel | None, str | None] | None = None
        self._stream: MarkdownStream | PlainStream | None = None
        self._visible = Visible()
        self._label = ""
        self._pieces = 0
        self._thought: list[str] = []
        self._begun = False

    @property
    def width(self) -> int:
        """Cells of a row; a change holds for the rows not yet handed out."""
        return self._width

    @width.setter
    def width(self, width: int) -> None:
        self._width = width
        if self._stream is not None:
            self._stream.width = width

    @property
    def thought(self) -> str:
        """What was written before the answer, as it may be shown."""
        return "".join(self._thought)

    def write(self, run: Run) -> list[Row]:
        """More text; the rows that it settles."""
        rows: list[Row] = []
        part = (run.channel, run.recipient)
        if part != self._part:
            rows = self.end()
            self._part = part
            rows += self._begin(*part)
        self._pieces += run.tokens
        return rows + self._feed(self._visible.feed(run.text))

    def tail(self) -> list[Row]:
        """What is not settled yet, as it looks now."""
        if self._stream is not None:
            return self._stream.tail()
        return [self._folded()] if self._part is not None else []

    def end(self) -> list[Row]:
        """The part that is being written is over."""
        if self._part is None:
            return []
        rows = self._feed(self._visible.finish())
        rows += self._stream.finish() if self._stream is not None else [self._folded()]
        self._part = self._stream = None
        return rows

    def _begin(self, channel: Channel | None, recipient: str | None) -> list[Row]:
        between: list[Row] = [[]] if self._begun else []
        self._begun = True
        self._visible = Visible()
        self._pieces = 0
        if channel != "analysis" and recipient is None:
            self._stream = MarkdownStream(self._width)
            self._label = ""
            return between
        self._label = f"Call of {visible_token(recipient)}" if recipient else "Thinking"
        if self.thinking == "fold":
            self._stream = None
            return between
        self._stream = PlainStream(self._width, THINKING_STYLE)
        return [*between, [("class:secondary", self._label)]]

    def _feed(self, text: str) -> list[Row]:
        if self._label:
            self._thought.append(text)
        return self._stream.feed(text) if self._stream is not None else []

    def _folded(self) -> Row:
        return [("class:secondary", f"▸ {self._label}"), ("class:muted", f" · {self._pieces:,} tokens")]
