"""Everything that can be said of a checkpoint without loading it: read from config.json and the safetensors headers.

Reads no weight and imports no mlx. Structural damage (no config, a cut header, a missing shard) is raised; what merely
disagrees is collected in `Inspection.problems`, all of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gptoss_tui.engine.checkpoint import INDEX, TensorInfo, read_tensors
from gptoss_tui.engine.config import ModelConfig, parse_config, read_config
from gptoss_tui.engine.jsonfile import read_json
from gptoss_tui.models.figures import KVCost, active_parameters, kv_cost
from gptoss_tui.models.specials import SpecialIds, read_special_ids
from gptoss_tui.models.storage import Group, Part, Storage, is_matrix, read_storage, some

ACCOMPANYING = (
    "config.json",
    INDEX,
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "generation_config.json",
    "chat_template.jinja",
)
"""What a converted checkpoint brings besides its shards."""

_NUMBERED = re.compile(r"model-(\d+)-of-(\d+)\.safetensors")


@dataclass(frozen=True, slots=True)
class PartSummary:
    """Parts of one kind in one format, together."""

    group: Group
    format: str
    count: int
    parameters: int
    nbytes: int

    @property
    def bits_per_weight(self) -> float:
        """What each number takes, its share of scales and biases counted."""
        return 8 * self.nbytes / self.parameters


@dataclass(frozen=True, slots=True)
class Inspection:
    """A checkpoint, as its files describe it."""

    folder: Path
    config: ModelConfig
    raw: Mapping[str, Any]
    """config.json, whole."""
    tensors: Mapping[str, TensorInfo]
    storage: Storage
    shards: tuple[tuple[str, int], ...]
    """Name and bytes of each weights file."""
    files: tuple[str, ...]
    """Which of `ACCOMPANYING` are there."""
    ids: SpecialIds
    problems: tuple[str, ...]
    """What keeps the checkpoint from working as it should; empty where it is in order."""
    notes: tuple[str, ...]
    """What is unusual and harmless."""

    @property
    def name(self) -> str:
        """The folder's name; of a snapshot in Hugging Face's cache the repository's."""
        repo = self.folder.parent.parent.name
        if self.folder.parent.name == "snapshots" and repo.startswith("models--"):
            return repo.removeprefix("models--").replace("--", "/", 1)
        return self.folder.name

    @property
    def active_parameters(self) -> int:
        """Parameters that take part in one token."""
        return active_parameters(self.config)

    @property
    def weights_bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(info.nbytes for info in self.tensors.values())

    @property
    def bits_per_weight(self) -> float:
        """8 times the bytes over the parameters: what people compare."""
        return 8 * self.weights_bytes / self.config.parameters

    @property
    def dtype(self) -> str:
        """What numbers outside the quantised matrices are stored as."""
        plain = [part.format for part in self.storage.parts if part.group == "norms"]
        return max(set(plain), key=plain.count) if plain else "unknown"

    @property
    def kv(self) -> KVCost:
        """What the KV cache takes in the checkpoint's own precision."""
        return kv_cost(self.config, 4 if self.dtype == "float32" else 2)

    @property
    def bytes_per_token(self) -> Mapping[str, float]:
        """Bytes of weights that writing one token reads, by group; of the experts those chosen, of the embedding a
        row."""
        stored, config = self.storage, self.config
        return {
            "experts": stored.bytes_of(["experts"]) * config.experts_per_token / config.experts,
            "attention": stored.bytes_of(["attention"]),
            "head": stored.bytes_of(["head"]),
            "router": stored.bytes_of(["router"]),
            "norms": stored.bytes_of(["norms"]),
            "embedding": stored.bytes_of(["embedding"]) / config.vocabulary,
        }

    def summaries(self) -> tuple[PartSummary, ...]:
        """The matrices by group and format, in the order of the model; vectors (norms, biases, sinks) last."""
        piles: dict[tuple[Group, str], list[Part]] = {}
        matrices = [part for part in self.storage.parts if is_matrix(part)]
        vectors = [part for part in self.storage.parts if not is_matrix(part)]
        for part in matrices:
            piles.setdefault((part.group, part.format), []).append(part)
        for part in vectors:
            piles.setdefault(("norms", part.format), []).append(part)
        return tuple(
            PartSummary(group, how, len(pile), sum(p.parameters for p in pile), sum(p.nbytes for p in pile))
            for (group, how), pile in piles.items()
        )


def inspect(folder: Path) -> Inspection:
    """What the checkpoint in `folder` is.

    Raises `CheckpointError` where it is no gpt_oss checkpoint, or so damaged that its figures cannot be read.
    """
    config, raw = _config(folder)
    tensors = read_tensors(folder)
    storage = read_storage(config, tensors)
    ids = read_special_ids(folder, raw, config.vocabulary)
    shards = tuple(sorted({(info.file.name, info.file.stat().st_size) for info in tensors.values()}))
    files = tuple(name for name in ACCOMPANYING if (folder / name).exists())
    problems, notes = _check_shards(folder, tensors)
    notes += [f"{name} is missing" for name in ("generation_config.json", "chat_template.jinja") if name not in files]
    declared, undeclared = _check_quantisation(raw, storage)
    return Inspection(
        folder=folder,
        config=config,
        raw=raw,
        tensors=tensors,
        storage=storage,
        shards=shards,
        files=files,
        ids=ids,
        problems=(*problems, *storage.problems, *declared, *ids.problems),
        notes=(*notes, *undeclared, *ids.notes),
    )


def _config(folder: Path) -> tuple[ModelConfig, Mapping[str, Any]]:
    read_config(folder)  # names what is wrong with the file
    raw = read_json(folder / "config.json")
    assert isinstance(raw, dict)
    return parse_config(raw, str(folder / "config.json")), raw


def _check_shards(folder: Path, tensors: Mapping[str, TensorInfo]) -> tuple[list[str], list[str]]:
    """Problems and notes on how the files belong together; that each is whole was checked as it was read."""
    problems: list[str] = []
    notes: list[str] = []
    names = sorted(path.name for path in folder.glob("model*.safetensors"))
    numbers = [(int(match[1]), int(match[2])) for name in names if (match := _NUMBERED.fullmatch(name))]
    if numbers:
        # OpenAI counts its shards from 0 to N, everybody else from 1 to N.
        expected = numbers[0][1] + (numbers[0][0] == 0)
        if len(numbers) != expected:
            problems.append(f"{len(numbers)} of {expected} shards are here")
    try:
        index = read_json(folder / INDEX)
    except FileNotFoundError:
        if len(names) > 1:
            notes.append(f"there is no {INDEX}")
        return problems, notes
    assert isinstance(index, dict)  # read_tensors has read it
    listed = index["weight_map"]
    foreign = [name for name in tensors if name not in listed]
    if foreign:
        problems.append(f"the index lacks {len(foreign)} tensors that the shards hold: {some(foreign)}")
    moved = [name for name, info in tensors.items() if listed.get(name, info.file.name) != info.file.name]
    if moved:
        problems.append(f"the index names another shard for {some(moved)}")
    extra = sorted(set(names) - set(listed.values()))
    if extra:
        notes.append(f"weights files that the index does not name are left aside: {some(extra)}")
    claimed = index.get("metadata", {}).get("total_size") if isinstance(index.get("metadata"), dict) else None
    held = sum(info.nbytes for info in tensors.values())
    if isinstance(claimed, int) and claimed != held:
        notes.append(f"the index claims {claimed:,} bytes and the shards hold {held:,}")
    return problems, notes


def _check_quantisation(raw: Mapping[str, Any], storage: Storage) -> tuple[list[str], list[str]]:
    """Whether config.json's `quantization` says what the tensors are. The engine reads shapes; mlx-lm reads this."""
    declared = raw.get("quantization")
    packed = [part for part in storage.parts if part.packing is not None]
    if not isinstance(declared, dict):
        if packed and storage.layout == "mlx":
            return [], ["config.json does not mention the quantisation that the tensors have"]
        return [], []
    wrong: list[str] = []
    other: list[str] = []
    for part in packed:
        own = declared.get(part.name)
        said = own if isinstance(own, dict) else declared
        assert part.packing is not None
        if (said.get("bits"), said.get("group_size")) != (part.packing.bits, part.packing.group):
            line = f"{part.name} ({part.format}, not {said.get('bits')}-bit, group {said.get('group_size')})"
            (wrong if said is own else other).append(line)
    return (
        [f"config.json describes the quantisation of {some(wrong)} wrongly"] if wrong else [],
        [f"config.json does not mention the quantisation of {some(other)}"] if other else [],
    )
