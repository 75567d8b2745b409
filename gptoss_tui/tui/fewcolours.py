"""Line filters for terminals that have sixteen colours, and for people who want none (NO_COLOR).

With sixteen, text and ground are the terminal's own, so that whoever chose them can read them, and each role of the
theme is one of the terminal's colours. What a theme says by its ground alone, such as a selection, is reversed instead.
"""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from gptoss_tui.themes import Theme

_GROUNDS_THAT_SAY = ("selection", "accent", "border-focus", "error")
_QUIET = ("muted", "border", "track", "history", "code-comment", "code-operator")
"""Roles of text that is drawn dim."""

_RED, _GREEN, _YELLOW, _BLUE, _MAGENTA, _CYAN = 1, 2, 3, 4, 5, 6
_ON_DARK = {
    **dict.fromkeys(("accent", "border-focus", "sliding", "code-function", "code-type"), _CYAN),
    **dict.fromkeys(("secondary", "full", "code-keyword", "surprise-3"), _MAGENTA),
    **dict.fromkeys(("success", "code-string", "surprise-1"), _GREEN),
    **dict.fromkeys(("warning", "code-number", "surprise-2"), _YELLOW),
    **dict.fromkeys(("error", "code-error", "surprise-4"), _RED),
    "history": _CYAN,
}
# On a light ground yellow, green and cyan are hard to read in most terminals.
_ON_LIGHT = {
    **dict.fromkeys(("accent", "border-focus", "sliding", "code-function", "code-type", "success"), _BLUE),
    **dict.fromkeys(("secondary", "full", "code-keyword", "code-number", "warning", "surprise-3"), _MAGENTA),
    **dict.fromkeys(("code-string", "surprise-2"), _BLUE),
    **dict.fromkeys(("error", "code-error", "surprise-4"), _RED),
    "history": _BLUE,
}


class FewColours(LineFilter):
    """The theme in the terminal's own sixteen colours, or in none."""

    def __init__(self, theme: Theme, colours: int) -> None:
        """`colours`: 16 or 0."""
        super().__init__()
        of = theme.colours
        by_role = _ON_DARK if theme.dark else _ON_LIGHT
        self._colours = {of[role]: number for role, number in reversed(by_role.items())} if colours else {}
        self._says = {of[role] for role in _GROUNDS_THAT_SAY} - {of["background"], of["surface"]}
        self._quiet = {of[role] for role in _QUIET} - {of["foreground"], of["code-text"]}
        self._plain = lru_cache(1024)(self._style)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments in other styles."""
        plain = self._plain
        return [
            Segment(text, plain(style) if style is not None else None, control) for text, style, control in segments
        ]

    def _style(self, style: Style) -> Style:
        colour, ground = _hex(style.color), _hex(style.bgcolor)
        number = self._colours.get(colour)
        # Reversed, the colour is the ground's: a selection is plain text reversed, whatever its colour.
        reverse = bool(style.reverse) != (ground in self._says)
        default = RichColor.default()
        return (
            style
            + Style.from_color(default if number is None or reverse else RichColor.from_ansi(number), default)
            + Style(reverse=reverse, dim=colour in self._quiet and not reverse)
        )


def _hex(colour: RichColor | None) -> str:
    return colour.triplet.hex if colour is not None and colour.triplet is not None else ""
