"""The sandbox for documented commands, with the checkpoints and files that pages name."""

from __future__ import annotations

import shutil

import pytest

from gptoss_tui.models.bundled import demo_checkpoint
from tests.chat.talker import RANKS, talking_checkpoint
from tests.checkpoints import tiny_checkpoint
from tests.docs.sandbox import Sandbox
from tests.models.sparse import card_checkpoint
from tests.vocabularies import cut_tokenizer_json

HUB_MODELS = ("mlx-community/gpt-oss-20b-MXFP4-Q4",)
"""Models that pages name by their id on the hub; here they lie in its cache, as tiny ones."""


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """One for all pages; each command has a home of its own in it."""
    folder = tmp_path_factory.mktemp("documented")
    talker = talking_checkpoint(folder / "MODEL")
    (folder / "FOLDER").symlink_to(talker)
    for name in HUB_MODELS:
        snapshot = folder / "hub" / f"models--{name.replace('/', '--')}" / "snapshots" / "0"
        snapshot.parent.mkdir(parents=True)
        snapshot.symlink_to(talker)
        (snapshot.parents[1] / "refs").mkdir()
        (snapshot.parents[1] / "refs" / "main").write_text("0")
    card_checkpoint(folder / "gpt-oss-20b-MLX-4bit")
    (folder / "models").mkdir()
    shutil.copytree(demo_checkpoint(), folder / "models" / "copy")
    original = tiny_checkpoint(folder / "original", layout="openai", affine=None, vocab_size=RANKS + 64)
    cut_tokenizer_json(original, RANKS)
    (folder / "notes.txt").write_text("Bread needs flour, water, salt and time.\n")
    return Sandbox(folder)
