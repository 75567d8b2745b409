"""The keys as they hold now: the table's, with what config.toml changes. Names what is wrong there with its line.

Two actions may not have the same key where both would be heard: in the same place, or where one place lies inside the
other. A key that the prompt takes as text or for editing is lost for actions from outside it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gptoss_tui.keys.action import Action, Place
from gptoss_tui.keys.names import KeyNameError, display, is_text, key_named, sent_instead
from gptoss_tui.keys.table import EDITING, PLACES

if TYPE_CHECKING:
    from gptoss_tui.config import Config

Sequences = tuple[tuple[str, ...], ...]
"""Keys of one action; each is one key, or several to be pressed one after the other."""

_BY_ID = {action.id: action for place in PLACES for action in place.actions}


@dataclass(frozen=True, slots=True)
class Keymap:
    """Which keys do what."""

    changed: Mapping[str, Sequences] = field(default_factory=dict)
    """What config.toml changes, by the actions' ids; without keys: the action has none."""
    notices: tuple[str, ...] = ()
    """What a person should know about keys that hold."""

    def keys(self, action: Action) -> Sequences:
        """The keys of an action, each under its one name."""
        return self.changed.get(action.id) or (() if action.id in self.changed else _parsed(action.keys))

    def shown(self, action: Action) -> str:
        """All keys of an action for people; empty where it has none."""
        return ", ".join(_spelt(keys) for keys in self.keys(action))

    def first(self, name: str) -> str:
        """The first key of the action with this id, for a hint."""
        return self.key(name) or "(no key)"

    def key(self, name: str) -> str:
        """The first key of the action with this id; empty where it has none."""
        keys = self.keys(_BY_ID[name])
        return _spelt(keys[0]) if keys else ""


def _spelt(keys: Sequence[str]) -> str:
    return " ".join(display(key) for key in keys)


def _parsed(text: str) -> Sequences:
    return tuple(tuple(key_named(key) for key in keys.split()) for keys in text.split(",") if keys.strip())


def keymap_of(config: Config) -> Keymap:
    """The keymap that config.toml asks for. Raises `ConfigError` for an unknown id, an impossible key or a conflict."""
    changed: dict[str, Sequences] = {}
    notices: list[str] = []
    for name, text in config.keys.items():
        action = _BY_ID.get(name)
        if action is None:
            near = difflib.get_close_matches(name, list(_BY_ID), 1)
            raise config.fault(
                f"keys.{name}",
                f"there is no binding {name}",
                f"Did you mean {near[0]}?" if near else "`gptoss config keys` lists them.",
            )
        try:
            changed[name] = _parsed(text)
        except KeyNameError as fault:
            raise config.fault(f"keys.{name}", f"{name} cannot be {text!r}: {fault}", _SPELLING) from fault
        if any(len(keys) > 1 for keys in changed[name]) and _in_tui(name):
            raise config.fault(
                f"keys.{name}", f"{name} cannot be {text!r}: keys one after the other are for repl.… alone", _SPELLING
            )
        notices += _weak(name, changed[name])
    keymap = Keymap(changed, tuple(notices))
    for first, second, why in _conflicts(keymap):
        # The line to be named is one that the person wrote.
        name = first.id if first.id in changed else second.id
        if name in changed:
            raise config.fault(f"keys.{name}", why, "Choose another key; `gptoss config keys` lists those in use.")
    return keymap


_SPELLING = 'Write keys as "ctrl+g", "alt+enter", "f5" or "?", several with commas; "" takes the key away.'


def _in_tui(name: str) -> bool:
    return any(action.id == name for place in PLACES if place.front_end == "tui" for action in place.actions)


def _weak(name: str, keys: Sequences) -> Iterator[str]:
    """Says so where no key of an action is sent by every terminal."""
    instead = [sent_instead(key) for each in keys for key in each]
    if keys and None not in instead:
        shown = " ".join(_spelt(each) for each in keys)
        other = next((key for key in instead if key), "")
        yield (
            f"{name}: only terminals with the kitty keyboard protocol send {shown}"
            + (f"; others send {display(other)}." if other else ".")
        )


def _conflicts(keymap: Keymap) -> Iterator[tuple[Action, Action, str]]:
    places = {place.id: place for place in PLACES}
    for place in PLACES:
        heard = [(place, action) for action in place.actions]
        heard += [(outer, action) for outer in _around(place, places) for action in outer.actions]
        for at, (one_place, one) in enumerate(heard):
            for other_place, other in heard[at + 1 :]:
                if one_place is not place and other_place is not place:
                    continue
                if one.when_empty != other.when_empty:
                    continue
                for key in keymap.keys(one):
                    if one.id != other.id and any(_clash(key, each) for each in keymap.keys(other)):
                        where = "" if one_place is other_place else f" {place.title[0].lower()}{place.title[1:]}"
                        yield one, other, f"{_spelt(key)} is the key of both {one.id} and {other.id}{where}"
        if place.typing:
            yield from _lost(keymap, place, places)


def _lost(keymap: Keymap, place: Place, places: Mapping[str, Place]) -> Iterator[tuple[Action, Action, str]]:
    """Keys that typing takes, or that would take characters from typing."""
    for outer in (place, *_around(place, places)):
        for action in outer.actions:
            for key in keymap.keys(action):
                if action.when_empty:
                    continue
                if is_text(key[0]):
                    yield action, action, f"{action.id} cannot be {_spelt(key)}: it could not be typed any more"
                elif outer is not place and not action.priority and key[0] in EDITING:
                    yield action, action, f"{action.id} cannot be {_spelt(key)}: it edits the prompt"


def _around(place: Place, places: Mapping[str, Place]) -> Iterator[Place]:
    for name in place.inside:
        yield places[name]
        yield from _around(places[name], places)


def _clash(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Keys clash where one of them begins the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
