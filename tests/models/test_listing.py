"""Finding checkpoints in all the places where people have them, whole ones, half ones and traps."""

from __future__ import annotations

import math
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gptoss_tui.models.fit import mac
from gptoss_tui.models.listing import Listed, list_models
from gptoss_tui.models.places import places
from gptoss_tui.models.table import fit_line, table
from gptoss_tui.models.used import last_use, remember_use
from tests.checkpoints import tiny_checkpoint
from tests.vocabularies import cut_tokenizer_json


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own, with nothing in it."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_checkpoint(tmp_path_factory.mktemp("whole") / "tiny", num_hidden_layers=2)
    cut_tokenizer_json(folder, ranks=1024)
    return folder


def in_hub(home: Path, whole: Path, name: str, revision: str = "0123") -> Path:
    """The checkpoint as huggingface_hub lays it down: blobs, and a snapshot of links to them."""
    repo = home / ".cache/huggingface/hub" / ("models--" + name.replace("/", "--"))
    snapshot = repo / "snapshots" / revision
    (repo / "blobs").mkdir(parents=True)
    (repo / "refs").mkdir()
    snapshot.mkdir(parents=True)
    (repo / "refs" / "main").write_text(revision)
    for number, file in enumerate(sorted(whole.iterdir())):
        shutil.copy(file, repo / "blobs" / str(number))
        (snapshot / file.name).symlink_to(Path("../../blobs") / str(number))
    return snapshot


def listed(*folders: Path, state: Path | None = None) -> list[Listed]:
    return [one for one in list_models(mac(16), folders, state) if one.place.source != "bundled"]


def test_every_place(home: Path, whole: Path) -> None:
    in_hub(home, whole, "someone/tiny-4bit")
    shutil.copytree(whole, home / ".lmstudio/models/publisher/tiny")
    shutil.copytree(whole, home / ".cache/lm-studio/models/older/tiny")
    shutil.copytree(whole, home / "models/mine")
    found = listed(home / "models")
    assert [one.place.source for one in found] == ["Hugging Face", "LM Studio", "LM Studio", "folder"]
    assert found[0].place.name == "someone/tiny-4bit"
    for one in found:
        assert one.problem == ""
        assert one.fit is not None
        assert one.fit.verdict == "fits"
        assert 4 < one.bits_per_weight < 6
        assert one.last_used is None


def test_a_folder_of_the_persons_own_may_be_the_checkpoint(home: Path, whole: Path) -> None:
    assert [one.place.folder for one in listed(whole, whole.parent)] == [whole]


def test_a_half_download_is_called_one(home: Path, whole: Path) -> None:
    snapshot = in_hub(home, whole, "someone/half")
    (snapshot / "model-00002-of-00002.safetensors").unlink()
    (one,) = listed()
    assert "1 of 2 shards are missing" in one.problem
    assert one.fit is None
    assert math.isnan(one.bits_per_weight)
    (snapshot / "model.safetensors.index.json").unlink()  # the index may be what has not come yet
    (one,) = listed()
    assert "1 of 2 shards are here" in one.problem


def test_a_cut_shard(home: Path, whole: Path) -> None:
    snapshot = in_hub(home, whole, "someone/cut")
    os.truncate(snapshot / "model-00001-of-00002.safetensors", 20_000)
    (one,) = listed()
    assert "truncated" in one.problem


def test_other_models_are_passed_over(home: Path, whole: Path) -> None:
    other = home / "models/other"
    other.mkdir(parents=True)
    (other / "config.json").write_text('{"model_type": "llama"}')
    (home / "models/empty").mkdir()
    (home / "models/notes.txt").write_text("")
    assert listed(home / "models") == []
    (other / "config.json").write_text("{")
    (one,) = listed(home / "models")
    assert "is not JSON" in one.problem


def test_loops_of_links(home: Path, whole: Path) -> None:
    models = home / "models"
    shutil.copytree(whole, models / "a/tiny")
    (models / "loop").symlink_to(models)
    (models / "a/up").symlink_to(models)
    (models / "self").symlink_to(models / "self")
    (models / "again").symlink_to(models / "a/tiny")
    found = listed(models)
    assert len(found) == 1
    assert found[0].place.folder.resolve() == (models / "a/tiny").resolve()


def test_nothing_is_searched_deeper_than_two_levels(home: Path, whole: Path) -> None:
    shutil.copytree(whole, home / "models/a/b/c")
    assert listed(home / "models") == []


def test_the_bundled_model_comes_first(home: Path) -> None:
    assert [place.name for place in places()] == ["demo"]


def test_last_use(home: Path, whole: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert last_use(whole, state) is None
    link = tmp_path / "link"
    link.symlink_to(whole)
    remember_use(link, state)
    used = last_use(whole, state)
    assert used is not None
    assert [one.last_used for one in listed(whole, state=state)] == [used]


def test_a_state_folder_that_cannot_be_written_is_no_fault(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    remember_use(whole, tmp_path / "state")
    assert last_use(whole, tmp_path / "state") is None


def test_a_name_with_a_line_end_stays_in_its_row(home: Path, whole: Path) -> None:
    shutil.copytree(whole, home / "models/one\ntwo")
    (home / "models/one\ntwo/tokenizer.json").unlink()
    (found,) = listed(home / "models")
    lines = table([replace(found, problem="a\nb")]).splitlines()
    assert [line.split()[0] for line in lines] == ["MODEL", "~/models/one␊two", "problem:"]
    assert fit_line(replace(found, problem="a\nb")) == "problem: a␊b"
