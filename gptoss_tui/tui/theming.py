"""Themes as Textual wants them: every role becomes a variable, and Textual's own variables are drawn from roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.theme import Theme as TextualTheme

if TYPE_CHECKING:
    from gptoss_tui.themes import Theme


def textual_theme(theme: Theme) -> TextualTheme:
    """The theme with one Textual variable for each role: role `surprise-3` is `$surprise-3` in .tcss."""
    of = theme.colours
    own = {role: colour for role, colour in of.items() if role not in _TAKEN}
    return TextualTheme(
        name=theme.name,
        dark=theme.dark,
        primary=of["accent"],
        secondary=of["secondary"],
        accent=of["accent"],
        success=of["success"],
        warning=of["warning"],
        error=of["error"],
        foreground=of["foreground"],
        background=of["background"],
        surface=of["surface"],
        panel=of["surface"],
        variables={
            **own,
            "border": of["border"],
            "border-blurred": of["border"],
            "text-muted": of["muted"],
            "scrollbar": of["border"],
            "scrollbar-hover": of["muted"],
            "scrollbar-active": of["accent"],
            "scrollbar-background": of["background"],
            "scrollbar-background-hover": of["background"],
            "scrollbar-background-active": of["background"],
            "scrollbar-corner-color": of["background"],
            "input-cursor-background": of["accent"],
            "input-cursor-foreground": of["background"],
            "input-selection-background": of["selection"],
            "screen-selection-background": of["selection"],
            "block-cursor-background": of["selection"],
            "block-cursor-foreground": of["foreground"],
            "block-cursor-text-style": "bold",
            "footer-background": of["background"],
            "footer-key-foreground": of["accent"],
            "markdown-h1-color": of["accent"],
            "markdown-h2-color": of["accent"],
            "markdown-h3-color": of["foreground"],
            "link-color": of["accent"],
        },
    )


_TAKEN = frozenset({"background", "surface", "foreground", "accent", "secondary", "success", "warning", "error"})
