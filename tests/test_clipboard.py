"""The clipboard: what is sent to the terminal, which programs are asked, and what is said where nothing works."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import pytest

from gptoss_tui import clipboard
from gptoss_tui.clipboard import ClipboardError, copy, programs

XTERM = {"TERM": "xterm-256color"}
TEXT = "naïve \x1b[31m☺\n"


def decoded(sequence: str) -> str:
    """What a terminal would put into its clipboard."""
    match = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", sequence)
    assert match is not None
    return base64.b64decode(match[1]).decode()


def test_the_terminal_is_asked_with_the_text_as_it_is() -> None:
    sent: list[str] = []
    copy(TEXT, sent.append, XTERM)
    assert [decoded(each) for each in sent] == [TEXT]


def test_tmux_is_asked_itself_and_to_let_it_through() -> None:
    sent: list[str] = []
    copy(TEXT, sent.append, {**XTERM, "TMUX": "/nowhere/socket,1,0", "PATH": "/nowhere"})
    plain, wrapped = re.fullmatch(r"(\x1b\]52.*?\x07)\x1bPtmux;(.*)\x1b\\", sent[0], re.DOTALL).groups()  # type: ignore[union-attr] # or it fails
    assert decoded(plain) == decoded(wrapped.replace("\x1b\x1b", "\x1b")) == TEXT


def test_screen_gets_it_in_parts_that_it_passes_on() -> None:
    sent: list[str] = []
    text = TEXT * 300
    copy(text, sent.append, {"TERM": "screen-256color"})
    parts = re.findall(r"\x1bP(.*?)\x1b\\", sent[0], re.DOTALL)
    assert len(parts) > 5
    assert all(len(part) <= 768 for part in parts)
    assert "".join(f"\x1bP{part}\x1b\\" for part in parts) == sent[0]
    assert decoded("".join(parts)) == text


def test_a_text_too_long_for_the_terminal_is_not_sent() -> None:
    sent: list[str] = []
    with pytest.raises(ClipboardError, match="80,000 bytes") as caught:
        copy("x" * 80_000, sent.append, XTERM)
    assert "/export" in caught.value.hint
    copy("x" * 75_000, sent.append, XTERM)
    assert len(sent) == 1


@pytest.mark.parametrize("environment", [{}, {"TERM": "dumb"}, {"TERM": "linux"}])
def test_no_clipboard_within_reach(environment: dict[str, str]) -> None:
    def never(sequence: str) -> None:
        raise AssertionError("this terminal would show it")

    with pytest.raises(ClipboardError, match="no clipboard"):
        copy("x", never, environment)
    with pytest.raises(ClipboardError, match="no clipboard"):
        copy("x", None, XTERM)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that write their input into a file named after them; where they are."""
    for name in ("xclip", "xsel", "wl-copy", "tmux"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\n/bin/cat > "{tmp_path}/{name}.got"\n')
        program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_a_display_at_this_machine_is_a_second_way(installed: Path) -> None:
    sent: list[str] = []
    copy(TEXT, sent.append, {**XTERM, "DISPLAY": ":0"})
    assert (installed / "xclip.got").read_text() == TEXT
    assert len(sent) == 1
    copy("x" * 200_000, None, {**XTERM, "WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"})
    assert len((installed / "wl-copy.got").read_text()) == 200_000


def test_over_ssh_only_what_is_the_persons(installed: Path) -> None:
    far = {**XTERM, "SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}
    assert programs({**far, "DISPLAY": ":0"}) == []
    assert programs({**far, "WAYLAND_DISPLAY": "wayland-0"}) == []
    assert programs({**far, "DISPLAY": "localhost:10.0"}) == [["xclip", "-selection", "clipboard"]]
    (installed / "xclip").unlink()
    assert programs({**far, "DISPLAY": "localhost:10.0"}) == [["xsel", "--clipboard", "--input"]]


def test_tmux_takes_the_text_itself(installed: Path) -> None:
    sent: list[str] = []
    copy(TEXT, sent.append, {**XTERM, "TMUX": "x", "SSH_TTY": "y"})
    assert (installed / "tmux.got").read_text() == TEXT
    assert sent == []


def test_a_program_that_hangs_or_fails_is_left(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "PATIENCE_S", 0.1)
    (installed / "xclip").write_text("#!/bin/sh\nexec /bin/sleep 5\n")
    (installed / "tmux").write_text("#!/bin/sh\nexit 1\n")
    sent: list[str] = []
    copy(TEXT, sent.append, {**XTERM, "TMUX": "x", "DISPLAY": ":0"})
    assert len(sent) == 1
    assert os.environ["PATH"] == str(installed)
