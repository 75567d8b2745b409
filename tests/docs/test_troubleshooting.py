"""docs/troubleshooting.md quotes messages that the program has, and leaves out no kind of fault."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def source() -> str:
    """All texts of the program, pieces of one text joined."""
    whole = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "gptoss_tui").rglob("*.py")))
    return re.sub(r'"\s*\n\s*f?"', "", whole)


def test_every_message_is_the_programs(source: str) -> None:
    quoted = [cell for line in PAGE.splitlines() if line.startswith("| `") for cell in line.split("|")[1:2]]
    assert len(quoted) > 30
    for message in re.findall(r"`([^`]+)`", " ".join(quoted)):
        for piece in (part.strip() for part in message.split("…")):
            assert not piece or piece in source, f"no text of the program holds {piece!r}, of {message!r}"


def test_every_kind_of_fault_is_named(source: str) -> None:
    kinds = {"GptOssError"}
    derived = re.findall(r"^class (\w+)\(([\w, ]+)\):", source, re.MULTILINE)
    while more := {name for name, bases in derived if kinds & {*bases.split(", ")}} - kinds:
        kinds |= more
    missing = {name for name in kinds - {"GptOssError"} if f"`{name}`" not in PAGE}
    assert len(kinds) > 10
    assert not missing, f"docs/troubleshooting.md does not name {', '.join(sorted(missing))}"
