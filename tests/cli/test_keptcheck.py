"""What the doctor finds about kept conversations, and that it only looks."""

from __future__ import annotations

from pathlib import Path

from gptoss_tui.chat.store.database import FILE
from gptoss_tui.chat.store.keeping import Store
from gptoss_tui.chat.store.library import Library
from gptoss_tui.cli.keptcheck import conversations
from tests.chat.store.archives import small


def test_none_yet(tmp_path: Path) -> None:
    (finding,) = conversations(tmp_path)
    assert (finding.state, finding.text.split(";")[0]) == ("ok", "none yet")
    assert list(tmp_path.iterdir()) == []


def test_how_many_and_how_large(tmp_path: Path) -> None:
    for number in range(3):
        Library(tmp_path).take_in(small(f"Talk {number}"))
    (finding,) = conversations(tmp_path)
    assert finding.state == "ok"
    assert finding.text.startswith(f"3 in {tmp_path / FILE}, ")


def test_who_runs(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.flush(30)
    assert [finding.about for finding in conversations(tmp_path)] == ["Conversations", "Running"]
    store.close(30)


def test_damage(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"rubbish " * 1000)
    (finding,) = conversations(tmp_path)
    assert (finding.state, "is damaged" in finding.text) == ("problem", True)
    assert (tmp_path / FILE).read_bytes() == b"rubbish " * 1000
    Store(tmp_path).close(30)
    assert [finding.state for finding in conversations(tmp_path)] == ["ok", "note"]
