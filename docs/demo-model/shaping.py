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


def longer_analysis(analysis: str, answer: str, rng: random.Random) -> str:
    """The analysis at high effort: the note as written, then a plan that is drawn from the answer by rule."""
    lines = [line for line in answer.split("\n") if line.strip()]
    plain = [line.strip().lstrip("-0123456789. ").replace("**", "") for line in lines if not line.startswith("```")]
    steps = [analysis]
    if "```" in answer:
        opening = sentences(plain[0])[0].rstrip(":.") if plain else "Here is the code"
        steps += [
            rng.choice(("Let me plan this.", "Let me think it through.")),
            f"I start with one line: {opening}.",
            "Then comes a short block of code that runs as it stands, with the result as a comment if that helps.",
            "After the code I add only what the reader needs to change it. I keep the names simple.",
        ]
    elif len(lines) >= 4:
        steps += [
            rng.choice(("Let me plan this.", "Let me think about the form first.")),
            f"It will have about {len(lines)} lines.",
            f"It can begin like this: {plain[0]}",
            f"In the middle I want this: {plain[len(plain) // 2]}",
            f"And it ends here: {plain[-1]}",
            rng.choice(("That hangs together, so I write it out.", "Good. Now I write it properly.")),
        ]
    else:
        parts = sentences(" ".join(plain))
        steps.append(rng.choice(("Let me think about what to say.", "Let me plan the answer.")))
        steps.append(f"The main point comes first: {parts[0]}")
        if len(parts) > 2:
            steps.append(f"After that I can add this: {parts[1]}")
        if len(parts) > 3:
            steps.append(f"Another useful detail: {parts[2]}")
        if len(parts) > 1:
            steps.append(f"A good way to end: {parts[-1]}")
        steps.append(
            rng.choice(
                (
                    "I check it once more: it fits the question, it is short, and the words are simple.",
                    "Does that answer the question? Yes. I keep it short and friendly.",
                    "That is enough. I write it in plain words.",
                )
            )
        )
    return " ".join(steps)


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
