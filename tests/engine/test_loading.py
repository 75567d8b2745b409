"""Loading: progress, cancelling, figures, what is refused before memory is spent on it, and what stays packed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest

from gptoss_tui.engine import loading
from gptoss_tui.engine.events import LoadProgress
from gptoss_tui.engine.loading import load_model
from gptoss_tui.engine.matrices import Dense, Quantised
from gptoss_tui.errors import CheckpointError, GptOssError, LoadCancelled, MemoryLimitError
from tests.checkpoints import geometry, random_weights, tiny_checkpoint

Make = Callable[..., Path]


def stored_bytes(folder: Path) -> int:
    return sum(array.nbytes for path in folder.glob("*.safetensors") for array in shard(path).values())


def shard(path: Path) -> dict[str, mx.array]:
    loaded = mx.load(str(path))
    assert isinstance(loaded, dict)
    return loaded


def rewrite(folder: Path, change: Callable[[dict[str, mx.array]], object]) -> None:
    """Replaces the folder's weights with one shard, without an index, after `change`."""
    tensors = {name: array for path in sorted(folder.glob("*.safetensors")) for name, array in shard(path).items()}
    mx.eval(list(tensors.values()))
    for path in [*folder.glob("*.safetensors"), folder / "model.safetensors.index.json"]:
        path.unlink()
    change(tensors)
    mx.save_safetensors(str(folder / "model.safetensors"), tensors)


class TestProgress:
    @pytest.mark.parametrize("options", [{}, {"layout": "openai"}, {"affine": None, "shards": 5}], ids=str)
    @pytest.mark.parametrize("dense", [True, False])
    def test_bytes_grow_to_the_total(self, checkpoint: Make, options: dict[str, Any], dense: bool) -> None:
        folder = checkpoint(**options)
        told: list[LoadProgress] = []
        loaded = load_model(folder, told.append, dense=dense)
        done = [progress.done_bytes for progress in told]
        assert done == sorted(done)
        assert len(set(done)) == 7  # none, the embedding, four layers, the head
        assert (done[0], done[-1]) == (0, stored_bytes(folder))
        assert {progress.total_bytes for progress in told} == {stored_bytes(folder)} == {loaded.info.weights_bytes}

    @pytest.mark.parametrize("asked", range(1, 8))
    def test_cancelling_between_any_two_layers(self, checkpoint: Make, asked: int) -> None:
        told: list[LoadProgress] = []
        with pytest.raises(LoadCancelled):
            load_model(checkpoint(), told.append, cancelled=lambda: len(told) >= asked)
        assert len(told) == asked

    def test_cancelling_gives_the_memory_back(self, checkpoint: Make) -> None:
        before = mx.get_active_memory()
        told: list[LoadProgress] = []
        with pytest.raises(LoadCancelled):
            load_model(checkpoint(), told.append, cancelled=lambda: len(told) >= 4)
        assert mx.get_active_memory() <= before + 1000


class TestFigures:
    def test_parameters_and_bits(self, checkpoint: Make) -> None:
        info = load_model(checkpoint(affine=None)).info
        assert info.parameters == sum(tensor.size for tensor in random_weights(geometry()).values())
        assert info.bits_per_weight == 16
        assert (info.layers, info.window, info.context, info.vocabulary_size) == (4, 128, 131072, 1088)
        assert (info.experts, info.experts_per_token) == (4, 2)
        assert (info.device, info.dtype, info.warning) == ("CPU", "float32", "")

    @pytest.mark.parametrize(
        ("options", "bits"), [({"affine": (4, 64)}, 4.5), ({"affine": (4, 32)}, 5.0), ({"affine": (8, 64)}, 8.5)]
    )
    def test_bits_of_what_is_quantised(self, checkpoint: Make, options: dict[str, Any], bits: float) -> None:
        # Norms, biases and sinks stay bfloat16, which is a few thousandths of a real model and more of this one.
        assert bits < load_model(checkpoint(**options)).info.bits_per_weight < bits + 0.5

    def test_the_name_is_the_folders(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tiny_checkpoint(tmp_path / "gpt-oss-tiny")
        monkeypatch.chdir(tmp_path / "gpt-oss-tiny")
        assert load_model(Path()).info.name == "gpt-oss-tiny"


class TestPrecision:
    def test_floats_become_float32_and_the_packed_stays_packed(self, checkpoint: Make) -> None:
        experts = dict.fromkeys(("gate_proj", "up_proj", "down_proj"), "mxfp4")
        for options in ({"per_tensor": experts}, {"layout": "openai"}):
            layer = load_model(checkpoint(**options), dense=False).model.layers[0]
            assert isinstance(layer.down, Quantised)
            assert isinstance(layer.gate_up, Quantised)
            for matrix in (layer.down, layer.gate_up):
                assert (matrix.mode, matrix.weight.dtype, matrix.scales.dtype) == ("mxfp4", mx.uint32, mx.uint8)
                assert matrix.biases is None
            assert {array.dtype for array in layer.arrays()} == {mx.float32, mx.uint32, mx.uint8}

    def test_dense_means_float32_throughout(self, checkpoint: Make) -> None:
        for options in ({}, {"layout": "openai"}, {"affine": None}, {"layout": "hf"}):
            model = load_model(checkpoint(**options), dense=True).model
            assert {array.dtype for array in model.arrays()} == {mx.float32}
            assert isinstance(model.layers[0].qkv, Dense)

    def test_dense_where_it_takes_a_quarter_of_memory_at_most(
        self, checkpoint: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        need = 4 * load_model(checkpoint()).info.parameters
        for physical, dense in ((4 * need, True), (4 * need - 1, False)):
            monkeypatch.setattr(loading, "physical_memory", lambda physical=physical: physical)
            assert isinstance(load_model(checkpoint()).model.layers[0].qkv, Dense) == dense


class TestMemory:
    def test_larger_than_the_machine_is_refused_before_a_weight_is_read(
        self, checkpoint: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = checkpoint()
        physical = stored_bytes(folder) - 1
        monkeypatch.setattr(loading, "physical_memory", lambda: physical)
        monkeypatch.setattr(mx, "load", None)  # whoever calls it fails
        with pytest.raises(MemoryLimitError, match=r"needs .* GiB and this machine has") as caught:
            load_model(folder)
        assert caught.value.hint

    def test_what_becomes_float32_is_counted_as_such(self, checkpoint: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = checkpoint(affine=None)
        for physical, fits in ((2 * stored_bytes(folder), True), (2 * stored_bytes(folder) - 1, False)):
            monkeypatch.setattr(loading, "physical_memory", lambda physical=physical: physical)
            if fits:
                load_model(folder)
                continue
            with pytest.raises(MemoryLimitError):
                load_model(folder)

    def test_between_metals_limit_and_memory_it_warns(self, checkpoint: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loading, "working_set", lambda: 1000)
        assert "sudo sysctl iogpu.wired_limit_mb=" in load_model(checkpoint()).info.warning


class TestForeignTensors:
    """Each is named before the model runs, with the tensor's name."""

    def refused(self, folder: Path, change: Callable[[dict[str, mx.array]], object], message: str) -> None:
        rewrite(folder, change)
        with pytest.raises(CheckpointError, match=message) as caught:
            load_model(folder)
        assert caught.value.hint

    @pytest.mark.parametrize(
        "name",
        [
            "model.embed_tokens.weight",
            "model.embed_tokens.biases",
            "model.norm.weight",
            "lm_head.weight",
            "model.layers.3.self_attn.sinks",
            "model.layers.1.self_attn.q_proj.bias",
            "model.layers.1.self_attn.q_proj.weight",
            "model.layers.1.self_attn.q_proj.scales",
            "model.layers.2.mlp.experts.gate_proj.weight",
            "model.layers.2.mlp.experts.up_proj.bias",
            "model.layers.2.mlp.experts.down_proj.bias",
            "model.layers.0.mlp.router.weight",
        ],
    )
    def test_missing(self, tmp_path: Path, name: str) -> None:
        tiny_checkpoint(tmp_path)
        # Without gate_proj.weight the experts are looked for in the other layout, as gate_up_proj.
        message = "gate_up_proj" if name.endswith("gate_proj.weight") else name.rpartition(".")[0]
        self.refused(tmp_path, lambda tensors: tensors.pop(name), message)

    @pytest.mark.parametrize("dtype", [mx.bfloat16, mx.float32])
    @pytest.mark.parametrize(
        ("name", "shape"),
        [
            ("model.norm.weight", (65,)),
            ("model.norm.weight", (1, 64)),
            ("model.layers.0.self_attn.sinks", (3,)),
            ("model.layers.0.self_attn.q_proj.weight", (127, 64)),
            ("model.layers.0.mlp.experts.down_proj.weight", (4, 64, 65)),
            ("model.layers.0.mlp.experts.gate_proj.weight", (5, 64, 64)),
            ("lm_head.weight", (1087, 64)),
        ],
    )
    def test_of_the_wrong_shape(self, tmp_path: Path, name: str, shape: tuple[int, ...], dtype: mx.Dtype) -> None:
        tiny_checkpoint(tmp_path, affine=None, dtype=dtype)
        self.refused(tmp_path, lambda tensors: tensors.update({name: mx.zeros(shape, dtype)}), "has shape")

    @pytest.mark.parametrize("part", ["weight", "scales", "biases"])
    def test_packed_in_the_wrong_shape(self, tmp_path: Path, part: str) -> None:
        tiny_checkpoint(tmp_path)
        name = f"model.layers.0.self_attn.o_proj.{part}"
        self.refused(tmp_path, lambda tensors: tensors.update({name: tensors[name][:-1]}), "self_attn.o_proj")

    @pytest.mark.parametrize(
        ("layout", "name", "dtype"),
        [
            ("mlx", "model.norm.weight", mx.int32),
            ("mlx", "model.norm.weight", mx.bool_),
            ("mlx", "model.layers.0.self_attn.o_proj.weight", mx.int32),
            ("mlx", "model.layers.0.self_attn.o_proj.scales", mx.uint16),
            ("openai", "model.layers.0.mlp.experts.down_proj_blocks", mx.uint16),
            ("openai", "model.layers.0.mlp.experts.down_proj_scales", mx.float32),
        ],
    )
    def test_of_the_wrong_type(self, tmp_path: Path, layout: Any, name: str, dtype: mx.Dtype) -> None:
        tiny_checkpoint(tmp_path, layout=layout)
        self.refused(tmp_path, lambda tensors: tensors.update({name: tensors[name].astype(dtype)}), "numbers of type")

    @pytest.mark.parametrize("name", ["model.layers.4.self_attn.sinks", "visual.weight", "model.norm.bias"])
    def test_unexpected(self, tmp_path: Path, name: str) -> None:
        tiny_checkpoint(tmp_path)
        self.refused(tmp_path, lambda tensors: tensors.update({name: mx.zeros((4,))}), f"gpt_oss has not \\({name}\\)")

    def test_another_geometry_than_the_config_says(self, tmp_path: Path) -> None:
        for changes in ({"num_hidden_layers": 5, "layer_types": None}, {"hidden_size": 128}, {"vocab_size": 1000}):
            folder = tiny_checkpoint(tmp_path / next(iter(changes)))
            config = json.loads((folder / "config.json").read_text()) | changes
            (folder / "config.json").write_text(json.dumps(config))
            with pytest.raises(CheckpointError):
                load_model(folder)


def test_files_that_go_while_they_are_read(tmp_path: Path) -> None:
    # The headers were read by then: what MLX says of it is a RuntimeError, and no front end may be left with that.
    folder = tiny_checkpoint(tmp_path / "tiny")

    def remove(load: LoadProgress) -> None:
        for shard in folder.glob("*.safetensors"):
            shard.unlink()

    with pytest.raises(GptOssError, match="Loading failed"):
        load_model(folder, remove)
