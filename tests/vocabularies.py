"""Vocabularies for tests: OpenAI's o200k_base, genuine or cut, written as the tokenizer.json that a checkpoint carries.

Knows the Hugging Face layout of that file and where the ranks lie on this machine (inside the package `bpe_openai`), so
that no test needs the network. Does not know how the program reads it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shutil
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

O200K_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
SPLIT = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
"""The pattern that cuts text into words before the merges, as o200k_base has it."""
HARMONY_TOKENS = {
    "<|startoftext|>": 199998,
    "<|endoftext|>": 199999,
    "<|return|>": 200002,
    "<|constrain|>": 200003,
    "<|channel|>": 200005,
    "<|start|>": 200006,
    "<|end|>": 200007,
    "<|message|>": 200008,
    "<|call|>": 200012,
    "<|endofprompt|>": 200018,
}
"""The named special tokens of gpt-oss at their real ids; the ids between them are called `<|reserved_ID|>`."""


def genuine_tokenizer_json(path: Path) -> Path:
    """Writes all of o200k with the harmony tokens at their real ids; `path` is the file, or the folder it goes into."""
    named = {token_id: name for name, token_id in HARMONY_TOKENS.items()}
    specials = {named.get(i, f"<|reserved_{i}|>"): i for i in range(199998, 200019)}
    return _copy(path, "genuine", o200k_ranks(), specials)


def cut_tokenizer_json(path: Path, ranks: int = 4096) -> Path:
    """Writes o200k's first `ranks` ranks (256 at least) and nine harmony tokens behind them: `ranks + 9` ids in all."""
    names = [name for name in HARMONY_TOKENS if name != "<|endofprompt|>"]
    specials = {name: ranks + i for i, name in enumerate(names)}
    return _copy(path, f"cut-{ranks}", o200k_ranks()[:ranks], specials)


def o200k_file() -> Path:
    """The folder-cached `o200k_base.tiktoken`, its checksum verified; its folder serves as TIKTOKEN_ENCODINGS_BASE."""
    file = _cache() / "o200k_base.tiktoken"
    if not file.exists():
        _put(file, _o200k_bytes())
    return file


@cache
def o200k_ranks() -> tuple[bytes, ...]:
    """The bytes of each ordinary token; its place is its rank and its id."""
    pairs = [line.split() for line in _o200k_bytes().splitlines()]
    assert [int(rank) for _, rank in pairs] == list(range(len(pairs)))
    return tuple(base64.b64decode(token) for token, _ in pairs)


def _o200k_bytes() -> bytes:
    # Found without importing: the package would build its own tokenizers first.
    package = find_spec("bpe_openai")
    assert package is not None
    assert package.origin is not None
    data = gzip.decompress((Path(package.origin).parent / "data" / "o200k_base.tiktoken.gz").read_bytes())
    assert hashlib.sha256(data).hexdigest() == O200K_SHA256, "bpe_openai carries another o200k_base"
    return data


def _copy(path: Path, kind: str, ranks: tuple[bytes, ...], specials: dict[str, int]) -> Path:
    cached = _cache() / f"tokenizer-{kind}.json"
    if not cached.exists():
        _put(cached, json.dumps(_layout(ranks, specials), ensure_ascii=False, indent=2).encode())
    target = path if path.suffix == ".json" else path / "tokenizer.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(cached, target)
    return target


def _layout(ranks: tuple[bytes, ...], specials: dict[str, int]) -> dict[str, object]:
    letters = _letters()
    written = ["".join(letters[byte] for byte in token) for token in ranks]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": name, **flags} for name, i in specials.items()],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": True,
            "vocab": {token: rank for rank, token in enumerate(written)},
            "merges": _merges(written),
        },
    }


def _merges(written: list[str]) -> list[tuple[str, str]]:
    """Every pair of tokens that makes a token, ordered by what it makes, then by the pair, as Transformers does it."""
    ids = {token: rank for rank, token in enumerate(written)}
    merges: list[tuple[str, str]] = []
    for token in written:
        pairs = [(token[:i], token[i:]) for i in range(1, len(token))]
        merges += sorted((p for p in pairs if p[0] in ids and p[1] in ids), key=lambda p: (ids[p[0]], ids[p[1]]))
    return merges


def _letters() -> list[str]:
    """The letter that stands for each byte in a byte-level vocabulary."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    stand_ins = {byte: chr(256 + i) for i, byte in enumerate(others)}
    return [stand_ins.get(byte, chr(byte)) for byte in range(256)]


def _cache() -> Path:
    """Kept between runs, since building the merges takes seconds; named after this file's own text, so never stale."""
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"gptoss-test-vocabularies-{version}"
    folder.mkdir(exist_ok=True)
    return folder


def _put(file: Path, data: bytes) -> None:
    # Written aside and renamed: another test run may be reading the same cache.
    handle, name = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
    os.replace(name, file)
