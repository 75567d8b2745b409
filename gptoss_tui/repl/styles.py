"""Themes as prompt_toolkit wants them: every role is a class, and Pygments' kinds of token are roles of code.

Body text keeps the terminal's own colours, since the REPL paints no background behind it.
"""

from __future__ import annotations

from collections.abc import Mapping

from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style
from pygments.token import (
    Comment,
    Error,
    Generic,
    Keyword,
    Name,
    Number,
    Operator,
    String,
    Token,
    _TokenType,
)

from gptoss_tui.colours import colours
from gptoss_tui.repl.rows import Row, row_width
from gptoss_tui.themes import Theme

_CODE = {
    Token: "code-text",
    Comment: "code-comment",
    Keyword: "code-keyword",
    Keyword.Type: "code-type",
    String: "code-string",
    Number: "code-number",
    Operator: "code-operator",
    Name.Function: "code-function",
    Name.Decorator: "code-function",
    Name.Class: "code-type",
    Name.Builtin: "code-type",
    Name.Tag: "code-keyword",
    Name.Attribute: "code-function",
    Generic.Deleted: "code-error",
    Generic.Inserted: "code-string",
    Generic.Heading: "code-keyword",
    Error: "code-text",
}


def code_style(kind: _TokenType) -> str:
    """The style of a Pygments token: its own, or that of the next kind above it."""
    while kind not in _CODE:
        assert kind.parent is not None
        kind = kind.parent
    return f"class:{_CODE[kind]}"


def prompt_style(theme: Theme, depth: ColorDepth = ColorDepth.TRUE_COLOR) -> Style:
    """The theme as classes; those that prompt_toolkit itself uses are drawn from the same roles.

    What a theme says by its ground alone is reversed where `depth` has no such colours; without any, what is only
    suggested is dim.
    """
    of = theme.colours
    roles = {role: colour for role, colour in of.items() if role not in ("background", "surface", "foreground")}
    on_surface = f"noreverse bg:{of['surface']} {of['foreground']}"
    return Style.from_dict(
        roles
        | {
            "foreground": "",
            "status": on_surface,
            "status.name": f"bg:{of['surface']} {of['accent']} bold",
            "status.muted": f"bg:{of['surface']} {of['muted']}",
            "status.warning": f"bg:{of['surface']} {of['warning']}",
            "status.chosen": f"bg:{of['selection']} {of['foreground']}",
            "prompt": f"{of['accent']} bold",
            "auto-suggestion": of["muted"],
            "search-toolbar": of["accent"],
            "selected": f"noreverse bg:{of['selection']} {of['foreground']}",
            "search": f"noreverse bg:{of['selection']} {of['foreground']}",
            "search.current": f"noreverse bg:{of['accent']} {of['background']}",
            "completion-menu": on_surface,
            "completion-menu.completion": on_surface,
            "completion-menu.completion.current": f"noreverse bg:{of['selection']} {of['foreground']}",
            "completion-menu.meta.completion": f"bg:{of['surface']} {of['muted']}",
            "completion-menu.meta.completion.current": f"bg:{of['selection']} {of['foreground']}",
            "scrollbar.background": f"bg:{of['track']}",
            "scrollbar.button": f"bg:{of['border']}",
        }
        | (
            dict.fromkeys(_BY_GROUND, "reverse")
            if depth in (ColorDepth.MONOCHROME, ColorDepth.ANSI_COLORS_ONLY)
            else {}
        )
        | ({"auto-suggestion": "dim"} if depth is ColorDepth.MONOCHROME else {})
    )


_BY_GROUND = (
    "status.chosen",
    "selected",
    "search",
    "search.current",
    "completion-menu.completion.current",
    "completion-menu.meta.completion.current",
)


def theme_sample(theme: Theme, width: int, *, used: bool) -> Row:
    """A row that shows the theme: its name, then text, muted text, figures and code on its own ground.

    As much of it as `width` cells hold.
    """
    of = theme.colours
    row: Row = [("bold" if used else "", f"{'* ' if used else '  '}{theme.name:<20}")]
    for role, text in _SAMPLE:
        if row_width(row) + len(text) > width:
            break
        ground = of["code-background" if role.startswith("code-") else "background"]
        row.append((f"bg:{ground} {of[role]}", text))
    return row


_SAMPLE = (
    ("foreground", " text "),
    ("muted", "muted "),
    ("accent", "accent "),
    ("secondary", "thinking "),
    ("warning", "warning "),
    ("error", "error "),
    ("code-keyword", " def "),
    ("code-function", "f"),
    ("code-text", "() "),
    ("code-string", "'text' "),
    ("code-number", "42 "),
)


def colour_depth(environment: Mapping[str, str], *, spare: bool = False) -> ColorDepth:
    """How many colours the terminal has; with `spare` 256 at most, since others take twice the bytes."""
    depths = {0: ColorDepth.MONOCHROME, 16: ColorDepth.ANSI_COLORS_ONLY, 256: ColorDepth.DEFAULT}
    return depths.get(colours(environment), ColorDepth.DEFAULT if spare else ColorDepth.TRUE_COLOR)
