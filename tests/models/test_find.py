"""From a model's name to its folder: every kind of name, and Hugging Face's cache as it lies on disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from gptoss_tui.errors import CheckpointError
from gptoss_tui.models import find
from gptoss_tui.models.find import best_cached, hub_cache, resolve
from tests.checkpoints import tiny_checkpoint
from tests.vocabularies import cut_tokenizer_json


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_checkpoint(tmp_path_factory.mktemp("find") / "model")
    cut_tokenizer_json(folder, 256)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of its own."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "hub").mkdir()
    return tmp_path / "hub"


def put(cache: Path, repo_id: str, model: Path, revision: str, *, main: bool = False) -> Path:
    repo = cache / ("models--" + repo_id.replace("/", "--"))
    shutil.copytree(model, repo / "snapshots" / revision)
    if main:
        (repo / "refs").mkdir()
        (repo / "refs" / "main").write_text(revision)
    return repo / "snapshots" / revision


class TestResolve:
    def test_a_folder(self, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert resolve(str(model)) == model
        monkeypatch.chdir(model.parent)
        assert resolve("model") == Path("model")
        monkeypatch.setenv("HOME", str(model.parent))
        assert resolve("~/model") == model

    def test_a_folder_goes_before_a_hub_id(self, model: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(cache, f"{model.parent.name}/model", model, "a", main=True)
        monkeypatch.chdir(model.parent.parent)
        assert resolve(f"{model.parent.name}/model") == Path(model.parent.name) / "model"

    def test_a_hub_id_is_the_revision_of_main(self, model: Path, cache: Path) -> None:
        wanted = put(cache, "org/name", model, "old", main=True)
        put(cache, "org/name", model, "new")
        assert resolve("org/name") == wanted

    def test_without_main_it_is_the_newest(self, model: Path, cache: Path) -> None:
        for age, revision in enumerate(("newest", "older", "oldest")):
            os.utime(put(cache, "org/name", model, revision), (1e9 - age, 1e9 - age))
        assert resolve("org/name").name == "newest"

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("org/absent", "neither a folder here nor a model in the Hugging Face cache"),
            ("/no/such/folder", "does not exist"),
            ("./absent", "does not exist"),
            ("~/absent/folder", "does not exist"),
            ("../no/such", "does not exist"),
            ("absent", "no model called absent"),
        ],
    )
    def test_what_is_not_there(self, cache: Path, name: str, message: str) -> None:
        with pytest.raises(CheckpointError, match=message) as caught:
            resolve(name)
        assert caught.value.hint

    def test_a_file(self, model: Path) -> None:
        with pytest.raises(CheckpointError, match="is a file"):
            resolve(str(model / "config.json"))

    def test_near_names_are_offered(self, model: Path, cache: Path) -> None:
        put(cache, "org/gpt-oss-20b", model, "a")
        with pytest.raises(CheckpointError) as caught:
            resolve("gpt-oss-20b", ["run"])
        assert "org/gpt-oss-20b" in caught.value.hint


class TestBestCached:
    def test_none_in_an_empty_or_absent_cache(self, cache: Path) -> None:
        assert best_cached() is None
        cache.rmdir()
        assert best_cached() is None

    def test_the_largest_then_the_one_with_fewer_bytes(self, model: Path, cache: Path, tmp_path: Path) -> None:
        put(cache, "org/four-bit", model, "a")
        wide = tiny_checkpoint(tmp_path / "wide", affine=(8, 32))
        cut_tokenizer_json(wide, 256)
        put(cache, "org/eight-bit", wide, "a")
        assert self.best() == "models--org--four-bit"
        larger = tiny_checkpoint(tmp_path / "larger", num_hidden_layers=6)
        cut_tokenizer_json(larger, 256)
        put(cache, "org/larger", larger, "a")
        assert self.best() == "models--org--larger"

    @pytest.mark.parametrize("lost", ["config.json", "tokenizer.json", "model-00002-of-00003.safetensors"])
    def test_half_downloads_do_not_count(self, model: Path, cache: Path, lost: str) -> None:
        snapshot = put(cache, "org/half", model, "a")
        next(snapshot.glob(lost.replace("00003", "*"))).unlink()
        assert best_cached() is None

    def test_other_models_do_not_count(self, model: Path, cache: Path) -> None:
        snapshot = put(cache, "org/llama", model, "a")
        config = snapshot / "config.json"
        config.write_text(config.read_text().replace('"gpt_oss"', '"llama"'))
        assert best_cached() is None

    def test_what_does_not_fit_does_not_count(self, model: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(cache, "org/fits", model, "a")
        assert self.best() == "models--org--fits"
        monkeypatch.setattr(find, "physical_memory", lambda: 100_000)
        assert best_cached() is None

    def best(self) -> str:
        folder = best_cached()
        assert folder is not None
        return folder.parent.parent.name


def test_the_cache_is_where_hugging_face_puts_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert hub_cache() == tmp_path / ".cache" / "huggingface" / "hub"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert hub_cache() == tmp_path / "xdg" / "huggingface" / "hub"
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    assert hub_cache() == tmp_path / "hf" / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    assert hub_cache() == tmp_path / "cache"
    assert Path(constants.default_cache_path).name == "hub"
