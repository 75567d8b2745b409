"""Two programs on one store: both are safe, and each sees the other's conversations; what one leaves as it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from gptoss_tui.chat.store.database import FILE
from gptoss_tui.chat.store.instances import FOLDER, Instance, others
from gptoss_tui.chat.store.keeping import Store
from gptoss_tui.chat.store.library import Library
from gptoss_tui.chat.tree import Node, new_id
from tests.chat.store.conftest import Told
from tests.chat.store.talks import integrity, python, run, saved, say
from tests.cli.program import environment


class TestTwoAtOnce:
    def test_both_are_safe_and_see_each_other(self, tmp_path: Path) -> None:
        code = f"""
            import sys
            from pathlib import Path
            from gptoss_tui.chat.store.keeping import Store
            from tests.chat.store.talks import say
            store = Store(Path({str(tmp_path)!r}))
            assert store.ready()
            print("ready", flush=True)
            sys.stdin.readline()
            for number in range(100):
                say(store, "theirs", title=f"Theirs {{number}}")
            assert store.flush(30)
            print(len(store.others()), flush=True)
            sys.stdin.readline()
            assert store.close(30)
        """
        with subprocess.Popen(
            python(code), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            store = Store(tmp_path)
            process.stdin.write("\n")
            process.stdin.flush()
            for number in range(100):
                say(store, "ours", title=f"Ours {number}")
            assert store.flush(30)
            assert process.stdout.readline() == "1\n"
            (other,) = store.others()
            assert (other.pid, other.doing) == (process.pid, "open")
            titles = {each.title for each in Library(tmp_path).listed()}
            assert titles == {f"{whose} {number}" for whose in ("Ours", "Theirs") for number in range(100)}
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.wait(30) == 0
        assert store.others() == []
        assert store.close(30)
        integrity(tmp_path)

    def test_an_answer_of_a_living_process_is_not_taken_for_a_dead_ones(self, tmp_path: Path) -> None:
        first = Store(tmp_path)
        conversation = say(first, "Hello?")
        answer = Node(new_id(), None, "assistant", (), vocabulary="v", ending="writing")
        ids = [1, 2]
        first.added(conversation.id, answer, lambda: tuple(ids))
        assert first.flush(30)
        second = Store(tmp_path)
        assert second.flush(30)
        Library(tmp_path).settle()
        ids.append(3)
        assert first.flush(30)
        (listed,) = Library(tmp_path).listed()
        assert listed.open_by == second.others()[0].id
        assert saved(tmp_path, conversation, answer) == (1, 2, 3)
        assert second.close(30)
        assert first.close(30)

    def test_what_another_has_open_is_not_purged(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        conversation = say(store, "Hello?")
        assert store.flush(30)
        with pytest.raises(Exception, match="has that conversation open"):
            Library(tmp_path).purge(conversation.id)
        assert store.close(30)
        Library(tmp_path).purge(conversation.id)
        assert Library(tmp_path).listed() == []

    def test_many_open_a_new_file_at_once(self, tmp_path: Path, told: Told) -> None:
        stores = [Store(tmp_path, tell=told.append) for _ in range(6)]
        talks = [say(store, "Hello?", title=str(number)) for number, store in enumerate(stores)]
        assert all(store.flush(30) for store in stores)
        assert all(store.close(30) for store in stores)
        assert {each.id for each in Library(tmp_path).listed()} == {talk.id for talk in talks}
        assert told == []


class TestInstances:
    def test_what_a_process_does_is_seen(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        conversation = say(store, "Hello?")
        store.finishing()
        (other,) = others(tmp_path)
        assert (other.pid, other.doing, other.conversation) == (os.getpid(), "finishing", conversation.id)
        store.close(30)
        assert others(tmp_path) == []

    def test_what_the_dead_left_is_removed(self, tmp_path: Path) -> None:
        code = f"""
            import os, signal
            from pathlib import Path
            from gptoss_tui.chat.store.instances import Instance
            instance = Instance(Path({str(tmp_path)!r}))
            os.kill(os.getpid(), signal.SIGKILL)
        """
        assert subprocess.run(python(code), env=environment(), check=False).returncode == -signal.SIGKILL
        assert len(list((tmp_path / FOLDER).iterdir())) == 1
        assert others(tmp_path) == []
        assert list((tmp_path / FOLDER).iterdir()) == []

    def test_a_number_that_somebody_else_has_now_means_nothing(self, tmp_path: Path) -> None:
        (tmp_path / FOLDER).mkdir()
        (tmp_path / FOLDER / "dead.json").write_text(
            f'{{"pid": {os.getpid()}, "started": 1, "doing": "open", "conversation": ""}}'
        )
        assert others(tmp_path) == []

    def test_half_a_file_is_a_living_one_all_the_same(self, tmp_path: Path) -> None:
        instance = Instance(tmp_path)
        (file,) = (tmp_path / FOLDER).iterdir()
        file.write_text('{"pid":')
        assert [other.id for other in others(tmp_path)] == [instance.id]
        instance.close()

    def test_a_folder_that_cannot_be_written_hides_it_and_nothing_else(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        instance = Instance(tmp_path / "file")
        instance.tell("open", "")
        assert others(tmp_path / "file") == []
        instance.close()


class TestLeaving:
    @pytest.mark.parametrize("dropped", [True, False])
    def test_the_next_one_knows_whether_its_person_left(self, tmp_path: Path, dropped: bool) -> None:
        store = Store(tmp_path)
        say(store, "Hello?")
        assert store.close(30, dropped=dropped)
        (listed,) = Library(tmp_path).listed()
        assert (listed.dropped is not None) == dropped
        store = Store(tmp_path)
        store.adopt(Library(tmp_path).get(listed.id))
        assert store.close(30)
        assert Library(tmp_path).listed()[0].dropped is None

    def test_threads_and_files_are_gone(self, tmp_path: Path) -> None:
        before = threading.active_count()
        files = len(os.listdir("/dev/fd"))
        store = Store(tmp_path)
        say(store, "Hello?")
        assert store.close(30)
        assert threading.active_count() == before
        assert len(os.listdir("/dev/fd")) == files
        assert not list(tmp_path.glob(f"{FILE}-*"))

    def test_an_end_without_closing_saves_too(self, tmp_path: Path) -> None:
        code = f"""
            from pathlib import Path
            from gptoss_tui.chat.store.keeping import Store
            from tests.chat.store.talks import say
            say(Store(Path({str(tmp_path)!r})), "Hello?")
        """
        run(code)
        assert [each.title for each in Library(tmp_path).listed()] == ["A talk"]
