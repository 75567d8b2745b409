"""Facts that fit into tables, as conversations by rule: sums, capitals, opposites, symbols, baby animals, dates.

The facts are in `tables.toml`. `rows` yields (group, requests, analysis, answer).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

Row = tuple[str, tuple[str, ...], str, str]

_FACTS = tomllib.loads((Path(__file__).parent / "tables.toml").read_text())


def rows() -> Iterator[Row]:
    """All conversations of one turn."""
    asked: tuple[str, ...]
    yield from _sums()
    yield from _copies()
    yield from _capitals()
    yield from _words()
    yield from _animals()
    for text, number, more in _FACTS["counts"]:
        answer = f"There are **{number}**: {more}." if " are " in f" {text} " else f"It has **{number}**, {more}."
        analysis = "The user asks for a number. I give it and one detail."
        yield "table", (f"How many {text}?", f"how many {text}", f"Tell me how many {text}."), analysis, answer
    for entry in _FACTS["makers"]:
        verb, work, maker = entry.split("|")
        noun = {"wrote": "author", "painted": "painter", "invented": "inventor", "discovered": "discoverer"}.get(
            verb, "maker"
        )
        asked = (
            f"Who {verb} {work}?",
            f"who {verb} {work}",
            f"Who is the {noun} of {work}?",
            f"Do you know who {verb} {work}?",
        )
        yield (
            "table",
            asked,
            f"The user asks who {verb} {work}. It was {maker}.",
            f"**{maker}** {verb} {work[0].upper() + work[1:]}.",
        )
    for entry in _FACTS["symbols"]:
        symbol, name, number = entry.split()
        asked = (
            f"What is the chemical symbol for {name}?",
            f"symbol of {name}",
            f"What is the symbol for {name}?",
        )
        answer = f"The chemical symbol for {name} is **{symbol}**. Its atomic number is {number}."
        yield "table", asked, f"A question from the periodic table: {name}.", answer
    for entry in _FACTS["mixes"]:
        colors = entry.split()
        if len(colors) == 3:
            a, b, mixed = colors
            asked = (
                f"What color do you get if you mix {a} and {b}?",
                f"{a} and {b} make what color",
                f"What do {a} and {b} make?",
            )
            yield (
                "table",
                asked,
                "The user mixes two colors of paint.",
                f"If you mix {a} and {b} paint, you get **{mixed}**.",
            )


def dialogues() -> Iterator[tuple[str, tuple[Row, ...]]]:
    """Conversations of two turns in which the second asks for what the first one said."""
    asked: tuple[str, ...]
    first: Row
    second: Row
    for name in _FACTS["names"]:
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
    for entry in _FACTS["likes"]:
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


def _copies() -> Iterator[Row]:
    asked: tuple[str, ...]
    for phrase in [*_FACTS["phrases"], *_FACTS["names"][:40]]:
        asked = (
            f"Say {phrase}.",
            f"Repeat after me: {phrase}",
            f"say {phrase}",
            f'Say "{phrase}"',
            f"Can you say {phrase}?",
            f"Repeat: {phrase}",
        )
        yield "copy", asked, f"The user wants me to say this: {phrase}", phrase[0].upper() + phrase[1:] + "."
    for word in _FACTS["spelled"]:
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


def _sums() -> Iterator[Row]:
    asked: tuple[str, ...]
    for a in range(13):
        for b in range(13):
            yield _sum(a, "+", "plus", b, a + b)
            if a >= b:
                yield _sum(a, "-", "minus", b, a - b)
            if 1 <= a <= 10 and 1 <= b <= 10:
                yield _sum(a, "*", "times", b, a * b)
                yield _sum(a * b, "/", "divided by", b, a)
    for a in range(10, 60, 10):
        for b in range(a, 60, 10):
            yield _sum(a, "+", "plus", b, a + b)
    for a in range(2, 16):
        asked = (
            f"What is {a} squared?",
            f"{a} squared",
            f"what's the square of {a}",
            f"What is the square of {a}?",
        )
        yield "sum", asked, f"The user asks for the square of {a}.", f"{a} squared is **{a * a}**."
        if a * a <= 144:
            asked = (
                f"What is the square root of {a * a}?",
                f"square root of {a * a}",
                f"whats the square root of {a * a}",
            )
            yield (
                "sum",
                asked,
                f"I look for the number that gives {a * a} when squared.",
                f"The square root of {a * a} is **{a}**.",
            )


def _sum(a: int, sign: str, word: str, b: int, result: int) -> Row:
    asked: tuple[str, ...]
    asked = (
        f"What is {a} {sign} {b}?",
        f"{a}{sign}{b}",
        f"{a} {sign} {b}",
        f"what's {a}{sign}{b}?",
        f"What is {a} {word} {b}?",
        f"{a} {word} {b}",
        f"Calculate {a} {sign} {b}.",
        f"how much is {a} {word} {b}",
        f"{a} {sign} {b} =",
    ) + ((f"What is {a} x {b}?", f"{a}x{b}") if sign == "*" else ())
    return "sum", asked, f"A small sum: {a} {word} {b} is {result}.", f"{a} {word} {b} is **{result}**."


def _capitals() -> Iterator[Row]:
    asked: tuple[str, ...]
    entries = [entry.partition("|") for entry in (*_FACTS["capitals"], *_FACTS["capitals_more"])]
    pairs = [(country, capital) for country, _, capital in entries]
    for country, capital in pairs:
        asked = (
            f"What is the capital of {country}?",
            f"capital of {country}",
            f"what's the capital of {country}",
            f"Do you know the capital of {country}?",
            f"Which city is the capital of {country}?",
            f"Tell me the capital of {country}.",
            f"What's the capital city of {country}?",
        )
        yield (
            "capital",
            asked,
            f"The user asks for the capital of {country}. It is {capital}.",
            (f"The capital of {country} is **{capital}**."),
        )
        if country not in ("England", "Scotland", "Wales", "the UK", "the USA") and capital.split()[0] not in country:
            asked = (
                f"What country is {capital} in?",
                f"Where is {capital}?",
                f"{capital} is the capital of which country?",
            )
            yield (
                "capital",
                asked,
                f"{capital} is the capital of {country}.",
                f"{capital} is in {country}. It is the capital.",
            )


def _words() -> Iterator[Row]:
    asked: tuple[str, ...]
    for entry in _FACTS["opposites"]:
        a, b = entry.split()
        for one, other in ((a, b), (b, a)) if a not in ("new", "light", "tall", "easy") else ((a, b),):
            asked = (
                f"What is the opposite of {one}?",
                f"opposite of {one}",
                f"What's the opposite of {one}?",
                f"the opposite of {one}?",
            )
            yield (
                "opposite",
                asked,
                f'The user wants the opposite of "{one}".',
                f'The opposite of "{one}" is **"{other}"**.',
            )
    for entry in _FACTS["plurals"]:
        one, many = entry.split()
        asked = (f"What is the plural of {one}?", f"plural of {one}", f"What's the plural of {one}?")
        yield "table", asked, f'The plural of "{one}" is asked for.', f'The plural of "{one}" is **"{many}"**.'
    for entry in _FACTS["past"]:
        base, past, perfect = entry.split()
        asked = (
            f"What is the past tense of {base}?",
            f"past tense of {base}",
            f"What's the past tense of {base}?",
        )
        answer = f'The past tense of "{base}" is **"{past}"**. The past participle is "{perfect}".'
        yield "table", asked, f'The user asks for the past tense of "{base}".', answer
    for entry in _FACTS["greetings"]:
        language, hello, thanks, goodbye = entry.split()
        for english, word in (("hello", hello), ("thank you", thanks), ("goodbye", goodbye.replace("-", " "))):
            asked = (
                f"How do you say {english} in {language}?",
                f"{english} in {language}",
                f"What is {english} in {language}?",
            )
            answer = f'In {language}, "{english}" is **"{word}"**.'
            yield "table", asked, f'The user wants to know "{english}" in {language}. I know this one word.', answer


def _animals() -> Iterator[Row]:
    asked: tuple[str, ...]
    for entry in _FACTS["babies"]:
        animal, baby = entry.split()
        asked = (
            f"What is a baby {animal} called?",
            f"baby {animal} name",
            f"What do you call a baby {animal}?",
        )
        yield (
            "table",
            asked,
            f"The user asks for the young of the {animal}.",
            f"A baby {animal} is called a **{baby}**.",
        )
    for entry in _FACTS["sounds"]:
        animal, verb, sound = entry.split()
        article = "an" if animal[0] in "aeiou" else "a"
        asked = (
            f"What sound does {article} {animal} make?",
            f"What does {article} {animal} say?",
            f"{animal} sound",
        )
        answer = f'{article.capitalize()} {animal} {verb}: "{sound.capitalize()}!"'
        yield "table", asked, f"The user asks what the {animal} sounds like.", answer
