"""Converts a checkpoint with mlx-lm's own converter: checked first, with progress, and whole or not at all.

Around mlx-lm (imported only while it runs) this adds what it lacks: Transformers' layout of the experts, a check of
disk and memory, an atomic result, and the tokenizer's files copied as they are instead of written anew. The source is
only read. Verifying is `divergence`'s business.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gptoss_tui.engine.memory import GIB, physical_memory
from gptoss_tui.errors import CheckpointError, GptOssError, LoadCancelled, MemoryLimitError, ParameterError
from gptoss_tui.models.apart import apart
from gptoss_tui.models.inspection import Inspection, inspect
from gptoss_tui.models.storage import Part, is_matrix
from gptoss_tui.models.whole import whole_or_nothing

if TYPE_CHECKING:
    import mlx.core as mx

Progress = Callable[[int, int], None]
"""Told (done, total), in bytes."""

Mode = Literal["affine", "mxfp4", "mxfp8", "nvfp4"]

SHARD_BYTES = 5 * GIB
"""The most that mlx-lm puts into one file, and holds in memory at a time."""

LEAVING_S = 1.0
"""How long an interruption waits for what is being written: less than the program's grace."""

SPARE_BYTES = 64 * 2**20
"""Disk for the tokenizer and the configs."""

COPIED = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "generation_config.json",
    "chat_template.jinja",
    "LICENSE",
)
"""Taken over as they are."""

_DEFAULTS: dict[Mode, tuple[int, int]] = {"affine": (4, 64), "mxfp4": (4, 32), "mxfp8": (8, 32), "nvfp4": (4, 16)}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is wanted of a conversion."""

    quantize: bool = True
    bits: int | None = None
    """None: what the mode has."""
    group: int | None = None
    mode: Mode = "affine"
    dtype: Literal["bfloat16", "float16", "float32"] | None = None
    """Of what is not quantised; None: what config.json says."""
    like_card: bool = False
    """Dequantises MXFP4 experts first, so that everything has the same format, as the published 4.5-bit card has."""

    def __post_init__(self) -> None:
        bits, group = self.format
        if self.mode == "affine" and (bits not in (2, 3, 4, 5, 6, 8) or group not in (32, 64, 128)):
            raise ParameterError(
                f"there is no affine format of {bits} bits in groups of {group}",
                "Give --q-bits 2, 3, 4, 5, 6 or 8 and --q-group-size 32, 64 or 128.",
            )
        if self.mode != "affine" and (bits, group) != _DEFAULTS[self.mode]:
            own_bits, own_group = _DEFAULTS[self.mode]
            raise ParameterError(
                f"{self.mode} has {own_bits} bits in groups of {own_group}, not {bits} in groups of {group}",
                "Leave --q-bits and --q-group-size away.",
            )

    @property
    def format(self) -> tuple[int, int]:
        """Bits and group size."""
        bits, group = _DEFAULTS[self.mode]
        return self.bits or bits, self.group or group


def check_conversion(source: Path, target: Path, recipe: Recipe) -> Inspection:
    """The source, inspected, if it can be converted into `target` here.

    Raises `CheckpointError` for a source that is damaged or quantised already, `GptOssError` for a target that exists
    or has no room, `MemoryLimitError`.
    """
    found = inspect(source)
    # People convert what they have; a missing tokenizer does not keep the weights from being converted.
    wrong = [problem for problem in found.problems if problem not in found.ids.problems]
    if wrong:
        raise CheckpointError(f"{found.name} is not in order: {wrong[0]}", f"gptoss inspect '{source}' tells more.")
    if found.storage.layout == "mlx" and any(part.packing for part in found.storage.parts):
        raise CheckpointError(
            f"{found.name} is quantised by MLX already ({found.bits_per_weight:.2f} bits per weight)",
            "Convert from the original: openai/gpt-oss-20b, or a folder in bfloat16.",
        )
    if os.path.lexists(target):
        raise GptOssError(f"{target} exists already", "Give another --mlx-path, or move it away.")
    parent = target.absolute().parent
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise GptOssError(f"{parent} is no folder that can be written", "Give another --mlx-path.")
    size = expected_bytes(found, recipe)
    need, free = size + SPARE_BYTES, shutil.disk_usage(parent).free
    if need > free:
        raise GptOssError(
            f"The result takes {need / 1e9:.1f} GB and {parent} has {free / 1e9:.1f} GB free",
            "Make room, or give an --mlx-path on another disk.",
        )
    need = min(size, SHARD_BYTES) + 6 * max(part.parameters for part in found.storage.parts)
    if need > physical_memory():
        raise MemoryLimitError(
            f"Converting takes {need / GIB:.1f} GiB and this machine has {physical_memory() / GIB:.1f} GiB of memory",
            "Convert it on a machine with more memory.",
        )
    return found


def expected_bytes(found: Inspection, recipe: Recipe) -> int:
    """Bytes of the converted weights."""
    return sum(_expected(part, found, recipe) for part in found.storage.parts)


def convert(found: Inspection, target: Path, recipe: Recipe, on_progress: Progress | None = None) -> Inspection:
    """Converts what `check_conversion` returned into the folder `target`, which appears when it is whole.

    `on_progress(done, total)` is called in bytes of the result. Returns the result, inspected. Raises `GptOssError`
    where the disk fills up after all, or where mlx-lm gives up; then nothing is left behind.
    """
    try:
        with whole_or_nothing(target) as folder:
            _on_a_thread(found, folder, recipe, on_progress or (lambda done, total: None))
            for name in COPIED:
                if (found.folder / name).is_file():
                    shutil.copyfile(found.folder / name, folder / name)
            inspect(folder)  # what cannot be read back must not be called a result
    except OSError as error:  # taking its name at the end may fail too: another conversion may have been faster
        raise GptOssError(f"{target} cannot be written: {error.strerror}", "Check the disk.") from error
    except (ValueError, RuntimeError) as error:
        if isinstance(error, GptOssError):
            raise
        raise GptOssError(
            f"mlx-lm could not convert {found.name}: {error}", "Check the source, the disk and memory."
        ) from error
    return inspect(target)


def _on_a_thread(found: Inspection, folder: Path, recipe: Recipe, on_progress: Progress) -> None:
    """Converts on a thread of its own, on which `on_progress` is called too."""

    def work(abandoned: Callable[[], bool]) -> None:
        import mlx.core as mx

        def tell(done: int, total: int) -> None:
            if abandoned():
                raise LoadCancelled("Converting was interrupted", "Run the same command again.")
            on_progress(done, total)

        try:
            _convert(found, folder, recipe, tell)
        finally:
            mx.clear_cache()
            # Streams are the thread's own; left to the interpreter's end they may abort the process.
            mx.clear_streams()

    # Waited for, or it might write one file more into a folder that is being removed.
    apart(work, "gptoss-convert", LEAVING_S)


def _convert(found: Inspection, folder: Path, recipe: Recipe, on_progress: Progress) -> None:
    import mlx.core as mx
    from mlx.utils import tree_flatten, tree_map
    from mlx_lm import utils

    from gptoss_tui.models.layouts import model_classes

    bits, group = recipe.format
    with redirect_stdout(StringIO()):  # it prints as it goes
        model, config = utils.load_model(found.folder, lazy=True, get_model_classes=model_classes)
        if recipe.like_card and found.storage.layout == "openai":
            model = utils.dequantize_model(model)
            config.pop("quantization", None)
            config.pop("quantization_config", None)
        dtype = recipe.dtype or config.get("torch_dtype") or config.get("dtype")
        if dtype in ("bfloat16", "float16", "float32"):
            wanted = getattr(mx, dtype)
            model.update(tree_map(lambda array: _cast(array, wanted), model.parameters()))
        if recipe.quantize:
            model, config = utils.quantize_model(model, config, group, bits, mode=recipe.mode)
        weights: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
        model.update(tree_map(lambda _: mx.array([]), model.parameters()))  # or it would hold every shard
        shards = utils.make_shards(weights, SHARD_BYTES // GIB)
        total = sum(array.nbytes for array in weights.values())
        weights.clear()
        where: dict[str, str] = {}
        done = 0
        for number in range(1, len(shards) + 1):
            shard = shards[number - 1]
            shards[number - 1] = {}
            for array in shard.values():  # one by one, so that no more than a matrix's source is in memory
                mx.eval(array)
                done += array.nbytes
                on_progress(done, total)
            name = f"model-{number:05d}-of-{len(shards):05d}.safetensors" if len(shards) > 1 else "model.safetensors"
            mx.save_safetensors(str(folder / name), shard, metadata={"format": "mlx"})
            where |= dict.fromkeys(shard, name)
            del shard
            mx.clear_cache()
        index = {
            "metadata": {"total_size": total, "total_parameters": found.config.parameters},
            "weight_map": dict(sorted(where.items())),
        }
        (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=4), encoding="utf-8")
        utils.save_config(config, folder / "config.json")


def _cast(array: Any, dtype: Any) -> Any:
    import mlx.core as mx

    return array.astype(dtype) if mx.issubdtype(array.dtype, mx.floating) else array


def _expected(part: Part, found: Inspection, recipe: Recipe) -> int:
    bits, group = recipe.format
    plain = part.packing is None or (recipe.like_card and part.packing.mode == "mxfp4")
    if recipe.quantize and is_matrix(part) and plain and part.shape[-1] % group == 0:
        if part.group == "router":  # mlx-lm's own choice for gpt_oss
            bits, group = 8, 64
        scales = 32 if recipe.mode == "affine" or part.group == "router" else 8
        return -(-part.parameters * (bits * group + scales) // (8 * group))
    if not plain:
        return part.nbytes
    wide = (recipe.dtype or found.raw.get("torch_dtype") or found.dtype) == "float32"
    return part.parameters * (4 if wide else 2)
