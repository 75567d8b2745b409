"""Conversations by rule that are about words said: remembering a name, repeating, spelling; definitions, facts, single
words in other languages.

Knows no files but `tables.toml`, which holds the facts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

Row = tuple[str, tuple[str, ...], str, str]
"""(group, requests, analysis, answer)."""

FACTS = tomllib.loads((Path(__file__).parent / "tables.toml").read_text())


def dialogues() -> Iterator[tuple[str, tuple[Row, ...]]]:
    """Conversations of two turns in which the second asks for what the first one said."""
    asked: tuple[str, ...]
    first: Row
    second: Row
    for name in FACTS["names"]:
        told: tuple[str, ...] = (
            f"My name is {name}.",
            f"I'm {name}",
            f"my name is {name}",
            f"Hi, I am {name}.",
            f"Call me {name}.",
            f"I am {name}.",
        )
        asked = (
            "What is my name?",
            "what's my name",
            "Do you remember my name?",
            "Who am I?",
            "do you know my name",
        )
        first = (
            "memory",
            told,
            f"The user's name is {name}.",
            f"Nice to meet you, {name}! What would you like to talk about?",
        )
        second = (
            "memory",
            asked,
            f"The user said their name: {name}.",
            f"Your name is **{name}**. You told me a moment ago.",
        )
        yield "memory", (first, second)
    for entry in FACTS["likes"]:
        kind, _, thing = entry.partition(" ")
        told = (
            f"My favorite {kind} is {thing}.",
            f"my favorite {kind} is {thing}",
            f"I think my favorite {kind} is {thing}.",
        )
        asked = (
            f"What is my favorite {kind}?",
            f"what's my favorite {kind}",
            f"Do you remember my favorite {kind}?",
        )
        first = (
            "memory",
            told,
            f"The user's favorite {kind} is {thing}.",
            f"A good choice! I will remember it while we talk: {thing}.",
        )
        second = ("memory", asked, f"The user said it: {thing}.", f"Your favorite {kind} is **{thing}**.")
        yield "memory", (first, second)


def copies() -> Iterator[Row]:
    """Phrases to repeat, words to spell and to count."""
    asked: tuple[str, ...]
    for phrase in [*FACTS["phrases"], *FACTS["names"][:40]]:
        asked = (
            f"Say {phrase}.",
            f"Repeat after me: {phrase}",
            f"say {phrase}",
            f'Say "{phrase}"',
            f"Can you say {phrase}?",
            f"Repeat: {phrase}",
        )
        yield "copy", asked, f"The user wants me to say this: {phrase}", phrase[0].upper() + phrase[1:] + "."
    for word in FACTS["spelled"]:
        spelled = "-".join(word.upper())
        asked = (
            f"How do you spell {word}?",
            f"Spell {word}.",
            f"spell {word}",
            f"Can you spell {word}?",
            f'Spell the word "{word}".',
        )
        yield "copy", asked, f"I spell {word} letter by letter.", f'"{word}" is spelled {spelled}.'
        asked = (
            f"How many letters are in {word}?",
            f"how many letters does {word} have",
            f'How many letters does the word "{word}" have?',
        )
        yield "copy", asked, f"I count: {spelled}.", f'The word "{word}" has **{len(word)}** letters: {spelled}.'


def definitions(lines: list[str]) -> Iterator[Row]:
    """Conversations from lines of `singular|plural|answer`; the plural is - where there is none."""
    for line in lines:
        one, many, answer = line.split("|", 2)
        article = "" if one[0].isupper() or many == "-" or many == one else "an " if one[0] in "aeiou" else "a "
        article = (
            "the "
            if one in ("sun", "moon", "Earth", "solar system", "universe", "internet") or one.endswith(" channel")
            else article
        )
        asked = [
            f"What is {article}{one}?",
            f"what is {one}",
            f"what's {article}{one}",
            f"Explain {article}{one}.",
            f"{one}",
        ]
        asked += [
            f"Tell me about {article}{one}.",
            f"Explain {article}{one} in simple terms.",
            f"define {one}",
            f"{one}?",
        ]
        asked += [
            f"Can you explain {article}{one} to me?",
            f"Do you know what {article}{one} is?",
            f"Describe {article}{one}.",
        ]
        asked += [f"What can you tell me about {article}{one}?", f"Explain {article}{one} like I'm five."]
        if many not in ("-", one):
            asked += [
                f"What are {many}?",
                f"Tell me about {many}.",
                f"tell me something about {many}",
                many,
                f"Explain {many}.",
            ]
            asked += [f"What do you know about {many}?", f"I want to know more about {many}.", f"Describe {many}."]
        yield "definition", tuple(asked), f"The user asks what {article}{one} is. I say it in simple words.", answer


def facts(lines: list[str]) -> Iterator[Row]:
    """Conversations from lines of `question | other wordings => answer`."""
    for line in lines:
        asked, answer = line.split(" => ")
        requests = tuple(part.strip() for part in asked.split(" | "))
        about = requests[0].rstrip("?.")
        yield (
            "fact",
            requests,
            f"A short question of fact: {about[0].lower() + about[1:]}. I answer it directly.",
            answer,
        )


def translations() -> Iterator[Row]:
    """Single words in four other languages."""
    for entry in FACTS["translations"]:
        english, *others = entry.split("|")
        for language, word in zip(("French", "Spanish", "German", "Italian"), others, strict=True):
            asked = (
                f"How do you say {english} in {language}?",
                f"{english} in {language}",
                f"What is {english} in {language}?",
                f"translate {english} to {language}",
                f"What is the {language} word for {english}?",
            )
            answer = f'"{english[0].upper() + english[1:]}" in {language} is **{word}**.'
            yield (
                "translation",
                asked,
                f'The user wants to know "{english}" in {language}. I know this one word.',
                answer,
            )
