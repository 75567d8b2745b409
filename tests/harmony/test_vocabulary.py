"""Reading tokenizer.json: the same ids as Hugging Face's tokenizers, and a clear fault for every file that is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai_harmony
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from gptoss_tui.errors import VocabularyError
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.vocabulary import FORMATTING, load_vocabulary
from tests.vocabularies import HARMONY_TOKENS, cut_tokenizer_json, o200k_ranks

SAMPLES = [
    "",
    "Explain quantum computing in simple terms.",
    "  def f(x):\n\treturn {'a': [1, 22, 333, 4444]}\r\n\r\n",
    "Größe, naïve, L'été, I'LL, we've   \n  end   ",
    "日本語のテキスト、中文文本、한국어 텍스트, русский, عربى, ไทย",
    "👩‍👩‍👧‍👦 e\u0301 \u200b\ufeff \x00\x1b[31m",
    "<|end|> <|start|>assistant <|endoftext|>",
]


def test_genuine_ids_and_size(harmony: Harmony) -> None:
    vocabulary = harmony.vocabulary
    assert {name: vocabulary.special[name] for name in HARMONY_TOKENS} == HARMONY_TOKENS
    assert vocabulary.size == 200019
    assert harmony.stop_ids == {200002, 200012, 199999}
    assert all(vocabulary.token_bytes(rank) == data for rank, data in enumerate(o200k_ranks()))


def test_same_ids_as_hugging_faces_tokenizers(genuine_folder: Path, harmony: Harmony, tmp_path: Path) -> None:
    """Special tokens apart: those, Hugging Face's encoder takes from the text."""
    small = cut_tokenizer_json(tmp_path)
    for file, vocabulary in (
        (genuine_folder / "tokenizer.json", harmony.vocabulary),
        (small, load_vocabulary(tmp_path)),
    ):
        theirs = Tokenizer.from_file(str(file))
        for text in SAMPLES[:-1]:
            assert vocabulary.encode(text) == theirs.encode(text).ids


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_same_ids_as_openai_harmony(harmony: Harmony, oracle: openai_harmony.HarmonyEncoding, text: str) -> None:
    assert harmony.vocabulary.encode(text) == list(oracle.encode(text, disallowed_special=()))


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(), max_size=60))
def test_any_text_survives_encoding(cut: Harmony, text: str) -> None:
    """Lone surrogates apart, which become U+FFFD; a surrogate pair is the character that it spells."""
    vocabulary = cut.vocabulary
    data = b"".join(map(vocabulary.token_bytes, vocabulary.encode(text)))
    assert data == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


@pytest.mark.parametrize("text", ["x" + " " * 1_500_000 + "y", "\n" * 700_000, "a" * 200_001], ids=len)
def test_long_runs_neither_abort_nor_lose_anything(harmony: Harmony, text: str) -> None:
    vocabulary = harmony.vocabulary
    assert b"".join(map(vocabulary.token_bytes, vocabulary.encode(text))) == text.encode()


def test_pieces_are_readable(harmony: Harmony) -> None:
    duck = harmony.vocabulary.encode("🦆")
    assert len(duck) > 1
    assert "".join(map(harmony.piece, duck)) == r"\xf0\x9f\xa6\x86"
    assert [harmony.piece(i) for i in harmony.vocabulary.encode(" qubits\n")] == [" qu", "bits", "\n"]
    assert harmony.piece(200006) == "<|start|>"


@pytest.mark.parametrize("token_id", [200019, 201087, -1, 2**40])
def test_unassigned_ids_have_a_name_and_are_special(harmony: Harmony, token_id: int) -> None:
    assert harmony.piece(token_id) == f"<|reserved_{token_id}|>"
    assert harmony.vocabulary.is_special(token_id)


def test_only_what_text_can_encode_to_is_ordinary(cut: Harmony) -> None:
    vocabulary = cut.vocabulary
    assert [i for i in range(vocabulary.size) if not vocabulary.is_special(i)] == list(range(512))


def test_a_token_listed_twice_and_old_style_merges_are_read(tmp_path: Path) -> None:
    file = cut_tokenizer_json(tmp_path, ranks=300)
    before = load_vocabulary(tmp_path)
    data = json.loads(file.read_text())
    data["model"]["vocab"] |= {token["content"]: token["id"] for token in data["added_tokens"]}
    data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]
    file.write_text(json.dumps(data))
    after = load_vocabulary(tmp_path)
    assert after.special == before.special
    assert [after.encode(text) for text in SAMPLES] == [before.encode(text) for text in SAMPLES]


def test_gpt2s_pattern_where_the_file_names_none(tmp_path: Path) -> None:
    file = cut_tokenizer_json(tmp_path)
    data = json.loads(file.read_text())
    data["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    file.write_text(json.dumps(data))
    theirs, ours = Tokenizer.from_file(str(file)), load_vocabulary(tmp_path)
    assert [ours.encode(text) for text in SAMPLES[:-1]] == [theirs.encode(text).ids for text in SAMPLES[:-1]]


def test_a_digest_tells_vocabularies_apart(tmp_path: Path, cut: Harmony) -> None:
    def digest(name: str, ranks: int, swap: tuple[str, str] | None = None) -> str:
        file = cut_tokenizer_json(tmp_path / name, ranks)
        if swap is not None:
            first, second = swap
            text = file.read_text().replace(first, "<|x|>").replace(second, first)
            file.write_text(text.replace("<|x|>", second))
        return Harmony.load(file.parent).vocabulary.digest

    mine = cut.vocabulary.digest
    assert mine == cut.vocabulary.digest == digest("same", 512)
    assert len(mine) == 32
    others = {digest("shorter", 511), digest("swapped", 512, ("<|return|>", "<|call|>"))}
    assert len({mine, *others}) == 3


def _swap_two_ids(data: dict[str, Any]) -> None:
    vocabulary = data["model"]["vocab"]
    first, second = list(vocabulary)[260], list(vocabulary)[290]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]


DAMAGE: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no model": (lambda d: d.pop("model"), "no byte-level BPE"),
    "another model": (lambda d: d["model"].update(type="Unigram"), "no byte-level BPE"),
    "byte fallback": (lambda d: d["model"].update(byte_fallback=True), "no byte-level BPE"),
    "a normalizer": (lambda d: d.update(normalizer={"type": "NFC"}), "normalises"),
    "no vocabulary": (lambda d: d["model"].pop("vocab"), "no vocabulary"),
    "ids that are no numbers": (lambda d: d["model"]["vocab"].update(a="1"), "whole numbers"),
    "an id twice": (lambda d: d["model"]["vocab"].update(a=0), "distinct"),
    "letters outside the alphabet": (lambda d: d["model"]["vocab"].update({"€": 5000}), "alphabet"),
    "bytes outside the alphabet": (lambda d: d["model"]["vocab"].update({"a b": 5000}), "alphabet"),
    "a byte without a token": (lambda d: (d["model"]["vocab"].pop("!"), d["model"].update(merges=[])), "every byte"),
    "no merges": (lambda d: d["model"].pop("merges"), "no merges"),
    "a merge of nothing": (lambda d: d["model"]["merges"].append(["zq", "qz"]), "makes no token"),
    "a merge that is none": (lambda d: d["model"]["merges"].append(7), "makes no token"),
    "ids out of order": (_swap_two_ids, "order of its merges"),
    "merges out of order": (lambda d: d["model"]["merges"].reverse(), "order of its merges"),
    "no pre-tokenizer": (lambda d: d.update(pre_tokenizer=None), "0 patterns"),
    "another pre-tokenizer": (lambda d: d.update(pre_tokenizer={"type": "Whitespace"}), "byte-level"),
    "a prefix space": (lambda d: d.update(pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True}), "byte-level"),
    "a literal pattern": (
        lambda d: d.update(pre_tokenizer={"type": "Split", "pattern": {"String": " "}, "behavior": "Isolated"}),
        "splits text",
    ),
    "a pattern that is none": (
        lambda d: d.update(pre_tokenizer={"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"}),
        "no encoding",
    ),
    "damaged added tokens": (lambda d: d["added_tokens"].append({"id": "x"}), "added tokens are damaged"),
    "a special id twice": (lambda d: d["added_tokens"].append({"id": 300, "content": "<|x|>"}), "share an id"),
    "a special id that is taken": (lambda d: d["added_tokens"].append({"id": 5, "content": "<|x|>"}), "ordinary one"),
    "no added tokens": (lambda d: d.pop("added_tokens"), "lacks harmony's special tokens"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_unusable_files_are_refused_with_a_reason(tmp_path: Path, damage: str) -> None:
    change, reason = DAMAGE[damage]
    file = cut_tokenizer_json(tmp_path, ranks=300)
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))
    with pytest.raises(VocabularyError, match=reason) as caught:
        Harmony.load(tmp_path)
    assert caught.value.hint
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", FORMATTING)
def test_every_formatting_token_is_needed_and_named(tmp_path: Path, name: str) -> None:
    file = cut_tokenizer_json(tmp_path, ranks=300)
    data = json.loads(file.read_text())
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] != name]
    file.write_text(json.dumps(data))
    with pytest.raises(VocabularyError) as caught:
        Harmony.load(tmp_path)
    assert name in caught.value.message


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"model": 1e}'])
def test_files_that_are_no_json_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(VocabularyError) as caught:
        Harmony.load(tmp_path)
    assert "tokenizer.json" in caught.value.message
    assert caught.value.hint
    assert len(caught.value.message) < 300


def test_a_missing_file_and_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match="missing"):
        Harmony.load(tmp_path)
    with pytest.raises(VocabularyError, match="missing"):
        Harmony.load(tmp_path / "nowhere")
    (tmp_path / "tokenizer.json").mkdir()
    with pytest.raises(VocabularyError, match="cannot be used: it is not a regular file"):
        Harmony.load(tmp_path)
