"""A store at work: what it keeps, and what it does when the disk, the file or another process is in its way."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from gptoss_tui.chat.store import schema
from gptoss_tui.chat.store.database import FILE, open_database, open_to_read
from gptoss_tui.chat.store.keeping import Store
from gptoss_tui.chat.store.library import Library
from gptoss_tui.chat.store.recovery import RESTORABLE_S
from gptoss_tui.chat.tree import Node, new_id
from gptoss_tui.harmony.messages import Message
from tests.chat.conftest import wait_until
from tests.chat.store.archives import parts, small
from tests.chat.store.conftest import Told, writable
from tests.chat.store.talks import fill, go_on, integrity, prompts, run, saved, say
from tests.chat.store.test_database import NEXT


class TestKeeping:
    def test_what_is_told_is_there(self, tmp_path: Path) -> None:
        archive = small("A talk", "Hello?", "Hello there", "And?", "Bye")
        store = Store(tmp_path)
        store.uses(tmp_path / "model")
        store.conversation(archive.conversation)
        for node in archive.tree.nodes:
            store.added(archive.conversation.id, node)
            store.moved(archive.conversation.id, node.id)
        assert store.flush(30)
        assert parts(Library(tmp_path).get(archive.conversation.id)) == parts(archive)
        (listed,) = Library(tmp_path).listed()
        assert (listed.title, listed.prompts, listed.folder) == ("A talk", 2, str(tmp_path / "model"))
        assert listed.tokens == len("Hello there") + len("Bye")
        assert store.close(30)

    def test_a_running_answer_is_saved_as_it_grows(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        conversation = say(store, "Hello?")
        ids: list[int] = []
        answer = Node(new_id(), None, "assistant", (), vocabulary="v", ending="writing")
        store.added(conversation.id, answer, lambda: tuple(ids))
        for count in (3, 7, 300):
            ids += range(len(ids), count)
            wait_until(lambda count=count: len(saved(tmp_path, conversation, answer)) == count)  # type: ignore[misc]
        ended = replace(answer, messages=(Message.assistant("Hello"),), token_ids=tuple(ids), ending="stop")
        store.replaced(conversation.id, ended)
        assert store.close(30)
        assert Library(tmp_path).get(conversation.id).tree[answer.id] == ended
        with closing(open_to_read(tmp_path)) as connection:
            assert connection.execute("SELECT count(*) FROM pieces").fetchone() == (0,)

    def test_an_answer_that_is_gone_on_with(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        conversation = say(store, "Hello?")
        answer = Node(new_id(), None, "assistant", (Message.assistant("He"),), token_ids=(1, 2), ending="length")
        store.added(conversation.id, answer)
        store.replaced(conversation.id, replace(answer, ending="writing"), lambda: (1, 2, 3, 4))
        assert store.close(30, dropped=True)
        assert saved(tmp_path, conversation, answer) == (1, 2, 3, 4)

    def test_closing_saves_the_last_tokens(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        conversation = say(store, "Hello?")
        assert store.flush(30)
        answer = Node(new_id(), None, "assistant", (), vocabulary="v", ending="writing")
        store.added(conversation.id, answer, lambda: (5, 6, 7))
        assert store.close(30)
        assert saved(tmp_path, conversation, answer) == (5, 6, 7)

    def test_nobody_waits(self, tmp_path: Path) -> None:
        """Another process holds the file all the while."""
        open_database(tmp_path).connection.close()
        with closing(schema.connect(tmp_path / FILE)) as other:
            other.execute("BEGIN IMMEDIATE")
            store = Store(tmp_path)
            began = time.monotonic()
            conversation = say(store, *map(str, range(500)))
            seconds = time.monotonic() - began
            print(f"500 prompts told in {seconds:.3f} s")
            assert seconds < schema.BUSY_S
            other.execute("ROLLBACK")
        assert store.flush(30)
        assert len(prompts(tmp_path, conversation)) == 500
        store.close(30)

    def test_a_job_that_cannot_be_done_keeps_nothing_else_from_the_disk(self, tmp_path: Path, told: Told) -> None:
        store = Store(tmp_path, tell=told.append)
        store.added("never told", Node(new_id(), None, "user", (Message.user("lost"),)))
        conversation = say(store, "kept")
        assert store.flush(30)
        assert prompts(tmp_path, conversation) == ["kept"]
        assert "could not be saved" in str(told)
        store.close(30)

    def test_what_was_deleted_long_ago_is_purged(self, tmp_path: Path) -> None:
        library = Library(tmp_path)
        old, recent = small("Old"), small("Recent")
        for archive, days in ((old, 31), (recent, 29)):
            library.take_in(archive)
            library.delete(archive.conversation.id)
            with closing(open_database(tmp_path).connection) as c:
                at = time.time() - days * RESTORABLE_S / 30
                c.execute("UPDATE conversations SET deleted = ? WHERE id = ?", (at, archive.conversation.id))
        store = Store(tmp_path)
        assert store.flush(30)
        store.close(30)
        assert [each.title for each in library.listed(deleted=True)] == ["Recent"]
        with closing(open_to_read(tmp_path)) as c:
            assert c.execute("SELECT count(*) FROM nodes").fetchone() == (2,)


class TestFaults:
    def test_a_full_disk(self, small_disk: Path, told: Told) -> None:
        store = Store(small_disk, tell=told.append)
        conversation = say(store, "before")
        assert store.flush(30)
        filler = fill(small_disk)
        head = Library(small_disk).get(conversation.id).tree.head
        go_on(store, conversation, head, *("meanwhile " * 2000 for _ in range(4)))
        wait_until(lambda: store.trouble is not None)
        assert "Nothing is being saved. The disk is full" in str(told)
        assert not store.flush(0.5)
        filler.unlink()
        wait_until(lambda: store.trouble is None)
        assert "saved again" in told[-1]
        assert len(prompts(small_disk, conversation)) == 5
        assert store.close(30)
        integrity(small_disk)

    def test_a_disk_that_is_full_from_the_beginning(self, small_disk: Path, told: Told) -> None:
        filler = fill(small_disk)
        store = Store(small_disk, tell=told.append)
        conversation = say(store, "meanwhile")
        wait_until(lambda: store.trouble is not None)
        filler.unlink()
        wait_until(lambda: store.trouble is None)
        assert prompts(small_disk, conversation) == ["meanwhile"]
        assert store.close(30)
        integrity(small_disk)

    def test_no_file_grows(self, tmp_path: Path) -> None:
        """A quota, as far as a process can set one for itself: no mount is needed for it."""
        code = f"""
            import resource, signal, sys
            from pathlib import Path
            from gptoss_tui.chat.store.keeping import Store
            from tests.chat.store.talks import say, go_on
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            folder = Path({str(tmp_path)!r})
            told = []
            store = Store(folder, tell=told.append)
            conversation = say(store, "before")
            assert store.flush(30)
            resource.setrlimit(resource.RLIMIT_FSIZE, (128 * 1024, resource.RLIM_INFINITY))
            go_on(store, conversation, None, "much " * 100_000)
            assert not store.flush(1)
            assert "Nothing is being saved" in told[0], told
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            assert store.flush(20), told
            assert "saved again" in told[-1], told
            assert store.close(30)
        """
        run(code)
        integrity(tmp_path)

    def test_a_folder_that_is_read_only(self, read_only: Path, told: Told) -> None:
        store = Store(read_only, tell=told.append)
        conversation = say(store, "meanwhile")
        wait_until(lambda: store.trouble is not None)
        assert len(told) == 1
        assert "Nothing is being saved" in told[0]
        assert not store.flush(0.2)
        assert Library(read_only).listed() == []
        writable(read_only)
        wait_until(lambda: store.trouble is None)
        assert prompts(read_only, conversation) == ["meanwhile"]
        assert store.close(30)

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path, told: Told) -> None:
        (tmp_path / "file").touch()
        store = Store(tmp_path / "file" / "gptoss", tell=told.append)
        say(store, "meanwhile")
        wait_until(lambda: store.trouble is not None)
        assert not store.close(30)
        assert "Nothing is being saved" in told[0]
        assert "Not a directory" in told[0]

    def test_a_newer_file_is_left_alone_and_the_talk_goes_on(self, tmp_path: Path, told: Told) -> None:
        open_database(tmp_path, NEXT).connection.close()
        before = (tmp_path / FILE).read_bytes()
        store = Store(tmp_path, tell=told.append)
        say(store, "meanwhile")
        assert not store.flush(30)
        assert not store.close(30)
        assert len(told) == 1
        assert "Nothing is being saved" in told[0]
        assert "newer gptoss" in told[0]
        assert (tmp_path / FILE).read_bytes() == before

    def test_a_damaged_file_is_kept_and_told(self, tmp_path: Path, told: Told) -> None:
        (tmp_path / FILE).write_bytes(b"rubbish " * 2000)
        store = Store(tmp_path, tell=told.append)
        conversation = say(store, "meanwhile")
        assert store.close(30)
        assert prompts(tmp_path, conversation) == ["meanwhile"]
        (kept,) = tmp_path.glob(f"{FILE}.damaged-*")
        assert [str(kept) in line for line in told] == [True]

    def test_damage_while_it_is_open(self, tmp_path: Path, told: Told) -> None:
        store = Store(tmp_path, tell=told.append)
        # More than SQLite keeps in memory, so that it looks into the file again.
        before = [f"{number} " * 4000 for number in range(300)]
        conversation = say(store, *before)
        assert store.flush(30)
        head = Library(tmp_path).get(conversation.id).tree.head
        with closing(schema.connect(tmp_path / FILE)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with (tmp_path / FILE).open("r+b") as stream:
            stream.seek(4096)
            stream.write(b"\xa5" * ((tmp_path / FILE).stat().st_size - 4096))
        go_on(store, conversation, head, "afterwards")
        assert store.flush(30)
        assert prompts(tmp_path, conversation) == [*before, "afterwards"]
        assert "damaged" in str(told)
        assert store.close(30)

    def test_a_file_that_goes_away_while_it_is_open(self, tmp_path: Path, told: Told) -> None:
        store = Store(tmp_path, tell=told.append)
        conversation = say(store, "before")
        answer = Node(new_id(), None, "assistant", (), vocabulary="v", ending="writing")
        ids = [1, 2, 3]
        store.added(conversation.id, answer, lambda: tuple(ids))
        assert store.flush(30)
        for file in tmp_path.glob(f"{FILE}*"):
            file.unlink()
        ids += [4, 5, 6]
        wait_until(lambda: saved(tmp_path, conversation, answer) == (1, 2, 3, 4, 5, 6))
        assert "went away" in str(told)
        assert store.close(30)
        assert Library(tmp_path).get(conversation.id).tree.nodes[0].text == "before"

    def test_whoever_listens_may_fail(self, tmp_path: Path) -> None:
        (tmp_path / FILE).write_bytes(b"rubbish " * 2000)

        def tell(text: str) -> None:
            raise RuntimeError("the screen is gone")

        store = Store(tmp_path, tell=tell)
        conversation = say(store, "kept")
        assert store.close(30)
        assert prompts(tmp_path, conversation) == ["kept"]
