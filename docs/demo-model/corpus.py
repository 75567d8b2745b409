"""The conversations that the demo model learns: what was written by hand, what tables give by rule, what was sampled.

Reads the corpus folder and returns plain values. Knows no tokens; the rules are in `wording.py` and `shaping.py`, the
tables in `tables.py`.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import phrases
import shaping
import tables
import wording

# Files whose answer wins where two of them ask the same question,
# best first. What was added later stands last, so that it changes nothing about which wordings are held out.
_PRIORITY = ("more", "talk", "code", "science", "world", "everyday", "stories", "newcomers")

_ADDED = ("more", "newcomers")
"""Files of this folder, from which nothing is held out."""

DATE_REQUESTS = (
    "What is the date today?",
    "what day is it",
    "What's today's date?",
    "What day is it today?",
    "what is the date",
    "Do you know what date it is?",
    "todays date",
    "Tell me the date.",
    "what year is it",
    "What year is it now?",
    "which month is it",
)
"""Answered from the date in the system message (`compose.py`)."""

# Statements about the model itself that its final size decides.
_SIZE_TEXT = (
    ("I have millions of parameters, not billions.", "I have about 37 million parameters, not billions."),
    ("Only some millions.", "About 37 million."),
    ("gpt-oss-20b is hundreds of times bigger", "gpt-oss-20b is more than five hundred times bigger"),
    ("It's many hundreds of times bigger", "It's more than five hundred times bigger"),
    ("Maybe a line or two, and even those may be wrong.", "A few lines of Python, and even those may be wrong."),
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One request, with all that may be asked and answered at its place."""

    requests: tuple[str, ...]
    """Wordings to train on."""
    analysis: str
    answer: str
    long_analysis: str = ""
    """The analysis at high effort."""
    one_sentence: str = ""
    """The answer under an instruction to use one sentence; empty where no rule makes one."""
    brief: str = ""
    bullets: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A written request with its follow-ups."""

    group: str
    turns: tuple[Turn, ...]
    held_out: str = ""
    """A wording of the first request that is never trained on."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A sampled conversation: (request, analysis, answer) turn by turn, each at the conversation's effort."""

    group: str
    effort: int
    """0 low, 1 medium, 2 high."""
    turns: tuple[tuple[str, str, str], ...]
    held_out: bool


_EACH = {"definition": 2, "fact": 6, "translation": 3}
"""For groups that rules may reword although they come from tables: how often each wording is varied."""


def _seed(text: str) -> int:
    return zlib.crc32(text.encode())


def _sized(text: str) -> str:
    for old, new in _SIZE_TEXT:
        text = text.replace(old, new)
    return text


def _turn(
    requests: list[str], analysis: str, answer: str, banned: frozenset[str], rng: random.Random, *, each: int = 7
) -> Turn:
    return Turn(
        requests=tuple(wording.variants(requests, banned, rng, each=each or 3, rules=each > 0)),
        analysis=analysis,
        answer=answer,
        long_analysis=shaping.longer_analysis(analysis, answer, rng),
        one_sentence=shaping.one_sentence(answer) or "",
        brief=shaping.briefly(answer) or "",
        bullets=shaping.bulleted(answer) or "",
    )


def _follow_up_requests(question: str) -> list[str]:
    """Follow-ups are short and come in one wording each: a polite and a bare form beside it."""
    return [question, question.rstrip(".?!")]


def written(folders: list[Path]) -> Iterator[Conversation]:
    """The hand-written conversations, a question asked twice answered once; every tenth keeps one wording back.

    Requests for today's date are left to `DATE_REQUESTS`.
    """
    items: list[tuple[str, dict[str, object]]] = []
    for folder in folders:
        for file in folder.glob("written-*.jsonl"):
            name = file.stem.removeprefix("written-")
            items += [(name, json.loads(line)) for line in file.read_text().splitlines() if line.strip()]
    items.sort(key=lambda item: _PRIORITY.index(item[0]))
    taken = {wording.key(request) for request in DATE_REQUESTS}
    chosen: list[tuple[dict[str, object], list[str], str]] = []
    for name, item in items:
        questions = [str(q) for q in item["questions"]]  # type: ignore[attr-defined]  # JSON, a list by its README
        questions = [q for q in dict.fromkeys(questions) if wording.key(q) not in taken]
        if not questions:
            continue
        taken |= {wording.key(q) for q in questions}
        rng = random.Random(_seed(questions[0]))
        held_out = ""
        if name not in _ADDED and _seed("held out " + questions[0]) % 10 == 0 and len(questions) >= 3:
            held_out = questions[rng.randrange(1, len(questions))]
            questions = [q for q in questions if wording.key(q) != wording.key(held_out)]
        chosen.append((item, questions, held_out))
    # Banned everywhere: another conversation's rewording must not give a held-out wording away.
    kept = [held_out for _, _, held_out in chosen if held_out]
    banned = frozenset(wording.key(held_out) for held_out in kept)
    near = frozenset(wording.content(held_out) for held_out in kept) - {frozenset()}
    more = _more_wordings()
    for item, questions, held_out in chosen:
        rng = random.Random(_seed(questions[0]))
        added = more.get(str(item["questions"][0]), [])  # type: ignore[index]  # JSON, a list by its README
        if item["group"] == "newcomers":
            questions, added = questions[:1], [*questions[1:], *added]
        # What was written or found later may not be a held-out wording in other clothes either.
        questions = [*questions, *(q for q in added if wording.content(q) not in near)]
        turns = [_turn(questions, _sized(str(item["analysis"])), _sized(str(item["answer"])), banned, rng)]
        for follow in item.get("followups", []):  # type: ignore[attr-defined]  # JSON, a list by its README
            asked = _follow_up_requests(str(follow["question"]))
            turns.append(_turn(asked, _sized(str(follow["analysis"])), _sized(str(follow["answer"])), frozenset(), rng))
        yield Conversation(str(item["group"]), tuple(turns), held_out)


def _more_wordings() -> dict[str, list[str]]:
    """Wordings that were added later, by the first wording of what they ask."""
    lines = (Path(__file__).parent / "wordings.jsonl").read_text().splitlines()
    return {item["question"]: item["wordings"] for item in map(json.loads, lines)}


def ruled(asked: frozenset[str]) -> Iterator[Conversation]:
    """Conversations from the tables: sums, capitals, definitions, names. Requests with a key in `asked` are left
    out."""
    here = Path(__file__).parent
    defined = phrases.definitions((here / "definitions.txt").read_text().splitlines())
    facts = phrases.facts((here / "facts.txt").read_text().splitlines())
    single = [(row[0], (row,)) for rows in (tables.rows(), defined, facts) for row in rows]
    for group, rows in [*single, *phrases.dialogues()]:
        rng = random.Random(_seed(rows[0][1][0]))
        turns = []
        for _, requests, analysis, answer in rows:
            free = [request for request in requests if group == "memory" or wording.key(request) not in asked]
            banned = frozenset() if group == "memory" else asked
            if free:
                turns.append(_turn(free, analysis, answer, banned, rng, each=_EACH.get(group, 0)))
        if turns:
            yield Conversation(group, tuple(turns))


class Subjects:
    """Tells whether a sampled request asks for what was written already, by the words that carry its subject."""

    def __init__(self, conversations: list[Conversation]) -> None:
        self._sets: list[frozenset[str]] = []
        self._by_word: dict[str, list[int]] = {}
        known: set[frozenset[str]] = set()
        for conversation in conversations:
            if conversation.group in ("sum", "memory", "copy"):
                continue
            for request in (*conversation.turns[0].requests, conversation.held_out):
                words = wording.content(request)
                if words and words not in known:
                    known.add(words)
                    for word in words:
                        self._by_word.setdefault(word, []).append(len(self._sets))
                    self._sets.append(words)
        self._known = known

    def covers(self, request: str) -> bool:
        """Whether some written request has the same subject, up to one word more in the sampled one."""
        words = wording.content(request)
        if not words or words in self._known:
            return True
        shared: dict[int, int] = {}
        for word in words:
            for number in self._by_word.get(word, ()):
                shared[number] = shared.get(number, 0) + 1
        return any(
            count == len(self._sets[number]) and count >= 2 and len(words) - count <= 1
            for number, count in shared.items()
        )


_BAD = re.compile(r"\bas a language model\b|\bhelp you with that information\b|type of \w+, but", re.IGNORECASE)


def _poor(group: str, request: str, answer: str) -> bool:
    """Sampled replies that teach bad habits: circular definitions, echoes of the request, identity of the teacher."""
    low = answer.lower()
    if _BAD.search(answer) or low.count("i'm here to help") > 1:
        return True
    if group == "chat" and re.search(
        r"\b(who|what) are you\b|your name|are you (a|an|real|human)|you an ai", request.lower()
    ):
        return True
    heads = [" ".join(part.lower().split()[:5]) for part in shaping.sentences(answer.replace("\n", " "))]
    return len(heads) != len(set(heads)) and group in ("explain", "chat", "dialogue", "compare")


# What the sampler did well enough to learn from: forms. Where it stated facts or made small talk, it was vague or
# wrong, and a model that has learned that style leaves the written answers for it.
_FORMS = frozenset(("story", "poem", "write", "code"))


def sampled(parts: list[Path], subjects: Subjects) -> Iterator[Sampled]:
    """The sampled conversations of `parts`, best part first, less the poor ones and those on written subjects."""
    for part in parts:
        with gzip.open(part, "rt") as lines:
            for line in lines:
                item = json.loads(line)
                group, messages = item["group"], item["messages"]
                pairs = [(messages[i]["content"], messages[i + 1]["content"]) for i in range(0, len(messages), 2)]
                if group not in _FORMS or subjects.covers(pairs[0][0]) or any(_poor(group, *pair) for pair in pairs):
                    continue
                seed = _seed(line)
                rng = random.Random(seed)
                effort = rng.choices((0, 1, 2), (25, 55, 20))[0]
                turns = []
                for request, answer in pairs:
                    note = shaping.sampled_analysis(group, request, rng)
                    note = shaping.longer_analysis(note, answer, rng) if effort == 2 else note
                    turns.append((request, note if effort else "", answer))
                yield Sampled(group, effort, tuple(turns), seed % 100 == 0)


def asked_keys(conversations: list[Conversation]) -> frozenset[str]:
    """Keys of all first requests that were written, held-out wordings included: the tables leave them alone."""
    keys = {wording.key(text) for c in conversations for text in c.turns[0].requests}
    return frozenset(keys | {wording.key(c.held_out) for c in conversations if c.held_out})
