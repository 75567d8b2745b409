"""Themes: one TOML file each, one colour for each role, the same for every front end.

A theme knows roles (`muted`, `surprise-3`, `code-keyword`), not widgets and not toolkits: `tui` and `repl` turn roles
into their toolkit's styles. This module reads and checks the files; it draws nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import cast

from gptoss_tui.errors import GptOssError

DEFAULT_THEME = "gptoss-dark"
DEFAULT_LIGHT = "gptoss-light"

ROLES: tuple[str, ...] = (
    "background",
    "surface",
    "border",
    "border-focus",
    "foreground",
    "muted",
    "accent",
    "secondary",
    "success",
    "warning",
    "error",
    "selection",
    "sliding",
    "full",
    "history",
    "track",
    "surprise-0",
    "surprise-1",
    "surprise-2",
    "surprise-3",
    "surprise-4",
    "code-background",
    "code-text",
    "code-comment",
    "code-keyword",
    "code-string",
    "code-number",
    "code-function",
    "code-type",
    "code-operator",
    "code-error",
)
"""Every role that a theme must colour. `surprise-0` is a token the model expected, `surprise-4` one it hardly did."""

_NAME = re.compile(r"[\w][\w. -]{0,39}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class ThemeError(GptOssError):
    """A theme file that cannot be used."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by role."""

    name: str
    dark: bool
    """True where text is lighter than its background."""
    colours: Mapping[str, str]
    """`#rrggbb` for every role in `ROLES`."""


def read_theme(path: Path) -> Theme:
    """The theme in one TOML file; `ThemeError` says what is wrong with it."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise ThemeError(f"Theme {path} cannot be read: {fault.strerror}.", "Check the path.") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ThemeError(f"Theme {path} is not TOML: {fault}.", "Correct the file, or remove it.") from fault
    name, dark, colours = table.get("name"), table.get("dark"), table.get("colours")
    if not isinstance(name, str) or not isinstance(dark, bool) or not isinstance(colours, dict):
        raise ThemeError(f"Theme {path} lacks name, dark or [colours].", "Compare it with themes/gptoss-dark.toml.")
    if not _NAME.fullmatch(name):
        raise ThemeError(f"Theme {path} cannot have the name {name!r}.", "Write a few letters, digits, - or _.")
    if missing := [role for role in ROLES if role not in colours]:
        raise ThemeError(f"Theme {path} has no colour for {', '.join(missing)}.", "Add one under [colours].")
    if unknown := [role for role in colours if role not in ROLES]:
        raise ThemeError(f"Theme {path} colours {', '.join(unknown)}, which nothing uses.", "Remove it, or correct it.")
    for role, colour in colours.items():
        if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
            raise ThemeError(f"Theme {path}: {role} cannot be {colour!r}.", "Write it as #rrggbb.")
    return Theme(name, dark, cast("dict[str, str]", colours))


def themes_folder() -> Path:
    """The folder of the shipped themes: inside the installed package, or at the root of a checkout."""
    # The root first: hatch copies the shipped files into editable installs too, and those would be stale.
    root = Path(__file__).resolve().parent.parent / "themes"
    return root if root.is_dir() else Path(str(files("gptoss_tui") / "_themes"))


@cache
def shipped_themes() -> Mapping[str, Theme]:
    """The shipped themes by name, the default first."""
    themes = sorted((read_theme(path) for path in themes_folder().glob("*.toml")), key=lambda theme: theme.name)
    themes.sort(key=lambda theme: theme.name != DEFAULT_THEME)
    return {theme.name: theme for theme in themes}


def themes_with(folder: Path) -> tuple[Mapping[str, Theme], tuple[ThemeError, ...]]:
    """The shipped themes and those of a person's own folder, and what is wrong with any of the latter.

    A theme of one's own replaces a shipped one of the same name; one that is broken is left out. No folder, no themes.
    """
    themes, faults = dict(shipped_themes()), list[ThemeError]()
    for path in sorted(folder.glob("*.toml")):
        try:
            theme = read_theme(path)
        except ThemeError as fault:
            faults.append(fault)
        else:
            themes[theme.name] = theme
    return themes, tuple(faults)


def broken_themes(faults: Sequence[ThemeError]) -> tuple[str, ...]:
    """One notice where theme files are broken: the first one's fault, and how many more there are."""
    if not faults:
        return ()
    first, *others = faults
    more = f" ({len(others)} more are broken.)" if others else ""
    return (f"{first.message} {first.hint}{more}",)


@cache
def known_themes() -> tuple[Mapping[str, Theme], tuple[ThemeError, ...]]:
    """The shipped themes and those in the person's own folder, beside config.toml; see `themes_with`."""
    from gptoss_tui.config import config_folder

    return themes_with(config_folder() / "themes")


def theme_named(name: str, themes: Mapping[str, Theme] | None = None) -> Theme:
    """The theme of this name, of `themes` or the shipped ones; `ThemeError` lists those there are."""
    known = shipped_themes() if themes is None else themes
    try:
        return known[name]
    except KeyError:
        raise ThemeError(f"There is no theme {name!r}.", f"There are: {', '.join(known)}.") from None


def default_theme(light: bool | None) -> Theme:
    """The shipped theme that suits a light or a dark background; None: nobody knows, and most are dark."""
    return shipped_themes()[DEFAULT_LIGHT if light else DEFAULT_THEME]


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two `#rrggbb` colours, 1 to 21, as WCAG 2 defines it."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
