"""The file, in whatever state it is found: new, old, damaged, from the future, somebody else's."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gptoss_tui.chat.store import rows, schema, search
from gptoss_tui.chat.store.database import BACKUPS_KEPT, FILE, NewerFile, StoreError, open_database, open_to_read
from gptoss_tui.chat.store.library import Library
from tests.chat.store.archives import parts, small

NEXT = (*schema.MIGRATIONS, "ALTER TABLE conversations ADD COLUMN colour TEXT;")
"""A program of tomorrow."""


def test_a_new_file_is_nobody_elses(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "gptoss"
    with closing(open_database(folder).connection) as connection:
        connection.execute("BEGIN IMMEDIATE")
        rows.put_archive(connection, small())
        connection.execute("COMMIT")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
        assert modes == dict.fromkeys((FILE, f"{FILE}-wal", f"{FILE}-shm", "opening.lock"), 0o600)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert schema.application(connection) == schema.APPLICATION_ID
        told = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
        assert told == {"journal_mode": "wal", "synchronous": 2}
        for name in ("fullfsync", "checkpoint_fullfsync", "foreign_keys", "secure_delete"):
            assert connection.execute(f"PRAGMA {name}").fetchone()[0] == 1, name


def test_a_folder_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / FILE).touch(0o644)
    open_database(tmp_path).connection.close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


class TestMigration:
    def test_an_older_file_is_kept_as_it_was_and_brought_up(self, tmp_path: Path) -> None:
        archive = small("Before")
        Library(tmp_path).take_in(archive)
        opened = open_database(tmp_path, NEXT)
        with closing(opened.connection) as connection:
            assert schema.version(connection) == len(NEXT)
            assert connection.execute("SELECT colour FROM conversations").fetchall() == [(None,)]
            assert parts(rows.get_archive(connection, archive.conversation.id)) == parts(archive)
        (copy,) = tmp_path.glob(f"{FILE}.format-1-*")
        assert str(copy) in opened.notices[0]
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        with closing(schema.connect_to_read(copy)) as connection:
            assert schema.version(connection) == 1
            assert parts(rows.get_archive(connection, archive.conversation.id)) == parts(archive)

    def test_a_migration_that_fails_changes_nothing(self, tmp_path: Path) -> None:
        Library(tmp_path).take_in(small())
        with pytest.raises(StoreError):
            open_database(tmp_path, (*NEXT, "CREATE TABLE nodes (colour TEXT);"))
        with closing(open_to_read(tmp_path)) as connection:
            assert schema.version(connection) == 1
            assert "colour" not in {row[1] for row in connection.execute("PRAGMA table_info(conversations)")}

    def test_only_the_last_copies_are_kept(self, tmp_path: Path) -> None:
        Library(tmp_path).take_in(small())
        migrations = list(schema.MIGRATIONS)
        for number in range(BACKUPS_KEPT + 2):
            migrations.append(f"ALTER TABLE conversations ADD COLUMN colour_{number} TEXT;")
            open_database(tmp_path, migrations).connection.close()
        assert len(list(tmp_path.glob(f"{FILE}.format-*"))) == BACKUPS_KEPT

    def test_reading_an_older_file_brings_it_up_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        Library(tmp_path).take_in(small("Before"))
        monkeypatch.setattr(schema, "MIGRATIONS", NEXT)
        monkeypatch.setattr(open_database, "__defaults__", (NEXT,))
        assert [each.title for each in Library(tmp_path).listed()] == ["Before"]
        assert list(tmp_path.glob(f"{FILE}.format-1-*"))


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    open_database(tmp_path, NEXT).connection.close()
    before = (tmp_path / FILE).read_bytes()
    for touch in (open_database, open_to_read):
        with pytest.raises(NewerFile, match="newer gptoss"):
            touch(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_another_programs_file_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(NewerFile, match="another program"):
        open_database(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("recipes",)]


class TestDamage:
    @pytest.mark.parametrize("how", ["rubbish", "torn", "overwritten"])
    def test_it_is_kept_aside_and_told_and_a_new_one_begun(self, tmp_path: Path, how: str) -> None:
        library = Library(tmp_path)
        for number in range(20):
            library.take_in(small(f"Talk {number}", "word " * 500, "more " * 500))
        file = tmp_path / FILE
        data = bytearray(file.read_bytes())
        if how == "rubbish":
            data = bytearray(b"not a database at all " * 1000)
        elif how == "torn":
            data = data[: len(data) // 2 + 100]
        else:
            data[4096 : len(data) - 4096] = b"\xa5" * (len(data) - 8192)
        file.write_bytes(data)
        opened = open_database(tmp_path)
        opened.connection.close()
        (kept,) = tmp_path.glob(f"{FILE}.damaged-*")
        assert kept.read_bytes() == data
        assert str(kept) in opened.notices[0]
        assert library.listed() == []
        library.take_in(small("Afterwards"))
        assert [each.title for each in library.listed()] == ["Afterwards"]

    def test_two_that_find_it_put_it_aside_once(self, tmp_path: Path) -> None:
        (tmp_path / FILE).write_bytes(b"rubbish " * 1000)
        notices: list[str] = []

        def come() -> None:
            opened = open_database(tmp_path)
            notices.extend(opened.notices)
            opened.connection.close()

        threads = [threading.Thread(target=come) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(notices) == 1
        assert len(list(tmp_path.glob(f"{FILE}.damaged-*"))) == 1

    def test_reading_says_so_and_changes_nothing(self, tmp_path: Path) -> None:
        (tmp_path / FILE).write_bytes(b"rubbish " * 1000)
        with pytest.raises(StoreError, match="damaged"):
            Library(tmp_path).listed()
        assert (tmp_path / FILE).read_bytes() == b"rubbish " * 1000


class TestSearch:
    @pytest.fixture(params=["index", "no index"])
    def library(self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
        if request.param == "no index":
            monkeypatch.setattr(search, "prepare", lambda c: False)
        library = Library(tmp_path)
        library.take_in(small("Qubits", "What is a qubit?", "A quantum bit; it may be |0⟩ and |1⟩ at once."))
        library.take_in(small("Cakes", "How do I bake a cake?", "With flour, eggs and crème fraîche."))
        library.take_in(small("東京", "日本の首都はどこですか。", "東京です。"))
        return library

    @pytest.mark.parametrize(
        ("words", "titles"),
        [
            ("qubit", ["Qubits"]),
            ("QUANTUM bit", ["Qubits"]),
            ("quan", ["Qubits"]),
            ("how bake", ["Cakes"]),
            ("首都", ["東京"]),
            ("flour quantum", []),
            ("", []),
            ('"', []),
            ('flour" OR "quantum', []),
            ("NEAR(", []),
            ("|0⟩", ["Qubits"]),
        ],
    )
    def test_every_word_is_wanted(self, library: Library, words: str, titles: list[str]) -> None:
        assert [library.get(m.conversation_id).conversation.title for m in library.search(words)] == titles

    def test_it_says_where(self, library: Library) -> None:
        (match,) = library.search("flour")
        assert match.node_id == library.get(match.conversation_id).tree.nodes[1].id
        assert "eggs" in match.excerpt
        (match,) = library.search("cakes")
        assert match.node_id is None

    def test_renamed_deleted_restored(self, library: Library) -> None:
        (match,) = library.search("flour")
        library.rename(match.conversation_id, "Tarts")
        assert library.search("cakes") == []
        assert library.search("tarts")[0].conversation_id == match.conversation_id
        library.delete(match.conversation_id)
        assert library.search("flour") == []
        library.restore(match.conversation_id)
        assert len(library.search("flour")) == 1


def test_what_was_written_without_an_index_is_found_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(search, "prepare", lambda c: False)
        Library(tmp_path).take_in(small("Old", "a word", "another"))
    with closing(open_database(tmp_path).connection) as connection:
        assert connection.execute("SELECT count(*) FROM found").fetchone() == (3,)
    assert len(Library(tmp_path).search("another")) == 1


def test_what_is_purged_is_in_no_file(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.take_in(small("Stays"))
    archive = small("Zanzibar", "Is Zanzibar an island?", "Zanzibar is one.")
    library.take_in(archive)
    library.purge(archive.conversation.id)
    assert [each.title for each in library.listed()] == ["Stays"]
    for file in tmp_path.iterdir():
        assert b"anzibar" not in file.read_bytes(), file
