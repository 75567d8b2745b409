"""Trained weights to a checkpoint in the layout of the card: `export.py --weights RUN --tokenizer FOLDER --out FOLDER`.

Quantises with MLX (affine, 4 bits, group 64; the router 8 bits), scales and biases in bfloat16. With --float everything
stays float32, to compare with PyTorch. Run it from the repository's root.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import mlx.core as mx
import weights
from geometry import BITS, GROUP, ROUTER_BITS, Geometry, bits_of

from gptoss_tui.harmony import Harmony

SHARDS = 3
POSITIONS = 4096
"""The context that the program offers. Trained on rows of 2,048 tokens; what lies beyond them is said in the card."""


def checkpoint_tensors(
    tensors: dict[str, mx.array], *, quantised: bool
) -> tuple[dict[str, mx.array], dict[str, object]]:
    """The tensors to store, and config.json's `quantization` (empty where nothing is quantised)."""
    if not quantised:
        return tensors, {}
    stored: dict[str, mx.array] = {}
    settings: dict[str, object] = {"group_size": GROUP, "bits": BITS, "mode": "affine"}
    for name, value in tensors.items():
        bits = bits_of(name, value.ndim)
        if bits is None:
            stored[name] = value.astype(mx.bfloat16)
            continue
        module = name.removesuffix(".weight")
        packed, scales, biases = mx.quantize(value, group_size=GROUP, bits=bits)
        stored |= {
            name: packed,
            module + ".scales": scales.astype(mx.bfloat16),
            module + ".biases": biases.astype(mx.bfloat16),
        }
        if bits == ROUTER_BITS:
            settings[module] = {"group_size": GROUP, "bits": bits, "mode": "affine"}
    return stored, settings


def write_tensors(folder: Path, tensors: dict[str, mx.array]) -> None:
    """Shards of about equal size in the order of the layers, and their index."""
    total = sum(value.nbytes for value in tensors.values())
    where: dict[str, str] = {}
    shards: list[dict[str, mx.array]] = [{} for _ in range(SHARDS)]
    done = 0
    for name, value in tensors.items():
        number = min(done * SHARDS // total, SHARDS - 1)
        shards[number][name] = value
        where[name] = f"model-{number + 1:05d}-of-{SHARDS:05d}.safetensors"
        done += value.nbytes
    for number, shard in enumerate(shards, 1):
        mx.save_safetensors(str(folder / f"model-{number:05d}-of-{SHARDS:05d}.safetensors"), shard, {"format": "mlx"})
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(where.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))


def write_texts(folder: Path, tokenizer: Path, temperature: float, top_p: float) -> None:
    """tokenizer.json and the small files around it."""
    described = json.loads((tokenizer / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps(described, ensure_ascii=False, separators=(",", ":")))
    harmony = Harmony.load(folder)
    special = harmony.vocabulary.special
    named = {"bos_token": "<|startoftext|>", "eos_token": "<|return|>", "pad_token": "<|endoftext|>"}
    files: dict[str, object] = {
        "special_tokens_map.json": named,
        "tokenizer_config.json": {
            **named,
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_input_names": ["input_ids", "attention_mask"],
            "model_max_length": POSITIONS,
            "clean_up_tokenization_spaces": False,
        },
        "generation_config.json": {
            "bos_token_id": special["<|startoftext|>"],
            "eos_token_id": sorted(harmony.stop_ids),
            "pad_token_id": special["<|endoftext|>"],
            "do_sample": True,
            "temperature": temperature,
            "top_p": top_p,
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    shutil.copyfile(Path(__file__).parent / "chat_template.jinja", folder / "chat_template.jinja")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="folder that train.py wrote")
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder with the tokenizer.json of prepare.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--float", action="store_true", help="float32, not quantised")
    parser.add_argument("--temperature", type=float, default=0.4)
    parser.add_argument("--top-p", type=float, default=0.9)
    options = parser.parse_args()
    mx.set_default_device(mx.cpu)
    options.out.mkdir(parents=True, exist_ok=True)
    arrays, about = weights.load(options.weights)
    geometry = Geometry(**about["geometry"])  # type: ignore[arg-type]  # JSON, as train.py wrote it
    tensors, settings = checkpoint_tensors(
        {name: mx.array(a) for name, a in arrays.items()}, quantised=not options.float
    )
    config = geometry.as_config(positions=POSITIONS)
    write_texts(options.out, options.tokenizer, options.temperature, options.top_p)
    special = Harmony.load(options.out).vocabulary.special
    config |= {"eos_token_id": special["<|return|>"], "pad_token_id": special["<|endoftext|>"]}
    if settings:
        config |= {"quantization": settings, "quantization_config": settings}
    else:
        config["torch_dtype"] = "float32"
    (options.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    write_tensors(options.out, tensors)
    size = sum(file.stat().st_size for file in options.out.iterdir())
    print(f"{options.out}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
