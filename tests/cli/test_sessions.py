"""`gptoss sessions`: what a person and a program do with kept conversations."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from gptoss_tui.chat.store.database import FILE
from gptoss_tui.chat.store.keeping import Store
from gptoss_tui.chat.store.library import Library
from gptoss_tui.chat.store.transfer import as_json, as_markdown, read
from gptoss_tui.chat.tree import Node, new_id
from gptoss_tui.cli import main
from tests.chat.store.archives import parts, small

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Two conversations in the user's state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    library = Library()
    library.take_in(small("Cakes", "How do I bake a cake?", "With flour."))
    library.take_in(small("Qubits", "What is a qubit?", "A quantum bit."))
    return library


def done(capsys: Capture, *argv: str, code: int = 0) -> str:
    """What `gptoss sessions` writes to standard output."""
    assert main(["sessions", *argv]) == code
    return capsys.readouterr().out


def objects(capsys: Capture, *argv: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done(capsys, *argv, "--json").splitlines()]


def fault(capsys: Capture, *argv: str) -> str:
    assert main(["sessions", *argv]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    assert len(told.err.splitlines()) == 2, told.err
    return told.err


def id_of(library: Library, title: str) -> str:
    return next(one.id for one in [*library.listed(), *library.listed(deleted=True)] if one.title == title)


class TestList:
    def test_a_table(self, library: Library, capsys: Capture) -> None:
        head, *rows = done(capsys).splitlines()
        assert head.split() == ["ID", "CHANGED", "PROMPTS", "TOKENS", "MODEL", "TITLE"]
        assert len(rows) == 2
        for row, title in zip(rows, ("Qubits", "Cakes"), strict=True):
            assert row.startswith(id_of(library, title)[:8])
            assert row.endswith(title)

    def test_json(self, library: Library, capsys: Capture) -> None:
        first, second = objects(capsys, "list")
        assert (first["title"], second["title"]) == ("Qubits", "Cakes")
        assert first["id"] == id_of(library, "Qubits")
        assert (first["prompts"], first["tokens"], first["open"], first["deleted"]) == (1, 14, False, None)

    def test_nothing(self, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        assert done(capsys) == "There are no conversations yet.\n"
        assert list(tmp_path.rglob("*")) == []
        assert "no conversation yet" in fault(capsys, "show")

    def test_one_that_is_open_says_so(self, library: Library, capsys: Capture) -> None:
        store = Store()
        store.adopt(library.get(id_of(library, "Cakes")))
        assert store.flush(30)
        assert "Cakes (open, process " in done(capsys)
        assert store.close(30, dropped=True)
        assert "Cakes (line dropped)" in done(capsys)

    def test_a_title_that_a_terminal_would_obey(self, library: Library, capsys: Capture) -> None:
        library.rename(id_of(library, "Cakes"), "\x1b[2J\x1b]0;gone\x07\nnext line")
        for argv in ([], ["show", id_of(library, "\x1b[2J\x1b]0;gone\x07\nnext line")], ["search", "flour"]):
            assert "\x1b" not in done(capsys, *argv)
        assert len(done(capsys).splitlines()) == 3


class TestIds:
    def test_a_beginning_will_do(self, library: Library, capsys: Capture) -> None:
        assert "With flour." in done(capsys, "show", id_of(library, "Cakes")[:6].upper())

    def test_two_that_fit(self, library: Library, capsys: Capture) -> None:
        for number in range(2):
            archive = small(f"Twin {number}")
            text = as_json(archive).replace(archive.conversation.id, f"{number:x}".rjust(32, "a"))
            library.take_in(read(text)[0])
        assert "2 conversations have an id that begins with aaaa" in fault(capsys, "show", "aaaa")

    @pytest.mark.parametrize(
        "argv", [["show", "ffffffff0"], ["delete", "xyz"], ["rename", "xyz", "T"], ["export", "%"]]
    )
    def test_one_that_is_not_there(self, library: Library, capsys: Capture, argv: list[str]) -> None:
        assert "There is no conversation" in fault(capsys, *argv)

    @pytest.mark.parametrize(
        ("argv", "option"),
        [(["list", "-o", "x"], "--output"), (["restore", "a", "--now"], "--now"), (["show", "--all"], "--all")],
    )
    def test_an_option_that_would_be_passed_over(
        self, library: Library, capsys: Capture, argv: list[str], option: str
    ) -> None:
        assert f"{option} means nothing to {argv[0]}" in fault(capsys, *argv)

    def test_what_is_not_deleted_cannot_be_restored(self, library: Library, capsys: Capture) -> None:
        assert "is not deleted" in fault(capsys, "restore", id_of(library, "Cakes")[:8])

    def test_nothing_found_is_said_beside_the_output(self, library: Library, capsys: Capture) -> None:
        assert main(["sessions", "search", "xyzzy"]) == 0
        told = capsys.readouterr()
        assert (told.out, told.err) == ("", "gptoss: nowhere does it say xyzzy\n")

    def test_a_deleted_one_says_how_it_comes_back(self, library: Library, capsys: Capture) -> None:
        wanted = id_of(library, "Cakes")
        done(capsys, "delete", wanted)
        assert f"gptoss sessions restore {wanted}" in fault(capsys, "show", wanted)


class TestShow:
    def test_the_last_one(self, library: Library, capsys: Capture) -> None:
        assert "  What is a qubit?\n" in done(capsys, "show")

    def test_json_is_all_of_it(self, library: Library, capsys: Capture) -> None:
        wanted = id_of(library, "Qubits")
        (archive,) = read(done(capsys, "show", wanted, "--json"))
        assert parts(archive) == parts(library.get(wanted))

    def test_what_is_being_written_now(self, library: Library, capsys: Capture) -> None:
        wanted = id_of(library, "Cakes")
        archive = library.get(wanted)
        store = Store()
        store.adopt(archive)
        node = Node(new_id(), archive.tree.head, "assistant", (), vocabulary="v", ending="writing")
        store.added(wanted, node, lambda: (1, 2, 3))
        store.moved(wanted, node.id)
        assert store.flush(30)
        assert "  3 tokens\n  (being written now)" in done(capsys, "show", wanted)
        assert store.close(30)
        assert "cut off when its process died" in done(capsys, "show", wanted)


class TestDelete:
    def test_with_undo(self, library: Library, capsys: Capture) -> None:
        wanted = id_of(library, "Cakes")
        before = parts(library.get(wanted))
        assert "brings it back" in done(capsys, "delete", wanted[:8])
        assert [one["title"] for one in objects(capsys, "list")] == ["Qubits"]
        assert [one["title"] for one in objects(capsys, "list", "--deleted")] == ["Cakes"]
        assert done(capsys, "search", "flour") == ""
        assert "Restored" in done(capsys, "restore", wanted[:8])
        assert parts(library.get(wanted)) == before
        assert len(objects(capsys, "list")) == 2

    def test_for_good(self, library: Library, capsys: Capture) -> None:
        wanted = id_of(library, "Cakes")
        assert objects(capsys, "delete", wanted, "--now") == [{"id": wanted, "purged": True}]
        assert "There is no conversation" in fault(capsys, "restore", wanted)
        assert not any(b"flour" in file.read_bytes() for file in library.folder.iterdir() if file.is_file())

    def test_all_or_none(self, library: Library, capsys: Capture) -> None:
        assert "no conversation ffff" in fault(capsys, "delete", id_of(library, "Cakes"), "ffff0")
        assert len(library.listed()) == 2

    def test_nothing_named(self, library: Library, capsys: Capture) -> None:
        assert "No conversation is named" in fault(capsys, "delete")


class TestTransfer:
    def test_json_there_and_back(self, library: Library, capsys: Capture, tmp_path: Path) -> None:
        file = tmp_path / "all.jsonl"
        before = [parts(library.get(one.id)) for one in library.listed()]
        done(capsys, "export", "--all", "--json", "-o", str(file))
        for one in library.listed():
            library.purge(one.id)
        told = objects(capsys, "import", str(file))
        assert [each["new"] for each in told] == [True, True]
        assert [parts(library.get(one.id)) for one in library.listed()] == before
        assert [each["new"] for each in objects(capsys, "import", str(file))] == [False, False]

    def test_another_of_the_same_id_gets_one_of_its_own(
        self, library: Library, capsys: Capture, tmp_path: Path
    ) -> None:
        archive = library.get(id_of(library, "Cakes"))
        (tmp_path / "changed").write_text(as_json(archive).replace("flour", "sugar"))
        (told,) = objects(capsys, "import", str(tmp_path / "changed"))
        assert told["id"] != archive.conversation.id
        assert parts(library.get(archive.conversation.id)) == parts(archive)
        assert "sugar" in done(capsys, "show", told["id"])

    def test_markdown_there_and_back(self, library: Library, capsys: Capture, tmp_path: Path) -> None:
        text = done(capsys, "export", id_of(library, "Cakes"))
        assert text.startswith("# Cakes\n")
        assert "\n## You\n\nHow do I bake a cake?\n" in text
        (tmp_path / "cakes.md").write_text(text)
        done(capsys, "import", str(tmp_path / "cakes.md"))
        (one, *_) = library.listed()
        assert [node.text for node in library.get(one.id).tree.path()] == ["How do I bake a cake?", "With flour."]

    def test_a_file_is_not_written_over(self, library: Library, capsys: Capture, tmp_path: Path) -> None:
        (tmp_path / "mine").write_text("mine")
        assert "exists already" in fault(capsys, "export", "-o", str(tmp_path / "mine"))
        assert (tmp_path / "mine").read_text() == "mine"

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "empty"),
            (b"# Some notes\n", "no conversation"),
            (b'{"format": "gptoss-conversation"', "no JSON"),
            (b"\xff\xfe\x00", "no text"),
        ],
    )
    def test_what_is_no_conversation(
        self, library: Library, capsys: Capture, tmp_path: Path, content: bytes, message: str
    ) -> None:
        (tmp_path / "file").write_bytes(content)
        told = fault(capsys, "import", str(tmp_path / "file"))
        assert message in told
        assert str(tmp_path / "file") in told
        assert len(library.listed()) == 2

    def test_hostile_text_is_exact_in_files(self, library: Library, capsys: Capture, tmp_path: Path) -> None:
        hostile = "\x1b]0;gone\x07\r\n<!-- gptoss: user -->\n<!-- gptoss:: answer -->\n\u202eevil"
        archive = small("Hostile", hostile, "Well.")
        library.take_in(archive)
        out = done(capsys, "export", archive.conversation.id)
        assert hostile.replace("<!-- gptoss:", "<!-- gptoss::") in out
        (again,) = read(as_markdown(archive))
        assert [node.text for node in again.tree.path()] == [hostile, "Well."]
        assert "\x1b" not in done(capsys, "show", archive.conversation.id)
        done(capsys, "export", archive.conversation.id, "-o", str(tmp_path / "file"))
        assert (tmp_path / "file").read_bytes().decode() == out


def test_search(library: Library, capsys: Capture) -> None:
    assert "Qubits\n" in done(capsys, "search", "quantum", "bit")
    (found,) = objects(capsys, "search", "flou")
    assert (found["title"], found["excerpt"]) == ("Cakes", "With flour.")
    assert done(capsys, "search", "xyzzy") == ""
    assert "nothing to search for" in fault(capsys, "search")


def test_rename(library: Library, capsys: Capture) -> None:
    wanted = id_of(library, "Cakes")
    assert "is now called" in done(capsys, "rename", wanted, "Tarts", "and", "pies")
    assert library.find(wanted).title == "Tarts and pies"
    assert "There is no title" in fault(capsys, "rename", wanted)


def test_a_damaged_file(library: Library, capsys: Capture) -> None:
    (library.folder / FILE).write_bytes(b"rubbish " * 1000)
    assert main(["sessions"]) == 0
    told = capsys.readouterr()
    assert told.out == "There are no conversations yet.\n"
    assert "was damaged. It is kept as" in told.err


def test_a_read_only_folder_can_be_read(library: Library, capsys: Capture) -> None:
    for file in (library.folder / FILE, library.folder):
        file.chmod(stat.S_IMODE(file.stat().st_mode) & ~0o222)
    try:
        assert len(objects(capsys, "list")) == 2
    finally:
        library.folder.chmod(0o700)
