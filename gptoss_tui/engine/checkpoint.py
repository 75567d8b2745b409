"""A checkpoint folder on disk: which tensors lie in which file, by the safetensors headers alone.

Nothing here reads a weight or imports mlx: a damaged or foreign file is named before any memory is spent on it. Files
other than JSON and safetensors are never opened; a pickle can run code.
Source of the format: huggingface/safetensors, README.md.
"""

from __future__ import annotations

import math
import os
import stat
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gptoss_tui.engine.jsonfile import parse_json, read_json
from gptoss_tui.errors import CheckpointError

INDEX = "model.safetensors.index.json"

_HEADER_LIMIT = 100_000_000  # the format's own bound
_DAMAGED = "The file is damaged or half downloaded: get the checkpoint again."
_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor as a header describes it."""

    file: Path
    dtype: str
    """safetensors' name, such as `BF16` or `U32`."""
    shape: tuple[int, ...]
    nbytes: int


def read_tensors(folder: Path) -> dict[str, TensorInfo]:
    """Every tensor of the checkpoint in `folder`, by name.

    Raises `CheckpointError` where the folder, a shard or an index entry is missing, or a header does not fit its file.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise CheckpointError(f"{folder} {what}", "Give the folder that holds config.json and the safetensors shards.")
    tensors: dict[str, TensorInfo] = {}
    listed = _index(folder)
    for path in _shards(folder, listed):
        tensors |= read_header(path)
    lost = [name for name in listed or () if name not in tensors]
    if lost:
        raise CheckpointError(f"{folder.name}: the index names {_some(lost)}, which no shard holds", _DAMAGED)
    return tensors


def read_header(path: Path) -> dict[str, TensorInfo]:
    """The tensors of one safetensors file, checked against the file's size.

    Raises `CheckpointError` for a header that is cut short, is not JSON, or describes bytes that are not there.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # a pipe would wait for ever
            raise CheckpointError(f"{path} is not a regular file", "Do not use this checkpoint.")
        size = about.st_size
        with path.open("rb") as file:
            prefix = file.read(8)
            length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else -1
            if not 2 <= length <= min(size - 8, _HEADER_LIMIT):
                raise CheckpointError(f"{path.name} has a damaged header ({size:,} bytes in all)", _DAMAGED)
            header = parse_json(file.read(length), f"{path.name} has a damaged header: it")
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error.strerror}", "Check the file and its permissions."
        ) from None
    if not isinstance(header, dict):
        raise CheckpointError(f"{path.name} has a damaged header: it is not a JSON object", _DAMAGED)
    header.pop("__metadata__", None)
    room = size - 8 - length
    found = {name: _entry(path, name, entry, room) for name, entry in header.items()}
    spans = sorted(tuple(entry["data_offsets"]) for entry in header.values())
    if any(begin < end for (_, end), (begin, _) in pairwise(spans)):
        raise CheckpointError(f"{path.name} has a damaged header: tensors overlap", _DAMAGED)
    return found


def _entry(path: Path, name: str, entry: object, room: int) -> TensorInfo:
    """One header entry, with its bytes within the `room` after the header."""
    try:
        if not isinstance(entry, dict):
            raise TypeError
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not all(isinstance(n, int) and n >= 0 for n in (*shape, begin, end)):
            raise TypeError
        if math.prod(shape) * _BYTES[dtype] != end - begin:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(
            f"{path.name} has a damaged header: the entry of {name[:80]} is senseless", _DAMAGED
        ) from None
    if end > room:
        raise CheckpointError(
            f"{path.name} is truncated: {name[:80]} ends {end - room:,} bytes behind the file", _DAMAGED
        )
    return TensorInfo(path, dtype, tuple(shape), end - begin)


def _index(folder: Path) -> dict[str, str] | None:
    """The index's map from tensor to shard, or None where the folder has no index."""
    path = folder / INDEX
    try:
        raw = read_json(path)
    except FileNotFoundError:
        return None
    index = raw.get("weight_map") if isinstance(raw, dict) else None
    if not isinstance(index, dict):
        raise CheckpointError(f"{path} is not a safetensors index", _DAMAGED)
    if not all(isinstance(shard, str) and Path(shard).name == shard for shard in index.values()):
        raise CheckpointError(f"{path} names shards outside its folder", "Do not use this checkpoint.")
    if not all(shard.endswith(".safetensors") for shard in index.values()):
        raise CheckpointError(
            f"{path} names shards that are not safetensors files", "Such files are never opened: they can run code."
        )
    return dict(index)


def _shards(folder: Path, listed: dict[str, str] | None) -> list[Path]:
    names = sorted(set(listed.values())) if listed is not None else []
    paths = [folder / name for name in names] or sorted(folder.glob("model*.safetensors"))
    if not paths:
        pickles = [path.name for end in ("bin", "pt", "pth", "pkl") for path in sorted(folder.glob(f"*.{end}"))]
        if pickles:
            raise CheckpointError(
                f"{folder.name} holds its weights as pickle files only ({_some(pickles)})",
                "They are never opened, since a pickle can run code. Get or convert the checkpoint as safetensors.",
            )
        raise CheckpointError(f"{folder} holds no model*.safetensors", "Get the checkpoint again, with its weights.")
    # Not Path.exists, which raises for a name that no file system takes.
    missing = [path.name for path in paths if not os.path.exists(path)]
    if missing:
        raise CheckpointError(
            f"{folder.name}: {len(missing)} of {len(paths)} shards are missing ({_some(missing)})",
            "The download is not complete: get the missing files.",
        )
    return paths


def _some(names: list[str]) -> str:
    return ", ".join(name[:80] for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
