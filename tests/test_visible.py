"""What a model writes may be shown: nothing of it is obeyed by a terminal, and nothing is silently lost."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptoss_tui.visible import FOLD, LONGEST_RUN, Visible, visible, visible_json, visible_token


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ntext", "plain\ntext"),
        ("\x1b[31mred", "␛[31mred"),
        ("bell\x07 null\x00 del\x7f", "bell␇ null␀ del␡"),
        ("csi \x9b31m", "csi \\x9b31m"),
        ("a\r\nb\rc\r", "a\nb␍c␍"),
        ("a\tb", "a    b"),
        ("rtl \u202eoverride\u202c", "rtl ‹U+202E›override‹U+202C›"),
        ("line\u2028sep", "line‹U+2028›sep"),
        ("👩\u200d👩\u200d👧 e\u0301 क्षि", "👩\u200d👩\u200d👧 e\u0301 क्षि"),
    ],
)
def test_what_a_terminal_would_obey_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_flood_of_invisible_characters_is_counted() -> None:
    assert visible("a" + "\u0301" * 1_000 + "b") == "a" + "\u0301" * LONGEST_RUN + "‹×992 invisible›b"
    assert visible("\u200b" * 100_000).endswith("‹×99,992 invisible›")


def test_an_endless_line_is_folded() -> None:
    shown = visible("x" * 10_000)
    assert max(map(len, shown.split("\n"))) <= 2_001
    assert shown.replace(f"{FOLD}\n\n", "") == "x" * 10_000


def test_a_long_line_is_folded_between_words() -> None:
    text = "".join(f"word{at} " for at in range(2_000))
    assert all(line.endswith(f" {FOLD}") for line in visible(text).split("\n\n")[:-1])
    assert visible(text).replace(f"{FOLD}\n\n", "") == text


@given(st.text(alphabet=st.characters(), max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_pieces_give_what_the_whole_gives(text: str, cuts: list[int]) -> None:
    stream, pieces, at = Visible(), [], 0
    for cut in sorted(cuts):
        pieces.append(stream.feed(text[at : max(at, cut)]))
        at = max(at, min(cut, len(text)))
    pieces.append(stream.feed(text[at:]))
    assert "".join(pieces) + stream.finish() == visible(text)


@given(st.text(alphabet=st.characters()))
def test_no_control_character_is_left(text: str) -> None:
    assert not any(unicodedata.category(char) == "Cc" and char != "\n" for char in visible(text))


@given(st.text(alphabet=st.characters()), st.integers(2, 50))
def test_a_token_is_one_short_line(piece: str, longest: int) -> None:
    shown = visible_token(piece, longest)
    assert len(shown) <= longest
    assert not any(unicodedata.category(char) == "Cc" for char in shown)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_json_keeps_its_values_and_holds_nothing_to_obey(text: str) -> None:
    written = visible_json(json.dumps(text, ensure_ascii=False))
    assert json.loads(written) == text
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in written)


def test_whitespace_of_a_token_is_seen() -> None:
    assert visible_token("\n\n\t") == "⏎⏎⇥"
