"""What a checkpoint is called on screen."""

from __future__ import annotations

from pathlib import Path

from gptoss_tui.engine.loading import checkpoint_name


def test_a_folder_goes_by_its_own_name(tmp_path: Path) -> None:
    assert checkpoint_name(tmp_path / "gpt-oss-20b") == "gpt-oss-20b"


def test_a_revision_in_a_hub_cache_goes_by_its_repository(tmp_path: Path) -> None:
    revision = tmp_path / "models--mlx-community--gpt-oss-20b-MXFP4-Q4" / "snapshots" / "0123abc"
    revision.mkdir(parents=True)
    assert checkpoint_name(revision) == "gpt-oss-20b-MXFP4-Q4"
