"""Converting small originals in both published layouts: right numbers, right size, and whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import mlx.core as mx
import numpy as np
import pytest

from gptoss_tui.errors import CheckpointError, GptOssError, MemoryLimitError, ParameterError
from gptoss_tui.models import conversion
from gptoss_tui.models.conversion import Recipe, check_conversion, convert, expected_bytes
from gptoss_tui.models.divergence import divergence
from gptoss_tui.models.inspection import Inspection, inspect
from tests.checkpoints import tiny_checkpoint
from tests.models.sparse import card_checkpoint
from tests.vocabularies import cut_tokenizer_json

Original = Literal["hf", "openai"]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Original], Path]:
    """An unquantised checkpoint in Transformers' layout, and one of the same weights in OpenAI's."""
    root = tmp_path_factory.mktemp("originals")
    for layout in ("hf", "openai"):
        # Experts that are not square, so that a wrong axis cannot pass.
        folder = tiny_checkpoint(root / layout, layout=layout, num_hidden_layers=2, intermediate_size=128, eos=1028)
        cut_tokenizer_json(folder, ranks=1024)
        (folder / "tokenizer_config.json").write_text("{}")
    return lambda layout: root / layout


def run(source: Path, target: Path, recipe: Recipe) -> Inspection:
    return convert(check_conversion(source, target, recipe), target, recipe)


def formats(found: Inspection, group: str) -> set[str]:
    return {part.format for part in found.summaries() if part.group == group}


@pytest.mark.parametrize("layout", ["hf", "openai"])
@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("like_card", [False, True])
def test_quantised(
    originals: Callable[[Original], Path], tmp_path: Path, layout: Original, bits: int, like_card: bool
) -> None:
    recipe = Recipe(bits=bits, like_card=like_card)
    result = run(originals(layout), tmp_path / "out", recipe)
    assert result.problems == ()
    kept = layout == "openai" and not like_card
    assert formats(result, "experts") == {"mxfp4" if kept else f"affine {bits}-bit, group 64"}
    assert formats(result, "router") == {"affine 8-bit, group 64"}  # mlx-lm's own choice
    for group in ("embedding", "attention", "head"):
        assert formats(result, group) == {f"affine {bits}-bit, group 64"}
    measured = divergence(originals(layout), tmp_path / "out")
    # Random weights suffer more from few bits than trained ones. Unrelated weights are 5.9 nats away.
    assert 0 < measured.mean < (0.1 if bits == 8 else 2.5)
    assert measured.mean <= measured.largest
    assert measured.agreement > (0.75 if bits == 8 else 0)


@pytest.mark.parametrize("layout", ["hf", "openai"])
def test_not_quantised_is_the_same_model(
    originals: Callable[[Original], Path], tmp_path: Path, layout: Original
) -> None:
    result = run(originals(layout), tmp_path / "out", Recipe(quantize=False))
    assert result.storage.layout == "mlx"
    assert divergence(originals(layout), tmp_path / "out").largest < 1e-9


def test_square_experts_in_transformers_layout(tmp_path: Path) -> None:
    source = tiny_checkpoint(tmp_path / "square", layout="hf", num_hidden_layers=2)
    run(source, tmp_path / "out", Recipe(quantize=False))
    assert divergence(source, tmp_path / "out").largest < 1e-9


@pytest.mark.parametrize(("mode", "named"), [("mxfp4", "mxfp4"), ("mxfp8", "mxfp8"), ("nvfp4", "nvfp4")])
def test_other_modes(originals: Callable[[Original], Path], tmp_path: Path, mode: Any, named: str) -> None:
    result = run(originals("hf"), tmp_path / "out", Recipe(mode=mode))
    assert formats(result, "experts") == {named}
    assert divergence(originals("hf"), tmp_path / "out").mean < 2.5


def test_mlx_lm_reads_what_we_write(originals: Callable[[Original], Path], tmp_path: Path) -> None:
    from mlx_lm.utils import load_model as load_theirs

    from gptoss_tui.engine.cache import KVCache
    from gptoss_tui.engine.loading import load_model

    folder = run(originals("openai"), tmp_path / "out", Recipe(dtype="float32")).folder
    theirs, _ = load_theirs(folder)
    ours = load_model(folder).model
    ids = mx.array([5, 700, 31, 9])
    expected = np.array(theirs(ids[None])[0, -1].astype(mx.float32))
    got = np.array(ours(ids, KVCache(ours.config, 0, 4)).astype(mx.float32))
    np.testing.assert_allclose(got, expected, atol=2e-4)


def test_what_goes_with_it_is_copied_as_it_is(originals: Callable[[Original], Path], tmp_path: Path) -> None:
    source = originals("hf")
    run(source, tmp_path / "out", Recipe())
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        assert (tmp_path / "out" / name).read_bytes() == (source / name).read_bytes()
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["quantization"]["bits"] == 4
    assert "rope_scaling" in config


@pytest.mark.parametrize("layout", ["hf", "openai"])
@pytest.mark.parametrize(
    "recipe", [Recipe(), Recipe(like_card=True), Recipe(bits=8), Recipe(quantize=False), Recipe(mode="mxfp4")]
)
def test_the_size_is_told_before(
    originals: Callable[[Original], Path], tmp_path: Path, layout: Original, recipe: Recipe
) -> None:
    source = check_conversion(originals(layout), tmp_path / "out", recipe)
    assert expected_bytes(source, recipe) == convert(source, tmp_path / "out", recipe).weights_bytes


@pytest.mark.parametrize(
    ("recipe", "bits"),
    [
        (Recipe(like_card=True), 4.504),  # what the published card says
        (Recipe(), 4.275),
        (Recipe(bits=8), 4.619),
        (Recipe(bits=8, like_card=True), 8.502),
    ],
)
def test_the_bits_that_gpt_oss_20b_would_get(tmp_path: Path, recipe: Recipe, bits: float) -> None:
    original = inspect(card_checkpoint(tmp_path, tokenizer=False, original=True))
    assert 8 * expected_bytes(original, recipe) / original.config.parameters == pytest.approx(bits, abs=1e-3)


def test_progress_reaches_the_end(originals: Callable[[Original], Path], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    source = check_conversion(originals("hf"), tmp_path / "out", Recipe())
    result = convert(source, tmp_path / "out", Recipe(), lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1] == (result.weights_bytes, result.weights_bytes)


def test_several_shards(originals: Callable[[Original], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlx_lm import utils

    by_gigabytes = utils.make_shards
    monkeypatch.setattr(
        utils,
        "make_shards",
        lambda weights, size: [part for one in by_gigabytes(weights, size) for part in halves(one)],
    )
    result = run(originals("hf"), tmp_path / "out", Recipe())
    assert [name for name, _ in result.shards] == [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    assert result.problems == ()


def halves(shard: dict[str, Any]) -> list[dict[str, Any]]:
    names = list(shard)
    middle = len(names) // 2
    return [{name: shard[name] for name in part} for part in (names[:middle], names[middle:])]


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), RuntimeError("device"), OSError(28, "No space left on device")])
def test_nothing_is_left_of_what_failed(
    originals: Callable[[Original], Path], tmp_path: Path, fault: BaseException
) -> None:
    def fail(done: int, total: int) -> None:
        if done > total // 2:
            raise fault

    source = check_conversion(originals("hf"), tmp_path / "out", Recipe())
    with pytest.raises((GptOssError, KeyboardInterrupt)):
        convert(source, tmp_path / "out", Recipe(), fail)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out", "o" * 250])
def test_a_place_that_was_taken_meanwhile(originals: Callable[[Original], Path], tmp_path: Path, name: str) -> None:
    # Another conversion was faster; or the hidden name beside it is longer than a name may be.
    target, recipe = tmp_path / name, Recipe()
    found = check_conversion(originals("hf"), target, recipe)
    with pytest.raises(GptOssError, match="cannot be written"):
        convert(found, target, recipe, lambda done, total: (target / "theirs").mkdir(parents=True, exist_ok=True))
    left = [path for path in tmp_path.iterdir() if path != target]
    assert left == []


def test_refused(originals: Callable[[Original], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = originals("hf"), tmp_path / "out"
    quantised = tiny_checkpoint(tmp_path / "quantised", num_hidden_layers=2)
    cut_tokenizer_json(quantised, ranks=1024)
    with pytest.raises(CheckpointError, match="quantised by MLX already"):
        check_conversion(quantised, target, Recipe())
    with pytest.raises(GptOssError, match="exists already"):
        check_conversion(source, quantised, Recipe())
    with pytest.raises(GptOssError, match="no folder that can be written"):
        check_conversion(source, tmp_path / "a" / "b", Recipe())
    damaged = shutil.copytree(source, tmp_path / "damaged")
    (damaged / "config.json").write_text(
        (source / "config.json").read_text().replace('"vocab_size": 1088', '"vocab_size": 1089')
    )
    with pytest.raises(CheckpointError, match="is not in order"):
        check_conversion(damaged, target, Recipe())
    monkeypatch.setattr(conversion, "physical_memory", lambda: 1000)
    with pytest.raises(MemoryLimitError):
        check_conversion(source, target, Recipe())
    monkeypatch.setattr(conversion, "SPARE_BYTES", 2**60)
    with pytest.raises(GptOssError, match="GB free"):
        check_conversion(source, target, Recipe())
    assert not os.path.lexists(target)


@pytest.mark.parametrize(
    "wrong", [{"bits": 7}, {"group": 48}, {"mode": "mxfp4", "bits": 8}, {"mode": "nvfp4", "group": 64}]
)
def test_formats_that_do_not_exist(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        Recipe(**wrong)


def test_a_model_does_not_diverge_from_itself(originals: Callable[[Original], Path]) -> None:
    same = divergence(originals("hf"), originals("hf"))
    assert (same.mean, same.largest, same.agreement, same.tokens) == (0, 0, 1, 64)


def test_the_result_has_the_permissions_of_any_folder(originals: Callable[[Original], Path], tmp_path: Path) -> None:
    run(originals("hf"), tmp_path / "out", Recipe())
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert inspect(tmp_path / "out").name == "out"
