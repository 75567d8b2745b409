"""Rules that reword a request, and type it as people do.

Everything here is text in, text out, and a function of its arguments and of the random generator handed in. It knows no
tokens and no files.
"""

from __future__ import annotations

import random
import re

from loosening import loosely

_STOPWORD_TEXT = (
    "a an the is are was were do does did can could would you me i to of please my in on for it that this about tell"
)
_STOPWORDS = frozenset(_STOPWORD_TEXT.split())

# Pattern of a request, and the wordings that ask for the same thing. `\1` and `\2` are the pattern's groups.
_REWORDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        r"what is the difference between (.+) and (.+?)",
        (
            r"\1 vs \2",
            r"Compare \1 and \2.",
            r"How are \1 and \2 different?",
            r"difference between \1 and \2",
            r"How do \1 and \2 differ?",
            r"Explain the difference between \1 and \2.",
        ),
    ),
    (
        r"what does (.+) mean",
        (
            r"What is the meaning of \1?",
            r"meaning of \1",
            r"define \1",
            r"Explain \1.",
            r"What's \1?",
            r"Can you explain what \1 means?",
        ),
    ),
    (
        r"what is (.+?)",
        (
            r"What's \1?",
            r"Explain \1.",
            r"Explain \1 in simple terms.",
            r"Tell me about \1.",
            r"Do you know what \1 is?",
            r"whats \1",
            r"\1?",
            r"Can you explain what \1 is?",
            r"Explain \1 simply",
            r"I want to know what \1 is.",
        ),
    ),
    (
        r"what are (.+?)",
        (r"Explain \1.", r"Tell me about \1.", r"Do you know what \1 are?", r"Can you explain what \1 are?", r"\1?"),
    ),
    (
        r"who (?:is|was) (.+?)",
        (r"Tell me about \1.", r"\1?", r"Do you know who \1 was?", r"What do you know about \1?"),
    ),
    (r"where is (.+?)", (r"Tell me where \1 is.", r"Do you know where \1 is?", r"Where can I find \1?", r"where's \1")),
    (
        r"how (?:do|can) i (.+?)",
        (
            r"How to \1?",
            r"how to \1",
            r"How can I \1?",
            r"Tell me how to \1.",
            r"I want to \1. How?",
            r"Show me how to \1.",
            r"What is the best way to \1?",
            r"Can you help me \1?",
            r"How should I \1?",
        ),
    ),
    (
        r"how (?:does|do) (.+) work",
        (r"Explain how \1 works.", r"How does \1 work exactly?", r"Tell me how \1 works.", r"how \1 works"),
    ),
    (
        r"why (.+?)",
        (r"Can you tell me why \1?", r"Explain why \1.", r"Tell me: why \1?", r"I have always wondered: why \1?"),
    ),
    (
        r"(?:tell|give) me (an? .+?)",
        (
            r"Give me \1.",
            r"Tell me \1.",
            r"Can you tell me \1?",
            r"I want \1.",
            r"\1 please",
            r"I'd like \1.",
            r"Do you know \1?",
            r"Got \1?",
        ),
    ),
    (
        r"(?:write|tell me) a (?:short )?(story|bedtime story|poem|haiku|joke|riddle|fable|limerick) about (.+?)",
        (
            r"Tell me a \1 about \2.",
            r"\1 about \2",
            r"Write a \1 about \2.",
            r"Can you tell me a short \1 about \2?",
            r"Give me a \1 about \2.",
            r"I want a \1 about \2.",
            r"Write me a short \1 about \2.",
            r"a \1 with \2 please",
            r"Do you know a \1 about \2?",
            r"Tell me a short \1 about \2",
        ),
    ),
    (
        r"write (?:me )?(an? .+?)",
        (
            r"Can you write \1?",
            r"Please write \1.",
            r"I need \1.",
            r"Give me \1.",
            r"Make \1.",
            r"Could you write \1 for me?",
            r"Help me write \1.",
            r"\1 please",
        ),
    ),
    (
        r"name (\w+ .+?)",
        (r"List \1.", r"Give me \1.", r"Can you name \1?", r"Tell me \1.", r"What are \1?", r"I need \1."),
    ),
    (
        r"what does (an? .+) do(?: all day)?",
        (r"Tell me about the job of \1.", r"What is the job of \1?", r"What do you do as \1?", r"job of \1"),
    ),
    (
        r"explain (.+?)",
        (r"Can you explain \1?", r"Tell me about \1.", r"What is \1?", r"Explain \1 to me.", r"Help me understand \1."),
    ),
)
_COMPILED = tuple((re.compile(pattern + r"[.?!]*", re.IGNORECASE), forms) for pattern, forms in _REWORDINGS)

_OPENERS = (
    "Please ",
    "Can you help? ",
    "Hey, ",
    "Hi! ",
    "Hello, ",
    "I have a question. ",
    "Quick question: ",
    "So, ",
    "Okay, ",
    "ok ",
)
_CLOSERS = (" Thanks!", " thanks", " please", " Please.", " Thank you.", " pls")
_CONTRACTIONS = (
    (r"\bwhat is\b", "what's"),
    (r"\bwho is\b", "who's"),
    (r"\bwhere is\b", "where's"),
    (r"\bhow is\b", "how's"),
    (r"\bdo not\b", "don't"),
    (r"\bi am\b", "i'm"),
    (r"\bcannot\b", "can't"),
    (r"\bit is\b", "it's"),
)


def key(text: str) -> str:
    """What is left of a request without case and punctuation: two requests with one key are the same."""
    return " ".join(re.findall(r"[a-z0-9+*/=-]+", text.lower().replace("'", "")))


_FILLER_TEXT = (
    "explain simple simply terms words word know something give want need help make invent little short "
    "please write so what which i im is whats get have has ask question hi hello hey like some any more "
    "be will just really best good way people exactly describe"
)
_FILLERS = _STOPWORDS | frozenset(_FILLER_TEXT.split())


def content(text: str) -> frozenset[str]:
    """The words of a request that carry its subject, without plural endings."""
    return frozenset(word.rstrip("s") for word in key(text).split() if word not in _FILLERS)


def reworded(request: str) -> list[str]:
    """The wordings that the rules know for a request, in the rules' order; empty if none fits."""
    forms: list[str] = []
    for pattern, templates in _COMPILED:
        match = pattern.fullmatch(request.strip())
        if match and "\n" not in request:
            forms += [match.expand(template) for template in templates]
            if len(forms) >= 12:
                break
    return forms


def as_typed(request: str, rng: random.Random) -> str:
    """One request with the case, punctuation and small slips of somebody typing."""
    if "\n" in request or "```" in request or len(request) > 160:
        return request
    text = request
    draw = rng.random()
    if draw < 0.45:
        text = text.lower()
    elif draw < 0.5:
        text = text.upper() if len(text) < 40 else text.lower()
    if rng.random() < 0.2:
        pattern, short = rng.choice(_CONTRACTIONS)
        text = re.sub(pattern, short, text, flags=re.IGNORECASE)
    draw = rng.random()
    if draw < 0.35:
        text = text.rstrip(".?!")
    elif draw < 0.4:
        text = text.rstrip(".?!") + rng.choice(("??", "!", "...", " ?", "?!"))
    if rng.random() < 0.12:
        opener = rng.choice(_OPENERS)
        text = opener + (text if text.isupper() or text.startswith("I ") else text[0].lower() + text[1:])
    if rng.random() < 0.1:
        text += rng.choice(_CLOSERS)
    if rng.random() < 0.08:
        text = text.replace("'", "")
    if rng.random() < 0.1:
        text = _slip(text, rng)
    if rng.random() < 0.08:
        words = [word for word in text.split() if word.lower().strip("?.!,") not in _STOPWORDS]
        text = " ".join(words) if len(words) >= 2 else text
    return text


_ASK_TEXT = "what who where when why how which do does did can could is are was were will would should am"
_ASKS = frozenset(_ASK_TEXT.split())


def _proper(text: str) -> str:
    """A request in small letters as somebody careful would type it."""
    words = ["I" + word[1:] if word == "i" or word.startswith("i'") else word for word in text.split(" ")]
    stop = "" if text[-1] in ".?!" else "?" if words[0].split("'")[0] in _ASKS else "."
    return " ".join(words)[0].upper() + " ".join(words)[1:] + stop


def _slip(text: str, rng: random.Random) -> str:
    """One letter swapped, lost or doubled in a longer word."""
    words = text.split(" ")
    long = [index for index, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    if not long:
        return text
    index = rng.choice(long)
    word = words[index]
    at = rng.randrange(1, len(word) - 2)
    words[index] = rng.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        )
    )
    return " ".join(words)


def variants(
    wordings: list[str], banned: frozenset[str], rng: random.Random, *, each: int, rules: bool = True
) -> list[str]:
    """Requests to train on: the wordings as they are, the rules' rewordings, both as people type them, and loose ones.

    None of them has a key in `banned`, so a held-out wording stays unseen whatever the rules do.
    """
    plain = list(wordings)
    plain += [_proper(wording) for wording in wordings if wording[:1].islower()]
    for wording in wordings if rules else ():
        plain += reworded(wording)
    found: dict[str, None] = {}
    for text in plain:
        found.setdefault(text)
    for wording in wordings:
        for _ in range(each):
            found.setdefault(as_typed(wording, rng))
    for text in plain[len(wordings) :]:
        for _ in range(2):
            found.setdefault(as_typed(text, rng))
    for wording in wordings if rules else ():
        for _ in range(each):
            found.setdefault(as_typed(loosely(wording, rng), rng))
    return [text for text in found if text.strip() and key(text) not in banned]
