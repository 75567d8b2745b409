"""The special tokens of a checkpoint and the ids that its configs name, without reading the vocabulary.

tokenizer.json lists its added tokens before the 28 million bytes of vocabulary, so that the first part of the file is
enough. Knows no harmony beyond the names of its tokens.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gptoss_tui.engine.jsonfile import read_json
from gptoss_tui.errors import CheckpointError

HARMONY = ("<|return|>", "<|call|>", "<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>")
"""What a conversation cannot do without."""

_BEGINNING = 2**20
"""Bytes within which the added tokens are expected."""


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """Ids with a meaning."""

    named: Mapping[str, int]
    """tokenizer.json's added tokens; empty where there is no such file."""
    eos: tuple[int, ...]
    """What generation_config.json, else config.json, says ends an answer."""
    pad: int | None
    bos: int | None
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def read_special_ids(folder: Path, config: Mapping[str, object], vocabulary: int) -> SpecialIds:
    """The ids of the checkpoint in `folder`, whose config.json says `config` and whose table has `vocabulary` rows."""
    problems: list[str] = []
    notes: list[str] = []
    named: dict[str, int] = {}
    try:
        named = _added_tokens(folder / "tokenizer.json")
    except FileNotFoundError:
        problems.append("tokenizer.json is missing: nobody can talk to this model")
    except CheckpointError as error:
        problems.append(error.message)
    else:
        lost = [name for name in HARMONY if name not in named]
        if lost:
            problems.append(f"tokenizer.json lacks harmony's special tokens {', '.join(lost)}")
    generation = _generation(folder, problems)
    eos = _ids(generation.get("eos_token_id")) or _ids(config.get("eos_token_id"))
    for name, said in (("generation_config.json", generation), ("config.json", config)):
        ends = said.get("eos_token_id")
        if not all(type(i) is int for i in (ends if isinstance(ends, list) else [0 if ends is None else ends])):
            problems.append(f"{name}: eos_token_id cannot be {repr(ends)[:80]}")
    for what, ids in (("eos", eos), ("special", tuple(named.values()))):
        outside = [i for i in ids if not 0 <= i < vocabulary]
        if outside:
            problems.append(f"{what} token {outside[0]} lies outside the vocabulary of {vocabulary:,}")
    stops = {name: named[name] for name in HARMONY[:2] if name in named}
    unlisted = [f"{name} {i}" for name, i in stops.items() if i not in eos]
    if unlisted:
        listed = ", ".join(map(str, eos)) or "nothing"
        notes.append(f"the configs name {listed} as end of an answer; gptoss also stops on {' and '.join(unlisted)}")
    return SpecialIds(
        named, eos, _one(config, "pad_token_id"), _one(config, "bos_token_id"), *map(tuple, (problems, notes))
    )


def _added_tokens(path: Path) -> dict[str, int]:
    """Name and id of each added token. Raises `FileNotFoundError`, and `CheckpointError` for any other damage."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise CheckpointError(f"{path} is not a regular file")
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING).decode("utf-8", "ignore")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from None
    _, found, rest = beginning.partition('"added_tokens"')
    try:
        tokens: object = json.JSONDecoder().raw_decode(rest.lstrip(" \t\r\n:"))[0] if found else None
    except (ValueError, RecursionError):
        tokens = None
    if tokens is None:  # a file in another order
        whole = read_json(path)
        tokens = whole.get("added_tokens") if isinstance(whole, dict) else None
    if not isinstance(tokens, list):
        raise CheckpointError(f"{path.name} lists no added tokens")
    return {
        entry["content"]: entry["id"]
        for entry in tokens
        if isinstance(entry, dict) and isinstance(entry.get("content"), str) and type(entry.get("id")) is int
    }


def _generation(folder: Path, problems: list[str]) -> Mapping[str, object]:
    try:
        raw = read_json(folder / "generation_config.json")
    except FileNotFoundError:
        return {}
    except CheckpointError as error:
        problems.append(error.message)
        return {}
    return raw if isinstance(raw, dict) else {}


def _ids(value: object) -> tuple[int, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(i for i in values if type(i) is int)


def _one(config: Mapping[str, object], name: str) -> int | None:
    ids = _ids(config.get(name))
    return ids[0] if ids else None
