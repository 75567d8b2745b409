"""Files in a prompt: `@notes.txt` anywhere in it puts the file's text behind the prompt, in a fence with its name.

A name with spaces is quoted, or its spaces have backslashes before them; `~` is the home folder; an `@` that names no
file is text, and so is one with a backslash before it. What a file holds is only ever text: the renderer encodes it
with special tokens disabled. Knows no front end.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gptoss_tui.chat import format
from gptoss_tui.chat.choices import Choice
from gptoss_tui.errors import PromptError

MOST_BYTES = 8 * 2**20
"""No context holds more text than that; larger files are not even read."""

# Behind a space or an opening bracket: an address such as me@example.com names no file.
_MENTION = re.compile(r"""(?<![^\s(\[{"'])(?P<escape>\\?)@(?:"(?P<quoted>[^"\n]+)"|(?P<bare>(?:\\[ ]|[^\s"'])+))""")
_BLOCK = re.compile(
    r"(?:\A|\n\n)File: (?P<name>[^\n]+)\n(?P<fence>`{3,})\w*\n(?P<text>.*?)(?<=\n)(?P=fence)(?=\n\nFile: |\Z)",
    re.DOTALL,
)
_SEEN_ENTRIES = 5_000
"""Of a folder, while a path is completed."""
_OFFERED = 50


class AttachError(PromptError):
    """A file that cannot be put into a prompt."""


class Measure(Protocol):
    """What tells how long a text is: a session."""

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""

    def count(self, text: str) -> int:
        """How many tokens a text is."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file's text as it stands in a prompt."""

    name: str
    """As the person wrote it."""
    text: str


@dataclass(frozen=True, slots=True)
class FileSize:
    """A file that a prompt names."""

    name: str
    """As the person wrote it."""
    tokens: int
    fault: str = ""
    """Why it cannot be attached; empty where it can."""


def with_files(text: str, measure: Measure, *, before: str = "") -> str:
    """The prompt with the files that it names; each once. Raises `AttachError` for one that cannot be read.

    `before` is what the prompt was before it was changed: a file that is gone since is taken from there.
    """
    known = {each.name: each.text for each in split(before)[1]}
    files: dict[str, str] = {}
    said: list[str] = []
    at = 0
    for match in _MENTION.finditer(text):
        name = _named(match, known)
        if name is None:
            continue
        if match["escape"]:
            # Without the backslash it is what the person means.
            said.append(text[at : match.start()])
            at = match.start() + 1
        elif name not in files:
            files[name] = known[name] if name in known and not _path(name).exists() else read_text(Path(name))
            _check_size(name, files[name], measure)
    said.append(text[at:])
    return joined("".join(said), [Attached(name, content) for name, content in files.items()])


def mentioned(text: str) -> list[str]:
    """The names of the files that a prompt would attach, each once; nothing is read."""
    found = ((_named(match, {}), match["escape"]) for match in _MENTION.finditer(text))
    return list(dict.fromkeys(name for name, escape in found if name is not None and not escape))


def size_of(name: str, measure: Measure) -> FileSize:
    """How much a file that a prompt names would add to it; it is read."""
    try:
        return FileSize(name, measure.count(read_text(Path(name))))
    except AttachError as fault:
        return FileSize(name, 0, fault.message.removeprefix(f"{name} "))


def joined(prompt: str, files: Sequence[Attached]) -> str:
    """A prompt and the files behind it, as one message."""
    return "\n\n".join(part for part in (prompt, *map(_fenced, files)) if part.strip())


def split(message: str) -> tuple[str, list[Attached]]:
    """What a person wrote, and the files behind it."""
    for start in re.finditer(r"(?:\A|\n\n)File: ", message):
        files: list[Attached] = []
        at = start.start()
        while block := _BLOCK.match(message, at):
            files.append(Attached(block["name"], block["text"]))
            at = block.end()
        if at == len(message):
            return message[: start.start()], files
    return message, []


def prompt_of(message: str) -> str:
    """What a person wrote, without the files behind it; their names where there is nothing else."""
    prompt, files = split(message)
    return prompt or " ".join(mention(each.name) for each in files)


def read_text(file: Path) -> str:
    """The text of a file. Raises `AttachError` for whatever is none: folders, devices, binary files, too long ones."""
    path = _path(str(file))
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise AttachError(f"{file} is a folder", f"Name a file in it; {_AS_TEXT}")
        if not stat.S_ISREG(about.st_mode):
            raise AttachError(f"{file} is no ordinary file", f"Write what it says into one; {_AS_TEXT}")
        if about.st_size > MOST_BYTES:
            raise AttachError(
                f"{file} is too long: {format.size(about.st_size)}", "Attach a part of it, such as what grep finds."
            )
        data = path.read_bytes()
    except OSError as fault:
        raise AttachError(f"{file} cannot be read: {fault.strerror}", "Check its name and its permissions.") from fault
    try:
        # UTF-16 is full of zero bytes, and always says what it is.
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise AttachError(f"{file} is not text", "Only text in UTF-8 or UTF-16 can be attached; convert it first.")
    return text


def mention(name: str) -> str:
    """A file's name as a prompt says it."""
    return f'@"{name}"' if re.search(r"[\s\\']", name) else f"@{name}"


def complete_path(text: str) -> list[Choice]:
    """Whole texts that `text` may become, where it ends in an `@` and the beginning of a path."""
    match = re.search(r"""(?<![^\s(\[{"'])@(?P<quote>"?)(?P<typed>(?:\\[ ]|[^\s"'])*|(?<=")[^"\n]*)\Z""", text)
    if match is None:
        return []
    typed = match["typed"] if match["quote"] else match["typed"].replace("\\ ", " ")
    folder, _, begun = typed.rpartition("/")
    base = f"{folder}/" if "/" in typed else ""
    head = text[: match.start()]
    try:
        with os.scandir(_path(base or ".")) as entries:
            seen = [entry for entry, _ in zip(entries, range(_SEEN_ENTRIES), strict=False)]
    except (OSError, ValueError):
        return []
    fits = [each for each in seen if _fits(each.name, begun)]
    fits.sort(key=lambda entry: (not entry.name.startswith(begun), entry.name.casefold()))
    return [Choice(head + _completed(base + entry.name, entry), _about(entry)) for entry in fits[:_OFFERED]]


_AS_TEXT = "with a backslash before it, @ is only a letter."


def _path(name: str) -> Path:
    path = Path(name)
    try:
        return path.expanduser()
    except RuntimeError:
        # ~somebody who has no home here.
        return path


def _named(match: re.Match[str], known: dict[str, str]) -> str | None:
    """The file that a mention names; None where it names none. Punctuation behind it may belong to the sentence."""
    name: str = match["quoted"] or match["bare"].replace("\\ ", " ")
    names = [name] if match["quoted"] else list(_shorter(name))
    return next((each for each in names if each in known or _there(each)), None)


def _shorter(name: str) -> Iterator[str]:
    yield name
    while name and name[-1] in ".,;:!?)]}":
        name = name[:-1]
        yield name


def _there(name: str) -> bool:
    try:
        return bool(name) and _path(name).exists()
    except (OSError, ValueError):
        return False


def _check_size(name: str, text: str, measure: Measure) -> None:
    tokens = measure.count(text)
    if tokens >= measure.context:
        raise AttachError(
            f"{name} has {tokens:,} tokens; the model's context holds {measure.context:,}",
            "Attach a part of it, such as what grep finds.",
        )


def _fenced(file: Attached) -> str:
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`{3,}", file.text))])
    kind = "".join(char for char in Path(file.name).suffix[1:] if char.isalnum())
    end = "" if file.text.endswith("\n") else "\n"
    name = "".join(char if char.isprintable() else "?" for char in file.name)
    return f"File: {name}\n{fence}{kind}\n{file.text}{end}{fence}"


def _fits(name: str, begun: str) -> bool:
    if name.startswith(".") and not begun.startswith("."):
        return False
    return name.casefold().startswith(begun.casefold())


def _completed(path: str, entry: os.DirEntry[str]) -> str:
    """A folder stays open, so that what lies in it can be completed next."""
    if not _is_folder(entry):
        return mention(path)
    return f'@"{path}/' if re.search(r"[\s\\']", path) else f"@{path}/"


def _about(entry: os.DirEntry[str]) -> str:
    if _is_folder(entry):
        return "folder"
    try:
        return format.size(entry.stat().st_size)
    except OSError:
        return ""


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
