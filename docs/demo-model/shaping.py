"""Rules that make a shorter answer, a list, or an analysis out of what was written.

Text in, text out. Knows no tokens and no files.
"""

from __future__ import annotations

import random
import re


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph of prose."""
    return [part for part in re.split(r"(?<=[.!?])\s+(?=[A-Z\"*])", text.strip()) if part]


def is_prose(text: str) -> bool:
    """Whether a text is one paragraph without code, lists or lines of verse."""
    return "```" not in text and "\n" not in text


def one_sentence(answer: str) -> str | None:
    """The first sentence of an answer in prose, where that alone is an answer."""
    first = answer.split("\n\n")[0]
    if "```" in answer or "\n" in first or first.endswith(":"):
        return None
    head = sentences(first)[0]
    return head if 4 <= len(head.split()) <= 40 and head[-1] in ".!?" else None


def briefly(answer: str) -> str | None:
    """The first two sentences of an answer in prose that has more of them."""
    if not is_prose(answer):
        return None
    parts = sentences(answer)
    return " ".join(parts[:2]) if len(parts) >= 4 else None


def bulleted(answer: str) -> str | None:
    """An answer in prose as a list, a sentence a bullet."""
    if not is_prose(answer):
        return None
    parts = sentences(answer)
    return "\n".join(f"- {part}" for part in parts) if 3 <= len(parts) <= 8 else None


def _head(text: str, count: int) -> str:
    """The first words of a text, without a stop at the end."""
    return " ".join(text.split()[:count]).rstrip(".,:;!?\"'*")


def longer_analysis(analysis: str, answer: str, rng: random.Random) -> str:
    """The analysis at high effort: the note as written, then a short plan that is drawn from the answer by rule.

    It is the shorter the longer the answer is, so that both together stay within 300 tokens.
    """
    size = len(answer.split())
    lines = [line for line in answer.split("\n") if line.strip()]
    plain = [line.strip().lstrip("-0123456789. ").replace("**", "") for line in lines if not line.startswith("```")]
    if "```" in answer:
        opening = _head(plain[0], 8) if plain else "Here is the code"
        steps = [
            f"I open with one line: {opening}.",
            "Then a short block of code that runs as it stands.",
            "After it I say only what the reader may want to change.",
        ][: 3 if size < 90 else 1]
    elif len(lines) >= 4:
        steps = [
            f"It needs about {len(lines)} lines.",
            f"It begins like this: {_head(plain[0], 8)}.",
            f"It ends near this: {_head(plain[-1], 7)}.",
        ][: 3 if size < 90 else 2]
    else:
        parts = sentences(" ".join(plain))
        steps = [f"The main point comes first: {_head(parts[0], 10)}."]
        if len(parts) > 2 and size < 90:
            steps.append(f"After that: {_head(parts[1], 7)}.")
        if len(parts) > 1 and size < 115:
            steps.append(f"It can end like this: {_head(parts[-1], 6)}.")
    opening = rng.choice(("Let me plan this.", "Let me think it through.", "Let me plan the answer."))
    closing = rng.choice(
        (
            "It fits the question, so I write it in plain words.",
            "Good. Now I write it down.",
            "That is enough; I keep it simple.",
        )
    )
    return " ".join([analysis, opening, *steps, *([closing] if size < 135 else [])])


_TOPIC_RULES: tuple[tuple[str, str], ...] = (
    (r".*?\b((?:story|tale) .+)", "The user wants a short {0}. I will give it a beginning, an event and an ending."),
    (r".*?\b(poem .+)", "The user wants a {0}. A few short lines with clear pictures will do."),
    (r".*?\b((?:recipe|how to make) .+)", "The user asks for a recipe: {0}. I list what is needed and then the steps."),
    (
        r".*?\b((?:note|e-?mail|letter|message|invitation|card) .+)",
        "The user needs this: {0}. I keep it polite and short.",
    ),
    (r".*?\b((?:tips|advice|ideas) .+)", "The user asks for {0}. A few practical points are best."),
    (
        r".*?(?:what is|what's|what are|explain|tell me about|understand|know about) (.+?)(?: is| are)?",
        "The user asks about {0}. I explain it in simple words.",
    ),
    (r".*?\b(why .+)", "The user asks: {0}? I give the main reason first."),
    (r".*?\b(how .+)", "The user asks: {0}? I explain it step by step."),
    (r".*?\b(who .+)", "The user asks: {0}? I say the most important thing first."),
    (
        r".*?(?:write|define|make) (?:a|an|the)? ?((?:python )?function .+)",
        "The user wants a {0}. I write it and explain it in a sentence.",
    ),
)
_TOPICS = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), form) for pattern, form in _TOPIC_RULES)
_BY_GROUP = {
    "chat": (
        "The user is chatting. A short and friendly reply fits.",
        "The user says something personal. I answer warmly.",
    ),
    "dialogue": (
        "The user goes on with our talk. I stay with the subject.",
        "I answer in a friendly way and keep it short.",
    ),
    "compare": ("The user compares two things. I say what each is good for.",),
    "code": ("The user wants a little Python. I write a short function and say what it does.",),
    "story": ("The user wants a short story. I will give it a beginning, an event and an ending.",),
    "poem": ("The user wants a poem. A few short lines with clear pictures will do.",),
}


def sampled_analysis(group: str, request: str, rng: random.Random) -> str:
    """A medium analysis for a sampled reply, which came without one: by the request's form, else by its group."""
    text = request.strip().rstrip("?.! ")
    if group not in ("chat", "code", "compare"):
        for pattern, form in _TOPICS:
            match = pattern.fullmatch(text)
            if match and len(match.group(1).split()) <= 14:
                return form.format(match.group(1).strip())
    return rng.choice(_BY_GROUP.get(group, ("The user asks something simple. I answer in a few plain sentences.",)))
