"""The arguments that are about kept conversations: `gptoss sessions`, and --resume, --no-save and --keep-going.

The grammar, for the table in `arguments`, and what becomes of it; what costs time is imported where it is needed.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gptoss_tui.chat.saving import Saving
    from gptoss_tui.chat.store.rows import Listed

RESUME = "--resume"

ACTIONS = ("list", "search", "show", "export", "import", "rename", "delete", "restore")

# What is shown of an id, or more of it.
_AN_ID = re.compile(r"[0-9a-fA-F]{4,32}")


def sessions(parser: argparse.ArgumentParser) -> None:
    """`gptoss sessions`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = """what there is to do:
  list                    the conversations, the last one first; --deleted: those that can be restored
  search WORD…            those in which all of the words stand
  show [ID]               one as text; without an ID, the last one
  export [ID…] [--all]    as Markdown; with --json with every branch and token, for import
  import FILE…            what export wrote; - is standard input
  rename ID TITLE
  delete ID…              can be restored for 30 days; --now: removed for good
  restore ID…

An ID may be cut short, as list shows it."""
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help="default: list")
    parser.add_argument("words", nargs="*", metavar="ARGUMENT", help="ids, words to search for, files, or a title")
    parser.add_argument("--json", action="store_true", help="JSON, one object a line, instead of text")
    parser.add_argument("--deleted", action="store_true", help="list those that were deleted and can be restored")
    parser.add_argument("--all", action="store_true", help="export every conversation")
    parser.add_argument("-o", "--output", metavar="FILE", help="export into this file, which must not exist yet")
    parser.add_argument("--now", action="store_true", help="delete for good")


def front_end(parser: argparse.ArgumentParser) -> None:
    """What a front end understands that keeps conversations."""
    keeping = parser.add_argument_group("conversation")
    keeping.add_argument(
        RESUME, nargs="?", const="", metavar="ID", help="go on with a conversation; without an ID, with the last one"
    )
    keeping.add_argument(
        "--save",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="--no-save: a private talk, of which nothing touches the disk, neither conversation nor prompts",
    )
    keeping.add_argument(
        "--keep-going",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="when the line drops, finish the answer first, in the background",
    )


def one_answer(parser: argparse.ArgumentParser) -> None:
    """What `gptoss run` understands of it: nothing is kept that is not asked for."""
    keeping = parser.add_argument_group("conversation")
    keeping.add_argument(
        RESUME, nargs="?", const="", metavar="ID", help="ask in a conversation; without an ID, in the last one"
    )
    keeping.add_argument("--save", dest="keep", action="store_true", help="keep this as a conversation")
    keeping.add_argument(
        "--no-save", dest="forget", action="store_true", help="with --resume: leave the conversation as it is"
    )


def with_resume(argv: Sequence[str]) -> list[str]:
    """The arguments with a --resume that has no id marked as such: what follows it is a model or a prompt."""
    words: list[str] = []
    for at, word in enumerate(argv):
        following = argv[at + 1] if at + 1 < len(argv) else ""
        if word == "--":
            return [*words, *argv[at:]]
        words.append(f"{RESUME}=" if word == RESUME and not _AN_ID.fullmatch(following) else word)
    return words


def given(options: argparse.Namespace, words: Sequence[str], knobs: Sequence[str]) -> dict[str, object]:
    """What `words` ask for themselves, before the settings are looked at: it holds in a resumed conversation too."""
    asked = {name: getattr(options, name) for name in (*knobs, "instructions")}
    # It has a default, so its value does not tell.
    if any(word.split("=")[0] == "--effort" for word in words):
        asked["effort"] = options.effort
    return {name: value for name, value in asked.items() if value is not None}


def to_resume(options: argparse.Namespace) -> Listed | None:
    """The conversation that --resume names, by its id or with = by a part of its title. Raises `StoreError`."""
    if options.resume is None:
        return None
    from gptoss_tui.chat.store.library import Library
    from gptoss_tui.cli.notes import note

    library = Library(tell=note)
    return library.named(options.resume) if options.resume else library.find("")


def saving(options: argparse.Namespace, resumed: Listed | None) -> Saving:
    """How the conversation is kept, by the options and the settings."""
    from gptoss_tui.chat.saving import Saving

    return Saving(
        save=options.save,
        resume=resumed.id if resumed is not None else None,
        given=options.given,
        keep_going=options.keep_going,
        save_state=bool(options.config.values["conversation.save-kv"]),
    )


def saving_of_one(options: argparse.Namespace, resumed: Listed | None) -> Saving:
    """The same for `gptoss run`, which keeps what it is asked to keep."""
    from gptoss_tui.chat.saving import Saving

    return Saving(
        save=not options.forget,
        resume=resumed.id if resumed is not None else None,
        given=options.given,
        save_state=bool(options.config.values["conversation.save-kv"]),
    )


def model_of(resumed: Listed | None, otherwise: Callable[[], Path]) -> Callable[[], Path]:
    """Finds the model that a conversation was held with; where that is gone, or there is none, `otherwise`."""
    folder = Path(resumed.folder) if resumed is not None and resumed.folder is not None else None
    return lambda: folder if folder is not None and (folder / "config.json").is_file() else otherwise()
