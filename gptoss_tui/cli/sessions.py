"""`gptoss sessions`: the kept conversations, listed, searched, shown, given out and taken in, renamed, deleted."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from gptoss_tui.chat.store.codec import Archive
from gptoss_tui.chat.store.database import StoreError
from gptoss_tui.chat.store.library import SHORT_ID, Library
from gptoss_tui.chat.store.listing import found_lines, table
from gptoss_tui.chat.store.rows import Listed
from gptoss_tui.chat.store.transfer import as_json, as_markdown, read, read_file
from gptoss_tui.cli.jsonl import line
from gptoss_tui.cli.notes import note
from gptoss_tui.cli.output import ClosedPipe, Output
from gptoss_tui.cli.sessionlist import fields, shown
from gptoss_tui.errors import EXIT_OK, GptOssError, ParameterError, VocabularyError
from gptoss_tui.visible import visible


def main(options: argparse.Namespace) -> int:
    """Does one of `keeping.ACTIONS`. Raises `GptOssError`."""
    _check(options)
    library = Library(tell=note)
    with suppress(StoreError):  # reading works where writing does not, and says what is wrong where neither does
        library.settle()
        _read_back(library)
    with suppress(ClosedPipe):  # whoever read it has seen enough
        _ACTIONS[options.action](library, options, Output())
    return EXIT_OK


_ONLY_WITH = {"deleted": "list", "all": "export", "output": "export", "now": "delete"}


def _check(options: argparse.Namespace) -> None:
    """An option that would be passed over is told: whoever wrote it expects something of it."""
    for name, action in _ONLY_WITH.items():
        if getattr(options, name) and options.action != action:
            raise ParameterError(
                f"--{name} means nothing to {options.action}", f"It belongs to gptoss sessions {action}."
            )


def _read_back(library: Library) -> None:
    """Gives answers that were cut off when their process died their text, where their model is still there."""
    for digest, folder in library.left_over():
        if folder is None:
            continue
        from gptoss_tui.chat.answers import recovered
        from gptoss_tui.harmony import Harmony

        with suppress(VocabularyError, OSError):
            harmony = Harmony.load(folder)
            if harmony.vocabulary.digest == digest:
                library.read_back(digest, partial(recovered, harmony))


Action = Callable[[Library, argparse.Namespace, Output], None]


def _list(library: Library, options: argparse.Namespace, output: Output) -> None:
    _no_words(options)
    listed = library.listed(deleted=options.deleted)
    if options.json:
        for one in listed:
            output.write(line(fields(one)))
    else:
        output.write(table(listed, library, deleted=options.deleted))


def _search(library: Library, options: argparse.Namespace, output: Output) -> None:
    words = " ".join(options.words)
    if not words.strip():
        raise ParameterError("There is nothing to search for", 'Give words: gptoss sessions search "black holes"')
    listed = {one.id: one for one in library.listed()}
    found = library.search(words)
    if not found and not options.json:
        note(f"nowhere does it say {words}")
    for match in found:
        if (one := listed.get(match.conversation_id)) is None:
            continue
        if options.json:
            output.write(line({**fields(one), "node": match.node_id, "excerpt": match.excerpt}))
        else:
            output.write(found_lines(one, match))


def _show(library: Library, options: argparse.Namespace, output: Output) -> None:
    one = _one(library, options.words)
    archive = library.get(one.id)
    output.write(as_json(archive) if options.json else visible(shown(archive, library.under_way(one.id))))


def _export(library: Library, options: argparse.Namespace, output: Output) -> None:
    if options.all:
        _no_words(options)
        chosen = [one.id for one in library.listed()]
    else:
        chosen = [library.find(word).id for word in options.words] or [library.find("").id]
    if len(chosen) > 1 and not options.json:
        raise ParameterError("Markdown is one conversation a file", "Export them one by one, or with --json.")
    texts = [as_json(archive) if options.json else as_markdown(archive) for archive in map(library.get, chosen)]
    if options.output is not None:
        _write(Path(options.output), "".join(texts))
        note(f"wrote {_count(len(chosen))} to {options.output}")
    else:
        # A terminal obeys what a file only holds.
        text = "".join(texts)
        output.write(visible(text) if output.terminal else text)


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8", errors="surrogatepass", newline="") as stream:
            stream.write(text)
    except FileExistsError as fault:
        raise GptOssError(f"{file} exists already", "Give another name, or move it away.") from fault
    except OSError as fault:
        raise GptOssError(f"{file} cannot be written: {fault.strerror}", "Check the folder and the disk.") from fault


def _import(library: Library, options: argparse.Namespace, output: Output) -> None:
    if not options.words:
        raise ParameterError("There is nothing to import", "Give files that `gptoss sessions export` wrote, or -.")
    for name in options.words:
        archives = read(_stdin()) if name == "-" else read_file(Path(name).expanduser())
        for archive in archives:
            conversation_id, new = library.take_in(archive)
            if options.json:
                output.write(line({"id": conversation_id, "new": new}))
            else:
                _tell(output, f"{'Imported' if new else 'Here already:'} {_named(conversation_id, archive)}")


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as fault:
        raise GptOssError("It is no text", "`gptoss sessions export` writes what can be read here.") from fault


def _rename(library: Library, options: argparse.Namespace, output: Output) -> None:
    title = " ".join(options.words[1:]).strip()
    if not title:
        raise ParameterError("There is no title", 'Give an id and a title: gptoss sessions rename 3f2a "Black holes"')
    one = library.find(options.words[0])
    library.rename(one.id, title)
    _done(output, options, one, "title", title, f"{one.id[:SHORT_ID]} is now called {title}")


def _delete(library: Library, options: argparse.Namespace, output: Output) -> None:
    for one in _chosen(library, options.words, deleted=None if options.now else False):
        if options.now:
            library.purge(one.id)
            _done(output, options, one, "purged", True, f"Deleted for good: {_label(one)}")
        else:
            library.delete(one.id)
            undo = f"gptoss sessions restore {one.id[:SHORT_ID]}"
            _done(
                output, options, one, "deleted", True, f"Deleted: {_label(one)}\n  {undo} brings it back for 30 days."
            )


def _restore(library: Library, options: argparse.Namespace, output: Output) -> None:
    for one in _chosen(library, options.words, deleted=True):
        library.restore(one.id)
        _done(output, options, one, "deleted", False, f"Restored: {_label(one)}")


_ACTIONS: dict[str, Action] = {
    "list": _list,
    "search": _search,
    "show": _show,
    "export": _export,
    "import": _import,
    "rename": _rename,
    "delete": _delete,
    "restore": _restore,
}


def _one(library: Library, words: Sequence[str]) -> Listed:
    if len(words) > 1:
        raise ParameterError(f"One conversation is shown at a time, not {len(words)}", "Give one id.")
    return library.find(words[0] if words else "")


def _chosen(library: Library, words: Sequence[str], *, deleted: bool | None) -> list[Listed]:
    """The conversations of these ids, all of them known before any is touched; `deleted` None: either kind."""
    if not words:
        raise ParameterError("No conversation is named", "Give ids; gptoss sessions list shows them.")
    return [_either(library, word) if deleted is None else library.find(word, deleted=deleted) for word in words]


def _either(library: Library, word: str) -> Listed:
    try:
        return library.find(word, deleted=True)
    except StoreError:
        return library.find(word)


def _no_words(options: argparse.Namespace) -> None:
    if options.words:
        raise ParameterError(f"{options.words[0]!r} means nothing here", "gptoss sessions --help tells what does.")


def _done(output: Output, options: argparse.Namespace, one: Listed, what: str, value: str | bool, text: str) -> None:
    if options.json:
        output.write(line({"id": one.id, what: value}))
    else:
        _tell(output, text)


def _tell(output: Output, text: str) -> None:
    output.write(visible(text) + "\n")


def _label(one: Listed) -> str:
    return f"{one.id[:SHORT_ID]} {one.title or 'without a title'}"


def _named(conversation_id: str, archive: Archive) -> str:
    return f"{conversation_id[:SHORT_ID]} {archive.conversation.title or 'without a title'}"


def _count(number: int) -> str:
    return "1 conversation" if number == 1 else f"{number} conversations"
