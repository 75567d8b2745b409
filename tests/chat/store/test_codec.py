"""What goes into rows, bytes and JSON comes out again, in every part."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptoss_tui.chat.store import rows, schema, search
from gptoss_tui.chat.store.codec import Archive, TransferError, from_json, to_json
from gptoss_tui.chat.store.packing import LARGEST_ID, pack, pack_text, unpack, unpack_text
from tests.chat.store.archives import archives, parts, small, texts


@settings(deadline=None)
@given(st.lists(st.integers(0, LARGEST_ID) | st.integers(0, 300)))
def test_packed_ids(ids: list[int]) -> None:
    assert unpack(pack(ids)) == tuple(ids)


@pytest.mark.parametrize(("largest", "width"), [(0, 1), (255, 1), (256, 2), (65_535, 2), (201_087, 3), (2**24, 4)])
def test_ids_take_no_more_than_they_need(largest: int, width: int) -> None:
    assert len(pack([0, largest])) == 1 + 2 * width


@pytest.mark.parametrize("damaged", [b"\x00", b"\x05abcde", b"\x03abcd"])
def test_what_was_never_packed_is_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="packed"):
        unpack(damaged)


@settings(deadline=None)
@given(texts)
def test_packed_texts(text: str) -> None:
    stored = pack_text(text)
    with closing(sqlite3.connect(":memory:")) as c:
        assert unpack_text(c.execute("SELECT ?", (stored,)).fetchone()[0]) == text


@settings(max_examples=50, deadline=None)
@given(archives)
def test_json_and_back(archive: Archive) -> None:
    written = json.dumps(to_json(archive), allow_nan=False)
    read = from_json(json.loads(written))
    assert parts(read) == parts(archive)
    assert read.updated == archive.updated


@settings(max_examples=50, deadline=None)
@given(archives)
def test_rows_and_back(archive: Archive) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as c:
        schema.migrate(c, lambda version: None)
        search.prepare(c)
        rows.put_archive(c, archive)
        assert parts(rows.get_archive(c, archive.conversation.id)) == parts(archive)
        # Said once more, it changes nothing.
        rows.put_archive(c, archive)
        assert parts(rows.get_archive(c, archive.conversation.id)) == parts(archive)


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda top: top.update(format="other"), "no conversation"),
        (lambda top: top.update(version=99), "newer gptoss"),
        (lambda top: top.pop("conversation"), "conversation is not an object"),
        (lambda top: top["conversation"].update(id="../../etc"), "conversation.id is not an id"),
        (lambda top: top["conversation"].update(head="f" * 32), "no tree"),
        (lambda top: top["conversation"].update(title=7), "conversation.title is not text"),
        (lambda top: top["conversation"].update(effort="huge"), "one of low, medium, high"),
        (lambda top: top["conversation"]["params"].update(temperature=99), "conversation.params"),
        (lambda top: top["conversation"]["params"].update(colour=1), "conversation.params"),
        (lambda top: top.update(nodes={}), "the file.nodes is not a list"),
        (lambda top: top["nodes"][1].update(parent="e" * 32), "no tree"),
        (lambda top: top["nodes"][1].update(id=top["nodes"][0]["id"]), "no tree"),
        (lambda top: top["nodes"][0].update(role="system"), "one of user"),
        (lambda top: top["nodes"][1].update(token_ids=[-1]), "a list of token ids"),
        (lambda top: top["nodes"][1].update(token_ids=[True]), "a list of token ids"),
        (lambda top: top["nodes"][1].update(created="now"), "is not a number"),
        (lambda top: top["nodes"][1]["messages"][0].update(complete=1), "true or false"),
    ],
)
def test_a_file_that_is_not_right_says_where(change: Change, message: str) -> None:
    top = json.loads(json.dumps(to_json(small())))
    change(top)
    with pytest.raises(TransferError, match=message):
        from_json(top)


@pytest.mark.parametrize("value", [None, 7, [], "text", {"format": "gptoss-conversation"}])
def test_what_is_no_file_at_all(value: object) -> None:
    with pytest.raises(TransferError):
        from_json(value)
