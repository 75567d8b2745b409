"""Rules that ask for the same thing more loosely: other words, fewer words, another order, a longer run-up.

They are rougher than those of `wording.py`, and meant to be: a model that has met "stop hiccups how" and "i was
wondering how to get rid of hiccups" looks for the words that carry the subject. Text in, text out; `synonyms.txt` holds
what may stand for what.
"""

from __future__ import annotations

import random
import re
from pathlib import Path


def _swaps() -> dict[str, list[str]]:
    """What may stand for what in a request, from lines of `phrase/other phrase/…`."""
    found: dict[str, list[str]] = {}
    for line in (Path(__file__).parent / "synonyms.txt").read_text().splitlines():
        head, *others = line.split("/")
        listed = found.setdefault(head, [])
        listed += [other for other in others if other not in listed]
    return found


_SWAPS = _swaps()
# The longest phrase that fits is taken first.
_PHRASES = sorted(_SWAPS, key=len, reverse=True)
_PATTERN = re.compile(r"\b(" + "|".join(re.escape(phrase) for phrase in _PHRASES) + r")\b")

_SMALL_TEXT = (
    "a an the is are was were be do does did can could would will you me i to of please my in on for it that this "
    "about tell some any so just there and"
)
_SMALL = frozenset(_SMALL_TEXT.split())
_QUESTION = re.compile(
    r"(?:can you |could you |please |do you know )?(?:tell me |explain |describe )?(?:about )?"
    r"(?:what|who|where|when|why|how|which)?(?:'s| is| are| was| were| do| does| did| can| should| would| to)?"
    r"(?: i| we| you| people| a| an| the)* (.+)"
)
_RUN_UPS = (
    "i was wondering, ",
    "my kid asked me: ",
    "my friend wants to know: ",
    "can you tell me ",
    "i would like to know ",
    "do you happen to know ",
    "could you please tell me ",
    "i have always wondered ",
    "tell me, ",
    "help me out here: ",
    "i am curious: ",
    "one more thing, ",
    "what do you know about this: ",
    "for school: ",
    "any idea ",
    "sorry, ",
)
_ENDS = (" (simple words)", " if you know", " in simple words", ", any idea?", " for beginners", " again", " exactly")
# What people add and what changes nothing about the answer that is wanted.
_ASIDE_TEXT = (
    "to a child/to a ten year old/to a five year old/to my grandmother/to my little sister/like i am five/"
    "for my son/for my daughter/for my kids/for my friend/for my mother/for two people/for a party/for school/"
    "for tonight/for tomorrow/for busy people/for busy mornings/for a rainy day/for dummies/at home/at work/"
    "in the kitchen/in the morning/in the evening/on a sunday/on the weekend/as a beginner/as fast as possible/"
    "without much work/without spending money/with what i have/step by step/in a few words/in one minute/"
    "in plain english/one more time/these days/nowadays/when i am tired/when i have no time/when it is cold/"
    "if i am new to this/if possible/and why/in general/really/actually/usually/normally/today/right now/"
    "quickly/properly/myself/alone/together"
)
_ASIDES = tuple(_ASIDE_TEXT.split("/"))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\s]+", text)


def _is_small(word: str) -> bool:
    return word.strip("?.!,'\"") in _SMALL


def loosely(request: str, rng: random.Random) -> str:
    """A rougher request for the same thing, in small letters; the request itself where it has lines or code."""
    if "\n" in request or "`" in request or not 2 <= len(request.split()) <= 24 or re.search(r"\d", request):
        return request
    text = request.lower().strip()
    end = "?" if text.endswith("?") else ""
    text = text.rstrip(".?! ")
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        found = list(_PATTERN.finditer(text))
        if found:
            match = rng.choice(found)
            text = text[: match.start()] + rng.choice(_SWAPS[match.group(1)]) + text[match.end() :]
    words = _words(text)
    carrying = [word for word in words if not _is_small(word)]
    draw = rng.random()
    if draw < 0.14 and len(carrying) >= 2:
        words = carrying
    elif draw < 0.22 and len(carrying) >= 2:
        words = rng.sample(carrying, len(carrying))
    elif draw < 0.5:
        words = [word for word in words if not _is_small(word) or rng.random() < 0.6] or words
    elif draw < 0.6:
        bare = _QUESTION.fullmatch(text)
        words = _words(bare.group(1)) if bare else words
    if rng.random() < 0.2 and len(carrying) >= 4:
        lost = rng.choice(carrying)
        words = [word for word in words if word != lost] or words
    text = " ".join(words)
    if rng.random() < 0.15:
        text = rng.choice(_RUN_UPS) + text
    draw = rng.random()
    if draw < 0.08:
        text += rng.choice(_ENDS)
    elif draw < 0.32 and len(carrying) >= 2:
        text += " " + rng.choice(_ASIDES)
    if rng.random() < 0.35:
        text = text[0].upper() + text[1:]
    return text + (end if rng.random() < 0.6 else "")
