"""Styles as escape sequences that tell only what differs from the style before: half of what is sent is style."""

from __future__ import annotations

from functools import lru_cache

from rich.color import ColorSystem
from rich.style import Style

_ATTRIBUTES = (
    ("bold", "1"),
    ("dim", "2"),
    ("italic", "3"),
    ("underline", "4"),
    ("blink", "5"),
    ("reverse", "7"),
    ("strike", "9"),
    ("overline", "53"),
)

_Parts = tuple[str, str, str]
"""Attributes, colour and ground, as parameters of a sequence; empty where there is none."""
_PLAIN: _Parts = ("", "", "")


class Pen:
    """Knows the style that the terminal writes in; it begins plain, and `plain` must end it."""

    def __init__(self, colours: ColorSystem | None) -> None:
        """`colours`: what the terminal has; None: none."""
        self._colours = colours
        self._now = _PLAIN

    def to(self, style: Style | None) -> str:
        """What changes the terminal's style to this one."""
        wanted = _parts(style, self._colours) if style is not None else _PLAIN
        before, self._now = self._now, wanted
        if wanted == before:
            return ""
        if before == _PLAIN:
            return f"\x1b[{';'.join(part for part in wanted if part)}m"
        # An attribute, or a colour that goes back to the terminal's own, is taken away by taking everything away.
        if wanted[0] != before[0] or (before[1] and not wanted[1]) or (before[2] and not wanted[2]):
            return f"\x1b[{';'.join(['0', *(part for part in wanted if part)])}m"
        changed = (new for new, old in zip(wanted[1:], before[1:], strict=True) if new != old)
        return f"\x1b[{';'.join(changed)}m"

    def plain(self) -> str:
        """What takes every style away; empty where there is none."""
        return self.to(None)


@lru_cache(4096)
def _parts(style: Style, colours: ColorSystem | None) -> _Parts:
    attributes = ";".join(code for name, code in _ATTRIBUTES if getattr(style, name))
    if colours is None:
        return attributes, "", ""
    colour, ground = (
        ";".join(each.downgrade(colours).get_ansi_codes(foreground)) if each is not None and not each.is_default else ""
        for each, foreground in ((style.color, True), (style.bgcolor, False))
    )
    return attributes, colour, ground
