"""Prompts are remembered privately, and a damaged file costs nothing but its damaged lines."""

from __future__ import annotations

import json
from pathlib import Path

from gptoss_tui.chat.history import KEPT, PromptHistory


def test_prompts_come_back_from_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "state" / "prompts.jsonl"
    history = PromptHistory(file)
    history.add("one")
    history.add("two\nlines ‘quoted’")
    assert file.stat().st_mode & 0o777 == 0o600
    assert PromptHistory(file).prompts == ["one", "two\nlines ‘quoted’"]


def test_walking_keeps_the_draft() -> None:
    history = PromptHistory(None)
    history.add("one")
    history.add("two")
    assert [history.older("draft"), history.older("two"), history.older("one")] == ["two", "one", None]
    assert [history.newer(), history.newer(), history.newer()] == ["two", "draft", None]


def test_a_repeated_prompt_is_remembered_once() -> None:
    history = PromptHistory(None)
    for prompt in ("same", "same", " \n", "other", "same"):
        history.add(prompt)
    assert history.prompts == ["same", "other", "same"]


def test_search_wants_every_word_and_gives_the_newest_first() -> None:
    history = PromptHistory(None)
    for prompt in ("Explain tides", "explain qubits simply", "tides again", "Explain tides"):
        history.add(prompt)
    assert history.search("TIDES explain") == ["Explain tides"]
    assert history.search("") == ["Explain tides", "tides again", "explain qubits simply"]


def test_damaged_lines_are_skipped(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_bytes(b'{"prompt": "whole"}\n{"prompt": "cut\n\xff\xfe\n[]\n{"prompt": 3}\n{"prompt": "last"}\n')
    assert PromptHistory(file).prompts == ["whole", "last"]


def test_a_long_file_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text("".join(json.dumps({"prompt": str(at)}) + "\n" for at in range(2 * KEPT + 1)))
    assert PromptHistory(file).prompts[-1] == str(2 * KEPT)
    assert len(file.read_text().splitlines()) == KEPT
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_costs_only_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = PromptHistory(tmp_path / "file" / "prompts.jsonl")
    history.add("kept in memory")
    assert history.prompts == ["kept in memory"]
