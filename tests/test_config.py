"""config.toml: what it says holds, what is wrong is named with its line, and where values come from is told."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gptoss_tui.config import SETTINGS, Config, ConfigError, key_lines, read_config, shown
from gptoss_tui.config_writing import default_text, keep, with_setting, write_default
from tests.cli.program import gptoss


def written(folder: Path, text: str) -> Path:
    """A config.toml."""
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


class TestReading:
    """From a file to values."""

    def test_no_file_is_all_defaults(self, tmp_path: Path) -> None:
        config = read_config(tmp_path / "none.toml")
        assert config.values == {each.name: each.default for each in SETTINGS}
        assert config.options() == {}

    def test_values_and_where_they_come_from(self, tmp_path: Path) -> None:
        config = read_config(written(tmp_path, 'theme = "projector"\n\n[sampling]\ntemperature = 0\ntop-p = 0.9\n'))
        assert config.values["sampling.temperature"] == 0.0
        assert config.options() == {"theme": "projector", "temperature": 0.0, "top_p": 0.9}
        assert config.origin("sampling.top-p") == "file, line 5"
        assert config.origin("sampling.top-p", {"top_p"}) == "command line"
        assert config.origin("sampling.top-k") == "default"

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("\n[sampling]\ntemprature = 1\n", "line 3: there is no setting sampling.temprature"),
            ("[sampling]\ntemperature = 9\n", "line 2: temperature cannot be 9"),
            ('[sampling]\ntop-k = "many"\n', "line 2: sampling.top-k cannot be 'many'"),
            ("[sampling]\ntop-k = true\n", "line 2: sampling.top-k cannot be True"),
            ('model-folders = "~/models"\n', "line 1: model-folders cannot be '~/models'"),
            ("model-folders = [1]\n", "line 1: model-folders cannot be [1]"),
            ('answer.effort = "huge"\n', "line 1: answer.effort cannot be 'huge'"),
            ("answer.max-tokens = 0\n", "line 1: max-tokens cannot be 0"),
            ("sampling = 3\n", "line 1: there is no setting sampling"),
            ("[[sampling]]\n", "there is no setting sampling"),
            ("[colours]\nx = 1\n", "line 1: there is no setting colours"),
            ("[keys]\napp = 3\n", "line 2: keys.app cannot be 3"),
            ("theme = \n", "at line 1"),
        ],
    )
    def test_what_is_wrong_is_named_with_its_line(self, text: str, told: str, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as fault:
            read_config(written(tmp_path, text))
        assert told in fault.value.message
        assert str(tmp_path) in fault.value.message
        assert fault.value.hint

    def test_a_list_of_folders(self, tmp_path: Path) -> None:
        config = read_config(written(tmp_path, 'model-folders = ["~/a", "/b"]\n'))
        assert config.values["model-folders"] == ("~/a", "/b")
        assert shown(config.values["model-folders"]) == '["~/a", "/b"]'

    def test_lines_are_not_misled(self) -> None:
        text = 'a = """\nb = 1\n[c]\n"""\nd.e = 2\n[f."g.h"]\n "i" = 3  # j = 4\n'
        assert tomllib.loads(text)
        assert key_lines(text) == {"a": 1, "d.e": 5, "f.g.h": 6, "f.g.h.i": 7}


class TestWriting:
    """`gptoss config init`."""

    def test_every_setting_at_its_default(self, tmp_path: Path) -> None:
        file = write_default(tmp_path / "new" / "config.toml")
        assert read_config(file) == Config(file, lines=key_lines(default_text()))
        with pytest.raises(ConfigError, match="exists already"):
            write_default(file)
        # With every # before a setting removed it is valid too, and changes nothing that has a default.
        live = "\n".join(line.removeprefix("# ") if " = " in line else line for line in default_text().splitlines())
        values = read_config(written(tmp_path, live)).values
        assert all(values[each.name] == each.default for each in SETTINGS if each.default is not None)


class TestKeeping:
    """One setting, put into a file that somebody has written."""

    @pytest.mark.parametrize(
        ("text", "name", "line"),
        [
            ('theme = "a"  # mine\n[sampling]\n', "theme", 'theme = "b"'),
            ("# a comment\n[sampling]\ntop-k = 3\n", "theme", 'theme = "b"'),
            ('# theme = "gptoss-dark"\n\n[keys]\n', "theme", 'theme = "b"'),
            ("[sampling]\ntop-k = 3\n[repl]\n", "answer.effort", 'effort = "b"'),
            ("[repl]\nplain = true\n[answer]\n# effort = 1\n", "answer.effort", 'effort = "b"'),
            ('answer.effort = "a"\n', "answer.effort", 'answer.effort = "b"'),
            ("", "theme", 'theme = "b"'),
        ],
    )
    def test_everything_else_stays(self, text: str, name: str, line: str) -> None:
        changed = with_setting(text, name, "b")
        kept = [each for each in text.splitlines() if not each.startswith(("theme", "answer.effort"))]
        others = changed.splitlines()
        others.remove(line)
        assert [each for each in others if each] == [each for each in kept if each] or "[answer]" in others
        table: object = tomllib.loads(changed)
        for part in name.split("."):
            assert isinstance(table, dict)
            table = table[part]
        assert table == "b"

    def test_a_file_is_made_where_there_is_none_and_a_link_stays_one(self, tmp_path: Path) -> None:
        real, link = tmp_path / "real.toml", tmp_path / "config.toml"
        keep("theme", "projector", real)
        link.symlink_to(real)
        assert "theme" in keep("theme", "paper-light", link)
        assert link.is_symlink()
        assert read_config(real).values["theme"] == "paper-light"
        assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".new")] == []

    def test_what_cannot_be_set_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot be set"):
            with_setting('theme = """\na"""\n', "theme", "b")
        (tmp_path / "config.toml").write_text("[sampling\n")
        with pytest.raises(ConfigError, match="not TOML"):
            keep("theme", "b", tmp_path / "config.toml")


class TestCommandLine:
    """The program follows the file, and the command line goes before it."""

    def test_all_of_it(self, tmp_path: Path) -> None:
        env = {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
        assert gptoss("config", "init", env=env).code == 0
        assert gptoss("config", "init", env=env).code == 1
        file = next(tmp_path.rglob("config.toml"))
        file.write_text('model = "/nowhere"\n[sampling]\ntemperature = 0.5\n')
        shown = gptoss("config", "show", "--top-k", 7, env=env).out.splitlines()
        rows = {line.split()[0]: line.split(maxsplit=1)[1] for line in shown[1:]}
        assert rows["sampling.temperature"].split(maxsplit=1) == ["0.5", "file, line 3"]
        assert rows["sampling.top-k"].split(maxsplit=1) == ["7", "command line"]
        assert rows["sampling.top-p"].split(maxsplit=1) == ["1.0", "default"]
        assert "line 1: the folder /nowhere does not exist" in gptoss("run", "Hi", env=env).err
        assert "line 1: the folder /nowhere does not exist" in gptoss("repl", env=env).err
        file.write_text('model = "demo"\ntheme = "nord"\n')
        (file.parent / "themes").mkdir()
        (file.parent / "themes" / "nord.toml").write_text("name = 1")
        wrong = gptoss("repl", env=env)
        assert wrong.code == 1
        assert "line 2: there is no theme 'nord'" in wrong.err
        assert "nord.toml lacks name" in wrong.err
        file.write_text("[sampling]\ntop-q = 1\n")
        broken = gptoss("run", "Hi", env=env)
        assert broken.code == 1
        assert "line 2: there is no setting sampling.top-q" in broken.err
        assert gptoss("run", "--help", env=env).code == 0

    @pytest.mark.parametrize(
        ("text", "argv", "told"),
        [
            ('theme = "nope"\n', ("config", "show"), "line 1: there is no theme 'nope'"),
            ('\nmodel = "nix"\n', ("run", "Hi"), "line 2: there is no model called nix"),
            ('\nmodel = "nix"\n', ("repl",), "line 2: there is no model called nix"),
            ("", ("config", "show", "--temperature", "9"), "temperature cannot be 9.0"),
            (b"\xff\xfe", ("config", "show"), "is not text in UTF-8"),
            (None, ("config", "show"), "cannot be read: Is a directory"),
        ],
    )
    def test_faults_say_where(self, tmp_path: Path, text: str | bytes | None, argv: tuple[str, ...], told: str) -> None:
        file = tmp_path / "gptoss" / "config.toml"
        file.parent.mkdir()
        match text:
            case None:
                file.mkdir()
            case bytes():
                file.write_bytes(text)
            case _:
                file.write_text(text)
        result = gptoss(*argv, env={"XDG_CONFIG_HOME": str(tmp_path)}, stdin=b"")
        assert (result.code, result.out) == (1, "")
        assert told in result.err
