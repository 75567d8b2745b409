"""Reads a message's header while it arrives, and says as early as possible that it is none.

A header is `{role}{ to=recipient}{<|channel|>channel{ to=recipient}{ type}}{<|constrain|>type}`, up to `<|message|>`.
Models write others too; what to do with those is `parse`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gptoss_tui.harmony.messages import CHANNELS, Channel, Role

_Part = Literal["role", "channel", "constrain"]
_Slot = Literal["role", "to", "channel", "type"]

# Words that a part may hold, in this order, each at most once.
_SLOTS: dict[_Part, tuple[_Slot, ...]] = {
    "role": ("role", "to"),
    "channel": ("channel", "to", "type"),
    "constrain": ("type",),
}
_MARKERS: dict[bytes, _Part] = {b"<|channel|>": "channel", b"<|constrain|>": "constrain"}
_SPEAKERS: dict[str, Role] = {"assistant": "assistant", "user": "user"}
_CHANNELS: dict[str, Channel] = {name: name for name in CHANNELS}
# Longer than any header a model writes: recipients are names of functions.
_MAX_BYTES = 256


@dataclass(frozen=True, slots=True)
class Header:
    """What a well-formed header says; the fields are `Message`'s."""

    role: Role
    channel: Channel | None = None
    recipient: str | None = None
    name: str | None = None
    constrain: str | None = None


class HeaderReader:
    """One header under way."""

    __slots__ = ("_part", "_parts", "_role", "ids")

    def __init__(self, role: Role | None = None, opening: tuple[int, ...] = ()) -> None:
        """`role` is given where the prompt has named it; `opening` is what began the header, such as `<|start|>`."""
        self.ids = list(opening)
        """Every id of the header so far."""
        self._role = role
        self._parts: dict[_Part, bytes] = {"role": b""}
        self._part: _Part = "role"

    @property
    def has_channel(self) -> bool:
        """True once the channel part has begun."""
        return "channel" in self._parts

    def add(self, token_id: int, data: bytes, *, special: bool) -> bool:
        """Takes the next token; False where no header can begin like this."""
        self.ids.append(token_id)
        if special:
            part = _MARKERS.get(data)
            if part is None or part in self._parts:
                return False
            self._part = part
            self._parts[part] = b""
            return True
        self._parts[self._part] += data
        if sum(map(len, self._parts.values())) > _MAX_BYTES:
            return False
        text = self._parts[self._part].decode("utf-8", "replace")
        return self._match(self._part, text, growing=True) is not None

    def read(self) -> Header | None:
        """What the header says; None where it is malformed."""
        words: dict[_Slot, str] = {}
        for part, data in self._parts.items():
            try:
                found = self._match(part, data.decode("utf-8"), growing=False)
            except UnicodeDecodeError:
                return None
            if found is None or not words.keys().isdisjoint(found):
                return None
            words |= found
        if self.has_channel and "channel" not in words:
            return None
        channel = _CHANNELS.get(words.get("channel", ""))
        recipient = words.get("to", "").removeprefix("to=") or None
        constrain = words.get("type")
        role = self._role or words.get("role", "")
        if role in _SPEAKERS:
            return Header(_SPEAKERS[role], channel, recipient, None, constrain)
        # Any other role is a tool's name, and a tool speaks to somebody.
        if role in ("", "system", "developer") or recipient is None:
            return None
        return Header("tool", channel, None if recipient == "assistant" else recipient, role, constrain)

    def _match(self, part: _Part, text: str, *, growing: bool) -> dict[_Slot, str] | None:
        """Puts each word of a part into the first slot left that takes it; None where a word fits nowhere.

        `growing`: the next token may go on with the last word.
        """
        slots = iter(_SLOTS[part])
        found: dict[_Slot, str] = {}
        words = text.split()
        for place, word in enumerate(words, 1):
            slot = next((s for s in slots if self._fits(s, word, growing=growing and place == len(words))), None)
            if slot is None:
                return None
            found[slot] = word
        return found

    def _fits(self, slot: _Slot, word: str, *, growing: bool) -> bool:
        match slot:
            case "role":
                if self._role is None:
                    return growing or not word.startswith("to=")
                # A role that is known may be said again, but not changed.
                return word == self._role or (growing and self._role.startswith(word))
            case "to":
                return (word.startswith("to=") and (growing or len(word) > 3)) or (growing and "to=".startswith(word))
            case "channel":
                return word in _CHANNELS or (growing and any(name.startswith(word) for name in _CHANNELS))
            case "type":
                return growing or not word.startswith("to=")
