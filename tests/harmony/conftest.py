"""The vocabularies and the oracle that all harmony tests share, built once: 200,000 tokens take a second to load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai_harmony
import pytest

from gptoss_tui.harmony import Harmony
from tests.vocabularies import cut_tokenizer_json, genuine_tokenizer_json, o200k_file


@pytest.fixture(scope="session")
def genuine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return genuine_tokenizer_json(tmp_path_factory.mktemp("genuine")).parent


@pytest.fixture(scope="session")
def harmony(genuine_folder: Path) -> Harmony:
    """The whole o200k vocabulary with the real harmony ids."""
    return Harmony.load(genuine_folder)


@pytest.fixture(scope="session")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Harmony:
    """The first 512 ranks: nearly every letter outside ASCII is several tokens."""
    return Harmony.load(cut_tokenizer_json(tmp_path_factory.mktemp("cut"), ranks=512).parent)


@pytest.fixture(scope="session")
def oracle() -> Iterator[openai_harmony.HarmonyEncoding]:
    """OpenAI's own renderer and parser, reading the vocabulary from a file instead of the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_ENCODINGS_BASE", str(o200k_file().parent))
        yield openai_harmony.load_harmony_encoding(openai_harmony.HarmonyEncodingName.HARMONY_GPT_OSS)
