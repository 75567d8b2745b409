"""Names of keys: what people write for them, the one name that each has here, and which terminals can send it.

The one name is Textual's, with modifiers in alphabetical order: `ctrl+s`, `alt+shift+a`, `question_mark`. Pure.
"""

from __future__ import annotations

import difflib
import re
import unicodedata

_NAMED = (
    *("escape", "enter", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"),
    *("up", "down", "left", "right"),
    *(f"f{number}" for number in range(1, 25)),
)
_ALIASES = {
    "esc": "escape",
    "return": "enter",
    "ret": "enter",
    "del": "delete",
    "ins": "insert",
    "bs": "backspace",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "page_up": "pageup",
    "page_down": "pagedown",
    "spacebar": "space",
    "↑": "up",
    "↓": "down",
    "←": "left",
    "→": "right",
}
_MODIFIERS = {
    "ctrl": "ctrl",
    "control": "ctrl",
    "alt": "alt",
    "option": "alt",
    "opt": "alt",
    "meta": "alt",
    "shift": "shift",
}
_KEPT = ("cmd", "command", "super", "win", "windows", "hyper")
"""Modifiers that the terminal or the desktop keeps for itself."""

# Textual's shorter names for a few characters; the others go by their Unicode name.
_SHORT = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
_BY_CHARACTER = {
    char: _SHORT.get(name, name)
    for char in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    for name in [unicodedata.name(char).lower().replace("-", "_").replace(" ", "_")]
}
_BY_NAME = {name: char for char, name in _BY_CHARACTER.items()}

_MOVING = frozenset(("up", "down", "left", "right", "home", "end", "insert", "delete", "pageup", "pagedown"))
_FUNCTION = re.compile(r"f\d+")
# With ctrl, a terminal has only the 32 control characters to send; i, m, h and [ are tab, enter, backspace and escape.
_SAME_AS = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+left_square_bracket": "escape"}
_CONTROL = frozenset(
    (*"abcdefgjklnopqrstuvwxyz", "space", "at", "backslash", "right_square_bracket", "circumflex_accent", "underscore")
)


class KeyNameError(ValueError):
    """A text that names no key which a terminal can send; the message says why."""


def key_named(text: str) -> str:
    """The one name of the key that a person wrote. Raises `KeyNameError`."""
    word = text.strip()
    *modifiers, key = _parts(word)
    found: set[str] = set()
    for modifier in modifiers:
        if modifier in _KEPT:
            raise KeyNameError(f"{modifier} never reaches a program in a terminal")
        if modifier not in _MODIFIERS:
            raise KeyNameError(f"there is no key {word}{_like(modifier, list(_MODIFIERS))}")
        found.add(_MODIFIERS[modifier])
    if len(key) == 1 and key.isalpha() and key.isupper():
        if not found:
            return key
        found.add("shift")
    name = _name(key, word)
    if found == {"shift"} and (len(name) == 1 or name in _BY_NAME):
        wanted = name.upper() if name.isalpha() and len(name) == 1 else "the character itself"
        raise KeyNameError(f"no terminal tells {word} from the character it types; write {wanted}")
    return "+".join([*sorted(found), name])


def _parts(word: str) -> list[str]:
    """Modifiers and key; `ctrl++`, `ctrl-x` and `C-x` are understood."""
    if len(word) == 1:
        return [word]
    last = word[-1:] if word[-1:] in "+-" and word[-2:-1] in "+-" else ""
    parts = [part for part in re.split(r"[+-]", word[: len(word) - len(last)]) if part]
    if not parts and not last:
        raise KeyNameError("a key's name is missing")
    *modifiers, key = [*parts, last] if last else parts
    return [*(_emacs(modifier) for modifier in modifiers), key]


def _emacs(modifier: str) -> str:
    return {"C": "ctrl", "M": "alt", "S": "shift"}.get(modifier, modifier.lower())


def _name(key: str, word: str) -> str:
    if len(key) == 1 and key not in _ALIASES:
        if key in _BY_CHARACTER:
            return _BY_CHARACTER[key]
        if key.isprintable() and not key.isspace():
            return key.lower() if key.isascii() else key
        raise KeyNameError("a key's name is missing" if key.isspace() else f"there is no key {key!r}")
    name = _ALIASES.get(key.lower(), key.lower())
    if name in _NAMED or name in _BY_NAME:
        return name
    raise KeyNameError(f"there is no key {word}{_like(name, [*_NAMED, *_ALIASES, *_BY_NAME])}")


def _like(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def sent_instead(key: str) -> str | None:
    """Why not every terminal sends this key: what is sent in its place, or an empty text. None where all send it.

    Terminals with the kitty keyboard protocol send nearly everything; Apple's Terminal, screen and many others do not.
    """
    *modifiers, name = key.split("+")
    if key in _SAME_AS:
        return _SAME_AS[key]
    match modifiers:
        case []:
            sent = not (_FUNCTION.fullmatch(name) and int(name[1:]) > 12)
        case ["ctrl"]:
            sent = name in _CONTROL or name in _MOVING or bool(_FUNCTION.fullmatch(name))
        case ["alt"]:
            sent = name in ("enter", "backspace", "space") or len(name) == 1 or name in _BY_NAME or name in _MOVING
        case ["shift"]:
            sent = name == "tab" or name in _MOVING or bool(_FUNCTION.fullmatch(name))
        case ["alt", "shift"]:
            sent = (len(name) == 1 and name.isalpha()) or name in _MOVING
        case _:
            sent = name in _MOVING
    if sent:
        return None
    return name if name in ("enter", "tab", "space", "escape", "backspace") else ""


def is_text(key: str) -> bool:
    """True for a key that types a character."""
    return key == "space" or key in _BY_NAME or len(key) == 1


def character(key: str) -> str | None:
    """The character that a key types; None where it types none."""
    if key == "space":
        return " "
    return _BY_NAME.get(key, key if len(key) == 1 else None)


def display(key: str) -> str:
    """The key for people: `ctrl+s`, `?`, `↑`, `esc`."""
    *modifiers, name = key.split("+")
    signs = {"escape": "esc", "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "pgup", "pagedown": "pgdn"}
    return "+".join([*modifiers, signs.get(name, _BY_NAME.get(name, name))])
