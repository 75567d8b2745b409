"""Pulling from a stand-in of the hub: what is needed and no more, taken up again, and never half for whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gptoss_tui.models.download import sweep
from gptoss_tui.models.inspection import inspect
from tests.checkpoints import tiny_checkpoint
from tests.cli.program import PATIENCE_S, Result, assert_fault, command, gptoss, heed_signals
from tests.cli.program import environment as program_environment
from tests.models.hub import SHA, Hub, serving
from tests.vocabularies import cut_tokenizer_json

REPO = "someone/tiny-4bit"
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_checkpoint(tmp_path_factory.mktemp("hub") / "tiny", num_hidden_layers=2)
    cut_tokenizer_json(folder, ranks=1024)
    return folder


@pytest.fixture
def hub(whole: Path) -> Iterator[Hub]:
    with serving(Hub(REPO, whole)) as hub:
        yield hub


def environment(hub: Hub, home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "HF_HUB_CACHE": str(home / "hub"),
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "127.0.0.1",
    }


def pull(hub: Hub, home: Path, repo: str = REPO, **changes: str) -> Result:
    return gptoss("pull", repo, env=environment(hub, home) | changes)


def snapshot(home: Path) -> Path:
    return home / "hub" / "models--someone--tiny-4bit" / "snapshots" / SHA


def test_only_what_is_needed_comes(hub: Hub, tmp_path: Path) -> None:
    result = pull(hub, tmp_path)
    assert result.code == 0, result
    assert f"{REPO} is here" in result.out
    assert f"gptoss {REPO}" in result.out
    needed = {name for name in hub.files if "/" not in name and not name.endswith(".bin")}
    assert {path.name for path in snapshot(tmp_path).iterdir()} == needed
    assert inspect(snapshot(tmp_path)).problems == ()
    told = gptoss("pull", REPO, "--json", env=environment(hub, tmp_path)).events[0]
    assert (told["repo"], told["folder"]) == (REPO, str(snapshot(tmp_path)))
    assert told["fit"]["verdict"] == "fits"
    hub.got.clear()
    again = pull(hub, tmp_path)
    assert again.code == 0
    assert hub.got == []  # all of it was here
    assert "of which 0 bytes must come" in again.err
    offline = pull(hub, tmp_path, HF_HUB_OFFLINE="1")
    assert (offline.code, offline.err) == (0, "")


def test_a_connection_that_breaks_is_taken_up_where_it_broke(tmp_path: Path) -> None:
    # Files of more than the 10 MiB by which huggingface_hub writes.
    folder = tiny_checkpoint(tmp_path / "tiny", num_hidden_layers=2, affine=None, vocab_size=90_000, hidden_size=64)
    cut_tokenizer_json(folder, ranks=1024)
    with serving(Hub(REPO, folder)) as hub:
        shard = max(hub.files, key=lambda name: len(hub.files[name]))
        hub.cut[shard] = 11 * 2**20
        result = pull(hub, tmp_path)
        assert result.code == 0, result
        assert [wanted for name, wanted in hub.got if name == shard] == [None, f"bytes={10 * 2**20}-"]
        assert (snapshot(tmp_path) / shard).read_bytes() == hub.files[shard]


def test_an_interrupted_download_is_not_taken_for_complete(hub: Hub, tmp_path: Path) -> None:
    hub.broken.add(SECOND)
    assert_fault_after_note(pull(hub, tmp_path), "Downloading someone/tiny-4bit failed")
    home = {"HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path / "hub")}
    assert_fault(gptoss("inspect", REPO, env=home), "1 of 2 shards are missing")
    listed = {one["name"]: one for one in gptoss("models", "--json", env=home).events}
    assert "shards are missing" in listed[REPO]["problem"]
    assert_fault(pull(hub, tmp_path, HF_HUB_OFFLINE="1"), "HF_HUB_OFFLINE is set")
    hub.broken.clear()
    hub.got.clear()
    assert pull(hub, tmp_path).code == 0
    assert {name for name, _ in hub.got} == {SECOND}  # the rest was kept


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_download_that_is_ended_by_a_signal(hub: Hub, tmp_path: Path, number: signal.Signals) -> None:
    hub.stalled.add(SECOND)
    ours = program_environment(environment(hub, tmp_path))
    asked = command("pull", REPO)
    with subprocess.Popen(asked, env=ours, stderr=subprocess.PIPE, preexec_fn=heed_signals) as process:
        assert hub.half.wait(PATIENCE_S)
        process.send_signal(number)
        code = process.wait(PATIENCE_S)
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert code == (-number if number == signal.SIGKILL else 128 + number)
    assert ("interrupted; the files that are complete are kept" in said) == (number != signal.SIGKILL)
    home = {"HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path / "hub")}
    assert_fault(gptoss("inspect", REPO, env=home), "of 2 shards are missing")
    assert_fault(gptoss("run", "Hi", "--model", REPO, env=home), "of 2 shards are missing")
    hub.let.set()
    hub.stalled.clear()
    hub.got.clear()
    assert pull(hub, tmp_path).code == 0
    assert SECOND in {name for name, _ in hub.got} <= {SECOND, FIRST}
    assert inspect(snapshot(tmp_path)).problems == ()


def test_the_disk_has_no_room(hub: Hub, tmp_path: Path) -> None:
    hub.claimed[SECOND] = 2**60
    assert_fault(pull(hub, tmp_path), "GB free")
    assert {name for name, _ in hub.got} <= {"config.json"}


def test_another_kind_of_model(hub: Hub, tmp_path: Path) -> None:
    hub.files["config.json"] = json.dumps({"model_type": "llama"}).encode()
    assert_fault(pull(hub, tmp_path), "of type 'llama'")
    assert {name for name, _ in hub.got} == {"config.json"}


def test_no_safetensors(hub: Hub, tmp_path: Path) -> None:
    for name in [name for name in hub.files if name.endswith(".safetensors")]:
        del hub.files[name]
    assert_fault(pull(hub, tmp_path), "holds no config.json and model*.safetensors")


def test_names_and_connections_that_lead_nowhere(hub: Hub, tmp_path: Path) -> None:
    assert_fault(pull(hub, tmp_path, "nothing"), "is not a Hugging Face id")
    assert_fault(pull(hub, tmp_path, "no/such"), "The hub knows no model called no/such")
    assert_fault(pull(hub, tmp_path, HF_ENDPOINT="http://127.0.0.1:1"), "Downloading someone/tiny-4bit failed")
    assert_fault(pull(hub, tmp_path, HF_HUB_OFFLINE="1"), "HF_HUB_OFFLINE is set")
    assert not (tmp_path / "hub").exists()


def test_what_killed_downloads_left_is_swept(tmp_path: Path) -> None:
    partial, alive, resumable, whole = (
        tmp_path / name for name in ("ab12.0123abcd.incomplete", "ab12.4567cdef.incomplete", "ab12.incomplete", "ab12")
    )
    for path in (partial, alive, resumable, whole):
        path.write_bytes(b"x")
    for path in (partial, resumable, whole):
        os.utime(path, (0, 0))
    sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([alive, resumable, whole])
    sweep(tmp_path / "nothing")


def assert_fault_after_note(result: Result, message: str) -> None:
    """One note on what was to come, then the fault's two lines."""
    note, _, fault = result.err.partition("\n")
    assert "must come" in note
    assert_fault(Result(result.code, result.out, fault), message)
