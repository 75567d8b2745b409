"""Facts that fit into tables, as conversations by rule: sums, capitals, opposites, symbols, baby animals, dates.

The facts are in `tables.toml`. `rows` yields (group, requests, analysis, answer).
"""

from __future__ import annotations

from collections.abc import Iterator

import phrases
from phrases import FACTS, Row


def rows() -> Iterator[Row]:
    """All conversations of one turn."""
    asked: tuple[str, ...]
    yield from _sums()
    yield from phrases.copies()
    yield from phrases.translations()
    yield from _capitals()
    yield from _words()
    yield from _animals()
    for text, number, more in FACTS["counts"]:
        answer = f"There are **{number}**: {more}." if " are " in f" {text} " else f"It has **{number}**, {more}."
        analysis = "The user asks for a number. I give it and one detail."
        yield "table", (f"How many {text}?", f"how many {text}", f"Tell me how many {text}."), analysis, answer
    for entry in FACTS["makers"]:
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
    for entry in FACTS["symbols"]:
        symbol, name, number = entry.split()
        asked = (
            f"What is the chemical symbol for {name}?",
            f"symbol of {name}",
            f"What is the symbol for {name}?",
        )
        answer = f"The chemical symbol for {name} is **{symbol}**. Its atomic number is {number}."
        yield "table", asked, f"A question from the periodic table: {name}.", answer
    for entry in FACTS["mixes"]:
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
    entries = [entry.partition("|") for entry in (*FACTS["capitals"], *FACTS["capitals_more"])]
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
    for entry in FACTS["opposites"]:
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
    for entry in FACTS["plurals"]:
        one, many = entry.split()
        asked = (f"What is the plural of {one}?", f"plural of {one}", f"What's the plural of {one}?")
        yield "table", asked, f'The plural of "{one}" is asked for.', f'The plural of "{one}" is **"{many}"**.'
    for entry in FACTS["past"]:
        base, past, perfect = entry.split()
        asked = (
            f"What is the past tense of {base}?",
            f"past tense of {base}",
            f"What's the past tense of {base}?",
        )
        answer = f'The past tense of "{base}" is **"{past}"**. The past participle is "{perfect}".'
        yield "table", asked, f'The user asks for the past tense of "{base}".', answer
    for entry in FACTS["greetings"]:
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
    for entry in FACTS["babies"]:
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
    for entry in FACTS["sounds"]:
        animal, verb, sound = entry.split()
        article = "an" if animal[0] in "aeiou" else "a"
        asked = (
            f"What sound does {article} {animal} make?",
            f"What does {article} {animal} say?",
            f"{animal} sound",
        )
        answer = f'{article.capitalize()} {animal} {verb}: "{sound.capitalize()}!"'
        yield "table", asked, f"The user asks what the {animal} sounds like.", answer
