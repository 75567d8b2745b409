"""Themes on the screen: the list with its preview, one's own, light and dark by the terminal, few colours and none."""

from __future__ import annotations

import re
import threading
from functools import partial
from pathlib import Path

import pytest
from rich.style import Style
from textual.geometry import Region
from textual.widgets import OptionList

from gptoss_tui.errors import GptOssError
from gptoss_tui.themes import ThemeError, contrast, shipped_themes, themes_folder
from gptoss_tui.tui.app import GptOssApp
from gptoss_tui.tui.options import TuiOptions
from gptoss_tui.tui.screens.help import HelpScreen
from gptoss_tui.tui.screens.themes import ThemeScreen
from gptoss_tui.tui.terminal import BackgroundTold
from gptoss_tui.tui.widgets.turn import Thinking
from tests.tui.pilots import Driven, driven
from tests.tui.scripted import Script, ScriptedOpener, words


def _styles(test: Driven) -> set[Style]:
    strips = test.app.screen._compositor.render_strips()
    return {segment.style for strip in strips for segment in strip if segment.style is not None}


def _ground(test: Driven) -> str:
    strip = test.app.screen._compositor.render_strips()[20]
    style = next(segment.style for segment in strip if segment.style is not None)
    assert style.bgcolor is not None
    return style.bgcolor.triplet.hex if style.bgcolor.triplet is not None else "default"


def _told(test: Driven, text: str) -> bool:
    return any(text in note.message for note in test.app._notifications)


def _own(folder: Path, name: str) -> Path:
    text = (themes_folder() / "gptoss-dark.toml").read_text(encoding="utf-8")
    (folder / f"{name}.toml").write_text(text.replace('name = "gptoss-dark"', f'name = "{name}"'), encoding="utf-8")
    return folder


async def test_the_list_previews_and_escape_brings_back() -> None:
    async with driven() as test:
        before = test.app.theme
        test.main.prompt.fill("/theme")
        await test.pilot.press("enter")
        await test.until(lambda: isinstance(test.app.screen, ThemeScreen))
        await test.pilot.press("down")
        await test.until(lambda: test.app.theme == list(shipped_themes())[1])
        await test.until(lambda: _ground(test) == shipped_themes()[test.app.theme].colours["background"])
        await test.pilot.press("escape")
        await test.until(lambda: test.app.screen is test.main)
        assert test.app.theme == before
        await test.pilot.press("alt+k")
        await test.until(lambda: isinstance(test.app.screen, ThemeScreen))
        await test.pilot.press("down", "down", "enter")
        await test.until(lambda: test.app.screen is test.main)
        assert test.app.theme == list(shipped_themes())[2]


async def test_a_theme_is_kept_only_when_asked() -> None:
    kept: list[str] = []

    def keep(name: str) -> str:
        if kept:
            raise GptOssError("It cannot be written", "Look.")
        kept.append(name)
        return f"{name} is kept"

    async with driven(keep_theme=keep) as test:
        for told in ("is kept", "cannot be written"):
            await test.pilot.press("alt+k")
            await test.until(lambda: isinstance(test.app.screen, ThemeScreen))
            await test.pilot.press("down", "d")
            await test.until(partial(_told, test, told))
            await test.until(lambda: test.app.screen is test.main)
        assert kept == [list(shipped_themes())[1]]


async def test_themes_of_ones_own_and_a_broken_one(tmp_path: Path) -> None:
    (_own(tmp_path, "mine") / "broken.toml").write_text("name = 1")
    async with driven(theme="mine", themes_folder=tmp_path, size=(200, 50)) as test:
        assert test.app.theme == "mine"
        # Where the line breaks depends on how long the folder's name is.
        await test.until(lambda: "lacks name, dark or [colours]" in re.sub(r"[\s│]+", " ", test.text_of("#chat")))
        await test.pilot.press("alt+k")
        await test.until(lambda: isinstance(test.app.screen, ThemeScreen))
        assert test.app.screen.query_one(OptionList).option_count == 11


async def test_the_command_takes_a_name_and_refuses_one_that_is_none() -> None:
    async with driven() as test:
        test.main.prompt.fill("/theme projector")
        await test.pilot.press("enter")
        await test.until(lambda: test.app.theme == "projector")
        test.main.prompt.fill("/theme projektor")
        await test.pilot.press("enter")
        await test.until(lambda: any("no theme" in note.message for note in test.app._notifications))


def test_an_unknown_theme_is_told_before_anything_starts() -> None:
    with pytest.raises(ThemeError, match="no theme 'nord'"):
        GptOssApp(TuiOptions(model=Path("nowhere"), theme="nord"))


async def test_without_a_choice_the_theme_suits_the_terminal() -> None:
    async with driven(light=True) as test:
        assert test.app.theme == "gptoss-light"
        test.app.post_message(BackgroundTold(light=False))
        await test.until(lambda: test.app.theme == "gptoss-dark")
        test.app.use_theme("projector")
        test.app.post_message(BackgroundTold(light=False))
        await test.pilot.pause()
        assert test.app.theme == "projector"


@pytest.mark.parametrize("theme", ["gptoss-dark", "gptoss-light"])
async def test_sixteen_colours_are_the_terminals_own(theme: str) -> None:
    async with driven(theme=theme, colours=16) as test:
        await test.ask("hello")
        await test.phase("idle")
        await test.pilot.press("ctrl+s")
        await test.until(lambda: "▸temperature" in test.text_of("#sampling"))
        for style in _styles(test):
            assert style.color is None or style.color.triplet is None
            assert style.bgcolor is None or style.bgcolor.is_default
        assert any(style.color is not None and style.color.number is not None for style in _styles(test))


async def test_no_colour_is_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with driven() as test:
        await test.ask("hello")
        await test.phase("idle")
        for style in _styles(test):
            assert style.color is None or style.color.is_default
            assert style.bgcolor is None or style.bgcolor.is_default
        # The cursor is still seen.
        assert any(style.reverse for style in _styles(test))


ANSWER = (
    "# A heading\n\nText with **bold**, `code` and a [link](https://example.org).\n\n- one\n\n> quoted\n\n"
    '```python\n@wrap\ndef twice(number: int) -> str:\n    # a comment\n    return "text" * 2.5\n```\n\nDone.'
)


def _dim(test: Driven, region: Region | None = None) -> set[tuple[str, str, str]]:
    """(letter, colour, ground) of letters and digits that are hard to read on the ground they really stand on."""
    found: set[tuple[str, str, str]] = set()
    for y, strip in enumerate(test.app.screen._compositor.render_strips()):
        x = 0
        for segment in strip:
            style = segment.style
            for char in segment.text:
                inside = region is None or region.contains(x, y)
                if inside and char.isalnum() and style is not None and style.color and style.bgcolor:
                    colour, ground = style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex
                    if contrast(colour, ground) < 4.5:
                        found.add((char, colour, ground))
                x += 1
    return found


@pytest.mark.parametrize("theme", shipped_themes())
async def test_everything_on_the_screen_can_be_read(theme: str) -> None:
    hold = threading.Event()
    thinking = words("Let me think.", "analysis")
    opener = ScriptedOpener(Script(thinking + words(ANSWER)), Script(thinking + words(ANSWER), hold=hold))
    async with driven(opener, theme=theme, size=(120, 40)) as test:
        await test.ask("What is it?")
        await test.phase("idle")
        await test.pilot.press("alt+t")
        thought = test.main.query(Thinking).first()
        await test.until(lambda: thought.opened)
        thought.focus()
        await test.pilot.pause()
        assert _dim(test) == set()
        await test.pilot.press("escape")
        await test.ask("And again?")
        await test.phase("writing")
        await test.until(lambda: "Done" not in test.main.chat.turns[-1].answer)
        assert _dim(test) == set()
        await test.pilot.press("ctrl+s")
        await test.until(lambda: "▸temperature" in test.text_of("#sampling"))
        assert _dim(test) == set()
        hold.set()
        await test.phase("idle")
        await test.pilot.press("escape", "slash")
        await test.until(lambda: test.main.suggestions.display)
        assert _dim(test) == set()
        await test.pilot.press("alt+k")
        await test.until(lambda: isinstance(test.app.screen, ThemeScreen))
        await test.pilot.pause()
        assert _dim(test) == set()
        await test.pilot.press("escape")
        await test.until(lambda: test.app.screen is test.main)
        await test.pilot.press("f1")
        await test.until(lambda: isinstance(test.app.screen, HelpScreen))
        await test.pilot.pause()
        assert _dim(test, test.app.screen.query_one("#help").region) == set()
