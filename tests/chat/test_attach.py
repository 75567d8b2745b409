"""Files in a prompt: what counts as one, what the message becomes, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptoss_tui.chat.attach import (
    MOST_BYTES,
    Attached,
    AttachError,
    complete_path,
    joined,
    mentioned,
    prompt_of,
    split,
    with_files,
)


class Words:
    """Measures in words."""

    context = 50

    def count(self, text: str) -> int:
        return len(text.split())


MEASURE = Words()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "at-home.txt").write_text("home\n")
    (tmp_path / "notes.txt").write_text("one\ntwo")
    (tmp_path / "two words.md").write_text("```python\nx\n```\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text("print()\n")
    return tmp_path


def test_a_file_goes_behind_the_prompt_in_a_fence_with_its_name() -> None:
    assert with_files("Sum up @notes.txt, please", MEASURE) == (
        "Sum up @notes.txt, please\n\nFile: notes.txt\n```txt\none\ntwo\n```"
    )


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("@notes.txt", "notes.txt"),
        ("What is in (@notes.txt)?", "notes.txt"),
        ("Compare @notes.txt.", "notes.txt"),
        ('@"two words.md"', "two words.md"),
        (r"see @two\ words.md now", "two words.md"),
        ("@src/main.py!", "src/main.py"),
        ("@./notes.txt", "./notes.txt"),
        ("@~/at-home.txt", "~/at-home.txt"),
        ("a line\n@notes.txt", "notes.txt"),
    ],
)
def test_ways_to_name_a_file(prompt: str, name: str) -> None:
    assert mentioned(prompt) == [name]
    prompt_part, (file,) = split(with_files(prompt, MEASURE))
    assert (prompt_part, file.name) == (prompt, name)


@pytest.mark.parametrize(
    "prompt", ["me@notes.txt", "@nobody says", "@", "@ notes.txt", "x @~nobody/x", "@" + "y" * 5000]
)
def test_an_at_sign_that_names_no_file_is_text(prompt: str) -> None:
    assert with_files(prompt, MEASURE) == prompt
    assert mentioned(prompt) == []


def test_a_backslash_makes_it_text() -> None:
    assert with_files(r"\@notes.txt and \@nobody", MEASURE) == r"@notes.txt and \@nobody"


def test_each_file_once_in_order_and_fences_that_hold() -> None:
    message = with_files('@"two words.md" @notes.txt @notes.txt', MEASURE)
    assert [file.name for file in split(message)[1]] == ["two words.md", "notes.txt"]
    assert "\n````md\n```python\nx\n```\n````\n" in message


def test_what_cannot_be_attached_is_refused(folder: Path) -> None:
    (folder / "binary").write_bytes(b"\x89PNG\0\0")
    (folder / "latin").write_bytes("é".encode("latin-1"))
    (folder / "long").write_text("word " * 60)
    with (folder / "huge").open("wb") as huge:
        huge.truncate(MOST_BYTES + 1)
    os.mkfifo(folder / "pipe")
    refused = {
        "src": "is a folder",
        "binary": "is not text",
        "latin": "is not text",
        "long": "60 tokens.* 50",
        "huge": "too long: 8.00 MiB",
        "pipe": "no ordinary file",
    }
    if os.geteuid():
        (folder / "secret").write_text("x")
        (folder / "secret").chmod(0)
        refused["secret"] = "cannot be read"
    for name, why in refused.items():
        with pytest.raises(AttachError, match=why) as caught:
            with_files(f"read @{name}", MEASURE)
        assert caught.value.hint
        assert name in caught.value.message


def test_utf16_and_byte_order_marks_are_read(folder: Path) -> None:
    (folder / "wide.txt").write_text("wide é", encoding="utf-16")
    (folder / "marked.txt").write_text("marked", encoding="utf-8-sig")
    assert [file.text for file in split(with_files("@wide.txt @marked.txt", MEASURE))[1]] == ["wide é\n", "marked\n"]


def test_a_changed_prompt_keeps_a_file_that_is_gone(folder: Path) -> None:
    before = with_files("What is in @notes.txt?", MEASURE)
    (folder / "notes.txt").write_text("changed")
    assert split(with_files("Why @notes.txt?", MEASURE, before=before))[1] == [Attached("notes.txt", "changed\n")]
    (folder / "notes.txt").unlink()
    assert split(with_files("Why @notes.txt?", MEASURE, before=before))[1] == [Attached("notes.txt", "one\ntwo\n")]
    assert split(with_files("Why?", MEASURE, before=before)) == ("Why?", [])


def test_a_prompt_of_files_alone_is_called_after_them() -> None:
    message = joined("", [Attached("two words.md", "x\n")])
    assert prompt_of(message) == '@"two words.md"'
    assert prompt_of("Hello") == "Hello"


@given(
    prompt=st.text().filter(lambda text: "File: " not in text),
    texts=st.lists(st.text(st.sampled_from("`ab\n~")), max_size=3),
)
def test_what_was_joined_comes_apart_again(prompt: str, texts: list[str]) -> None:
    files = [Attached(f"f{at}.txt", text if text.endswith("\n") else f"{text}\n") for at, text in enumerate(texts)]
    said, found = split(joined(prompt, files))
    assert found == files
    assert said == prompt or not prompt.strip()


@given(text=st.text())
def test_any_text_comes_apart(text: str) -> None:
    prompt, files = split(text)
    assert files or prompt == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see @no", ["see @notes.txt"]),
        ("@NO", ["@notes.txt"]),
        ("@s", ["@src/"]),
        ("@src/", ["@src/main.py"]),
        ("(@src/m", ["(@src/main.py"]),
        ("@tw", ['@"two words.md"']),
        ('@"two w', ['@"two words.md"']),
        ("@two\\ w", ['@"two words.md"']),
        ("@~/", ["@~/at-home.txt"]),
        ("@nowhere/x", []),
        ("me@no", []),
        ("@no more", []),
        ("no", []),
    ],
)
def test_completion_of_paths(text: str, found: list[str]) -> None:
    assert [choice.value for choice in complete_path(text)] == found


def test_hidden_files_are_offered_when_asked_for(folder: Path) -> None:
    (folder / ".hidden").write_text("")
    assert "@.hidden" not in [choice.value for choice in complete_path("@")]
    assert [choice.value for choice in complete_path("@.h")] == ["@.hidden"]
    assert [choice.help for choice in complete_path("@notes")] == ["7 B"]
