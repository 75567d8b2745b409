"""docs/commands.md says what the program's grammar says."""

from __future__ import annotations

from tests.docs import reference


def test_the_page_of_commands_is_current() -> None:
    kept = reference.FILE.read_text(encoding="utf-8")
    assert kept == reference.text(), f"docs/commands.md is not current. To write it anew: {reference.COMMAND}"
