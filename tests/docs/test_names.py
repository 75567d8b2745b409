"""What the docs name exists: options, files, links, keys, slash commands, action ids; and their snippets run."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gptoss_tui.config import SETTINGS
from gptoss_tui.keys import Keymap, KeyNameError, key_named
from gptoss_tui.keys.table import EDITING, PLACES
from gptoss_tui.themes import shipped_themes
from tests.docs.grammar import entries, slash_commands
from tests.docs.pages import PAGES, ROOT, blocks, prose, spans
from tests.docs.test_commands import check_grammar

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

FOREIGN_OPTIONS = {
    "--extra": "uv",
    "--plugin": "rsvg",
    "--system-site-packages": "venv",
    "--no-sleep": "mosh",
}
"""Options of other programs that the docs mention."""

USERS_FILES = (
    *("config.toml", "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("generation_config.json", "model.safetensors.index.json", "chat_template.jinja", "notes.txt"),
    *("prompts.jsonl", "conversations.db", "talk.md", "all.jsonl"),
)
"""Names of files that the docs mention and that are not of this repository."""

FOREIGN_KEYS = frozenset(
    (
        *("ctrl+z", "ctrl+b"),  # of a shell and of tmux
        *("shift+a", "ctrl+i", "ctrl+m", "ctrl+h", "ctrl+1"),  # named to say that no terminal sends them
    )
)
"""Keys that the docs mention and that do nothing here."""

ROOMS = (ROOT, ROOT / "docs", ROOT / "gptoss_tui", ROOT / "tests", ROOT / "docs" / "demo-model")
"""Where a path in the docs may begin."""


@each_page
def test_every_option_exists(page: Path) -> None:
    known = {option for entry in entries() for option in entry.options} | {*FOREIGN_OPTIONS}
    scripts = (*(ROOT / "docs").rglob("*.py"), *(ROOT / "tests").rglob("*.py"))
    known |= {option for file in scripts for option in re.findall(r'"(--[a-z][\w-]+)"', file.read_text("utf-8"))}
    for number, line in prose(page):
        for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", line):
            assert option in known, f"{page.name}:{number}: nothing has {option}"


@each_page
def test_every_command_in_the_running_text_exists(page: Path) -> None:
    for number, code in spans(page):
        if code.startswith("gptoss "):
            check_grammar(f"{page.name}:{number}: {code}", re.sub(r"\s#.*", "", code).split()[1:])


@each_page
def test_every_slash_command_exists(page: Path) -> None:
    known = {name for each in slash_commands() for name in (each.name, *each.aliases)}
    for number, code in spans(page):
        if found := re.match(r"/([a-z]+|\?)(?=\s|$)", code):
            assert found[1] in known, f"{page.name}:{number}: there is no {code}"


@each_page
def test_every_file_exists(page: Path) -> None:
    for number, path in _paths(page):
        found = any(list(room.glob(path.rstrip("/"))) for room in (*ROOMS, page.parent))
        found = found or ("/" not in path and any((ROOT / "gptoss_tui").rglob(path)))
        assert found or path in USERS_FILES, f"{page.name}:{number}: there is no {path}"


def _paths(page: Path) -> Iterator[tuple[int, str]]:
    for number, code in spans(page):
        if re.fullmatch(r"[\w./*~-]+\.(py|md|toml|tcss|jsonl?|jinja|txt)", code):
            yield number, code
    for number, line in prose(page):
        for path in re.findall(r"(?<![\w/.(-])(?:tests|docs|gptoss_tui|themes)/[\w./-]*\w/?", line):
            yield number, path


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for number, line in prose(page):
        for target in re.findall(r"\]\(([^)\s]+)\)", line) + re.findall(r'(?:src|srcset|href)="([^"]+)"', line):
            if re.match(r"https?://|mailto:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (page.parent / name) if name else page
            assert file.exists(), f"{page.name}:{number}: {target}"
            if anchor:
                assert anchor in _anchors(file), f"{page.name}:{number}: {target}"


def _anchors(page: Path) -> set[str]:
    headings = (line.lstrip("#").strip() for _, line in prose(page) if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_every_key_does_something(page: Path) -> None:
    keymap = Keymap()
    bound = {key for place in PLACES for action in place.actions for keys in keymap.keys(action) for key in keys}
    for number, line in prose(page):
        for written in re.findall(r"(?<![\w+-])(?:(?:ctrl|alt|shift|option)[+-])+\w+", line, re.IGNORECASE):
            known = written.lower() in FOREIGN_KEYS or key_named(written.lower()) in bound | EDITING
            assert known, f"{page.name}:{number}: {written} does nothing"


@each_page
def test_every_row_of_a_table_of_keys_names_keys(page: Path) -> None:
    in_table = False
    for number, line in prose(page):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if not line.startswith("|"):
            in_table = False
        elif cells[0].lower() in ("key", "keys"):
            in_table = True
        elif in_table and not set(cells[0]) <= {"-", ":"}:
            for key in re.split(r",\s*|\s+and\s+|\s+", cells[0].replace("`", "")):
                try:
                    key_named(key)
                except KeyNameError as wrong:
                    pytest.fail(f"{page.name}:{number}: {wrong}")


@each_page
def test_every_action_id_exists_and_has_the_keys_beside_it(page: Path) -> None:
    actions = {action.id: action for place in PLACES for action in place.actions}
    rooms = "|".join({name.partition(".")[0] for name in actions})
    settings = {each.name for each in SETTINGS}
    files = re.compile(r"\.(py|md|toml|json)$")
    for number, code in spans(page):
        if re.fullmatch(rf"({rooms})\.[a-z-]+", code) and not files.search(code) and code not in settings:
            assert code in actions, f"{page.name}:{number}: there is no action {code}"
    for block in blocks(page):
        for at, line in enumerate(block.lines):
            if found := re.match(rf"((?:{rooms})\.[a-z-]+)\s{{2,}}(.+?)\s{{2,}}", line):
                where = f"{page.name}:{block.line + at}"
                assert found[1] in actions, f"{where}: there is no action {found[1]}"
                assert Keymap().shown(actions[found[1]]) == found[2], where


@each_page
def test_every_block_of_toml_and_json_can_be_read(page: Path) -> None:
    for block in blocks(page):
        if block.language == "toml":
            tomllib.loads(block.text)
        if block.language == "json":
            for line in block.lines:
                json.loads(line)


@each_page
def test_every_theme_exists(page: Path) -> None:
    for number, line in (*prose(page), *((b.line, text) for b in blocks(page) for text in b.lines)):
        for name in re.findall(r"--theme[ =]([a-z][\w-]+)|^theme = \"([^\"]+)\"|/theme ([a-z][\w-]+)", line):
            assert "".join(name) in shipped_themes(), f"{page.name}:{number}: there is no theme {''.join(name)}"


@each_page
def test_every_snippet_of_python_runs(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            from gptoss_tui.models.bundled import demo_checkpoint

            text = block.text.replace("path/to/checkpoint", str(demo_checkpoint()))
            exec(compile(text, f"{page.name}:{block.line}", "exec"), {"__name__": "documented"})
