"""Tokenises the corpus once: `prepare.py --corpus FOLDER --out store.xz --tokenizer FOLDER`.

Cuts o200k to its first ranks with harmony's tokens behind them, renders the frames with this project's own renderer,
and writes the store that `train.py` reads. Run it from the repository's root, where `gptoss_tui` and `tests` can be
imported.
"""

from __future__ import annotations

import argparse
import datetime
import random
from collections.abc import Iterable
from pathlib import Path

import corpus
import numpy as np
from store import NONE, Frames, Store, WrittenConversation, WrittenTurn

from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import EFFORTS, Message
from tests.vocabularies import cut_tokenizer_json

RANKS = 8183
"""With nine harmony tokens behind them 8,192 ids, a round number for the matrix products."""

_WEIGHTS = {
    "sum": 0.25,
    "capital": 0.25,
    "opposite": 0.2,
    "table": 0.3,
    "copy": 0.2,
    "memory": 0.4,
    "definition": 0.8,
    "fact": 0.5,
    "translation": 0.2,
}
_FIRST_DATE, _DATES = datetime.date(2025, 8, 1), 900
_INSTRUCTIONS = {
    "one_sentence": (
        "Answer in one sentence.",
        "Reply with one sentence only.",
        "Use a single sentence for every answer.",
        "One sentence, no more.",
    ),
    "brief": (
        "Answer briefly.",
        "Be brief.",
        "Keep your answers short.",
        "Be concise.",
        "Answer in two sentences at most.",
    ),
    "bullets": (
        "Answer with bullet points.",
        "Use a bulleted list.",
        "Always answer as a list.",
        "Reply in bullet points.",
    ),
    "plain": (
        "You are a helpful assistant.",
        "Be friendly.",
        "Be kind and patient.",
        "Answer in simple English.",
        "You are talking to a child. Use simple words.",
        "Be polite and helpful.",
        "Use a warm tone.",
        "Help the user as well as you can.",
        "You are a friendly guide.",
        "Answer clearly.",
        "You are an assistant in a terminal program.",
        "Do not be afraid to say that you do not know.",
    ),
    "pirate": ("Talk like a pirate.", "You are a pirate.", "Answer like a pirate.", "Speak like a pirate captain."),
    "captain": ("Call the user Captain.", "Always call me Captain.", "Address the user as Captain."),
    "sure": ("Start every answer with the word Sure.", "Begin each answer with Sure.", "Always start with Sure."),
    "question": (
        "End every answer with a question.",
        "Always end with a question.",
        "Finish each reply with a question.",
    ),
}
_ASIDES = {
    "one_sentence": (" In one sentence.", " Answer in one sentence.", " in one sentence", " One sentence please."),
    "brief": (" Keep it short.", " Briefly, please.", " Be brief.", " short answer please", " In two sentences."),
    "bullets": (" Use bullet points.", " as a list", " Answer with bullet points.", " in bullet points please"),
}
_AGAIN = {
    "one_sentence": (
        (
            "In one sentence, please.",
            "one sentence",
            "Summarize that in one sentence.",
            "tl;dr",
            "What is the main point?",
            "sum it up",
        ),
        "The user wants one sentence. I keep only the main point.",
        "The user wants my last answer in one sentence. I look at it again, keep the main point and leave out "
        "the rest.",
    ),
    "brief": (
        (
            "Make it shorter.",
            "shorter please",
            "Too long.",
            "Can you make that shorter?",
            "Say it more briefly.",
            "shorter",
        ),
        "The user wants it shorter. I keep the first and most important part.",
        "The user found my last answer too long. I look at it again and keep what matters most: the beginning. "
        "The rest can go.",
    ),
    "bullets": (
        (
            "As bullet points, please.",
            "make it a list",
            "Can you turn that into a list?",
            "bullet points",
            "Write that as a list.",
        ),
        "The user wants a list. I put each sentence on its own line.",
        "The user wants my last answer as a list. I take it sentence by sentence, one bullet for each, in the "
        "same order.",
    ),
    "repeat": (
        (
            "Say that again.",
            "Can you repeat that?",
            "repeat please",
            "What did you say?",
            "once more please",
            "Again, please.",
        ),
        "The user wants to hear it again. I repeat my last answer.",
        "The user did not catch my last answer, or liked it. I repeat it as it was, without changes.",
    ),
}
_OPENINGS = {"pirate": "Ahoy there, matey!\n\n", "captain": "Aye, Captain!\n\n", "sure": "Sure!\n\n"}
_CLOSINGS = {"pirate": "\n\nArr, and that be the truth!", "question": "\n\nWould you like to know more?"}


class Segments:
    """Collects segments; equal texts share one."""

    def __init__(self, harmony: Harmony) -> None:
        self._harmony = harmony
        self._numbers: dict[str, int] = {}
        self._arrays: list[list[int]] = []

    def ids(self, ids: list[int]) -> int:
        """A segment given as tokens."""
        self._arrays.append(ids)
        return len(self._arrays) - 1

    def text(self, text: str) -> int:
        """A segment of plain text; NONE for an empty one."""
        if not text:
            return NONE
        if text not in self._numbers:
            self._numbers[text] = self.ids(self._harmony.vocabulary.encode(text))
        return self._numbers[text]

    def texts(self, texts: Iterable[str]) -> tuple[int, ...]:
        """Several of them."""
        return tuple(self.text(text) for text in texts)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """All tokens and where each segment starts."""
        lengths = np.fromiter((len(a) for a in self._arrays), dtype=np.int64, count=len(self._arrays))
        tokens = np.fromiter((i for a in self._arrays for i in a), dtype=np.uint16, count=int(lengths.sum()))
        return tokens, np.concatenate(([0], np.cumsum(lengths)))


def frames(harmony: Harmony, segments: Segments) -> Frames:
    """What the renderer puts around the contents, cut out of conversations that it rendered."""
    special, encode = harmony.vocabulary.special, harmony.vocabulary.encode
    start, end, message, channel = (special[f"<|{name}|>"] for name in ("start", "end", "message", "channel"))
    dates = [(_FIRST_DATE + datetime.timedelta(days=i)).isoformat() for i in range(_DATES)]
    asked = [Message.user("x")]

    def part(ids: list[int], index: int) -> list[int]:
        ends = [i + 1 for i, token in enumerate(ids) if token == end]
        return ids[ends[index - 1] if index else 0 : ends[index]]

    system = tuple(
        tuple(segments.ids(part(harmony.render(asked, effort=effort, date=date), 0)) for date in dates)
        for effort in EFFORTS
    )
    return Frames(
        system=system,
        dates=tuple(
            (
                segments.text("The user asks for the date. The system message gives it."),
                segments.text(
                    f"The user asks for the date. I have no clock of my own. The system message says {date}. "
                    "So I give that date and say where I know it from."
                ),
                segments.text(f"Today is **{date}**. I have no clock of my own: the program told me so."),
            )
            for date in dates
        ),
        date_requests=segments.texts(corpus.DATE_REQUESTS),
        instructions={
            name: tuple(
                segments.ids(part(harmony.render(asked, instructions=text, date=dates[0]), 1)) for text in texts
            )
            for name, texts in _INSTRUCTIONS.items()
        },
        asides={name: segments.texts(texts) for name, texts in _ASIDES.items()},
        again={
            name: (segments.texts(asks), segments.text(note), segments.text(long_note))
            for name, (asks, note, long_note) in _AGAIN.items()
        },
        openings={name: segments.text(text) for name, text in _OPENINGS.items()},
        closings={name: segments.text(text) for name, text in _CLOSINGS.items()},
        user=segments.ids([start, *encode("user"), message]),
        assistant=segments.ids([start, *encode("assistant")]),
        analysis=segments.ids([channel, *encode("analysis"), message]),
        final=segments.ids([channel, *encode("final"), message]),
        end=segments.ids([end]),
        stop=segments.ids([special["<|return|>"]]),
    )


def _written(conversation: corpus.Conversation, segments: Segments) -> WrittenConversation:
    turns = tuple(
        WrittenTurn(
            segments.texts(turn.requests),
            *segments.texts(
                (turn.analysis, turn.long_analysis, turn.answer, turn.one_sentence, turn.brief, turn.bullets)
            ),
        )
        for turn in conversation.turns
    )
    weight = _WEIGHTS.get(conversation.group, 1.6 if conversation.group in ("talk", "more", "newcomers") else 1.0)
    return WrittenConversation(conversation.group, weight, turns, segments.text(conversation.held_out))


def build(harmony: Harmony, folder: Path, parts: int, limit: int) -> Store:
    """The whole store from the corpus folder; `parts` sampled files are read, `limit` conversations at most."""
    segments = Segments(harmony)
    around = frames(harmony, segments)
    conversations = list(corpus.written([folder, Path(__file__).parent]))
    conversations += corpus.ruled(corpus.asked_keys(conversations))
    written = tuple(_written(conversation, segments) for conversation in conversations)
    subjects = corpus.Subjects(conversations)
    turns: list[tuple[int, int, int]] = []
    starts, efforts, held = [0], [], []
    for sampled in corpus.sampled([folder / f"part-{i:02}.jsonl.gz" for i in range(parts)], subjects):
        turns += [(segments.text(q), segments.text(note), segments.text(a)) for q, note, a in sampled.turns]
        starts.append(len(turns))
        efforts.append(sampled.effort)
        held.append(sampled.held_out)
        if len(efforts) >= limit:
            break
    tokens, places = segments.arrays()
    return Store(
        tokens,
        places,
        around,
        written,
        np.array(turns, dtype=np.int32).reshape(-1, 3),
        np.array(starts, dtype=np.int32),
        np.array(efforts, dtype=np.int8),
        np.array(held, dtype=np.bool_),
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with written-*.jsonl and part-*.jsonl.gz")
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder that gets tokenizer.json")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--parts", type=int, default=3, help="sampled files to read, best first")
    parser.add_argument("--limit", type=int, default=10**9, help="sampled conversations at most, for a short trial")
    options = parser.parse_args()
    random.seed(0)
    options.tokenizer.mkdir(parents=True, exist_ok=True)
    cut_tokenizer_json(options.tokenizer, RANKS)
    harmony = Harmony.load(options.tokenizer)
    store = build(harmony, options.corpus, options.parts, options.limit)
    store.save(options.out)
    print(
        f"{len(store.tokens):,} tokens in {len(store.starts) - 1:,} segments, {len(store.written):,} written and "
        f"{len(store.sampled_effort):,} sampled conversations, {options.out.stat().st_size / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
