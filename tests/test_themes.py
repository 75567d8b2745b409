"""Every shipped theme is complete and readable, and a broken one says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from gptoss_tui.themes import (
    DEFAULT_THEME,
    ROLES,
    ThemeError,
    contrast,
    read_theme,
    shipped_themes,
    theme_named,
    themes_folder,
    themes_with,
)

ON_BACKGROUND = (
    "foreground",
    "muted",
    "accent",
    "secondary",
    "success",
    "warning",
    "error",
    "sliding",
    "full",
    *(role for role in ROLES if role.startswith("surprise-")),
)
ON_CODE = tuple(role for role in ROLES if role.startswith("code-") and role != "code-background")
ON_SURFACE = ("foreground", "muted", "accent", "secondary", "success", "warning", "error")


def test_the_default_is_there_and_first() -> None:
    assert next(iter(shipped_themes())) == DEFAULT_THEME
    assert {theme.dark for theme in shipped_themes().values()} == {True, False}


@pytest.mark.parametrize("name", shipped_themes())
def test_text_can_be_read_on_what_it_stands_on(name: str) -> None:
    of = shipped_themes()[name].colours
    pairs = [
        *((role, "background") for role in ON_BACKGROUND),
        *((role, "surface") for role in ON_SURFACE),
        *((role, "code-background") for role in ON_CODE),
        ("foreground", "selection"),
        ("accent", "selection"),
        ("muted", "selection"),
        ("background", "accent"),
    ]
    dim = {f"{text} on {ground}": round(contrast(of[text], of[ground]), 2) for text, ground in pairs}
    assert {pair: ratio for pair, ratio in dim.items() if ratio < 4.5} == {}


def test_contrast_is_what_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def _changed(old: str, new: str, folder: Path) -> Path:
    text = (themes_folder() / f"{DEFAULT_THEME}.toml").read_text(encoding="utf-8")
    assert old in text
    file = folder / "mine.toml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[colours]", "[colours", "is not TOML"),
        ("dark = true", 'dark = "yes"', "lacks name, dark or"),
        ('muted = "#99a3ad"\n', "", "no colour for muted"),
        ('muted = "#99a3ad"', 'muted = "#99a3ad"\nmutd = "#99a3ad"', "colours mutd"),
        ('muted = "#99a3ad"', 'muted = "grey"', "muted cannot be 'grey'"),
    ],
)
def test_a_broken_file_says_what_is_wrong(old: str, new: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match=told) as fault:
        read_theme(_changed(old, new, tmp_path))
    assert fault.value.hint


def test_ones_own_themes(tmp_path: Path) -> None:
    _changed('name = "gptoss-dark"', 'name = "mine"', tmp_path)
    (tmp_path / "broken.toml").write_text("name = 1")
    themes, faults = themes_with(tmp_path)
    assert list(themes) == [*shipped_themes(), "mine"]
    assert [fault.message for fault in faults] == [f"Theme {tmp_path / 'broken.toml'} lacks name, dark or [colours]."]
    assert themes_with(tmp_path / "none") == (shipped_themes(), ())


def test_there_are_ten() -> None:
    assert len(shipped_themes()) == 10


def test_a_missing_file_and_an_unknown_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match="cannot be read"):
        read_theme(tmp_path / "none.toml")
    with pytest.raises(ThemeError, match="no theme 'nord'") as fault:
        theme_named("nord")
    assert DEFAULT_THEME in fault.value.hint
