"""Whatever a model writes stays text inside its pane."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from gptoss_tui.harmony.messages import Channel
from gptoss_tui.tui.widgets.answer import Answer, Whole
from tests.tui.pilots import driven
from tests.tui.scripted import Script, ScriptedOpener

ATTACKS = {
    "csi": "a\x1b[2J\x1b[31mred\x1b[0m",
    "osc": "\x1b]52;c;aGk=\x07\x1b]8;;http://x\x1b\\link",
    "c1": "\x9b2J\x90dcs\x9c \x85next",
    "c0": "".join(map(chr, range(32))) + "\x7f",
    "markup": "[bold red]x[/] [@click=app.quit]y[/] [/nonsense] $error",
    "html": "<script>alert(1)</script> <b>bold</b>",
    "bidi": "\u202eabc\u202c \u2066x\u2069",
    "marks": "z" + "\u0301" * 5_000 + "end",
    "joiners": "\u200b" * 5_000 + "end",
    "long": "x" * 100_000,
    "wide": "字" * 500,
    "fence": "```\x1b[31m\n\x1b]0;title\x07\n",
    "table": "| a |\n|---|\n" + "| \x1b[5m |\n" * 50,
    "unfinished": "**bold `code [link](http://",
}


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("channel", ["final", "analysis"])
async def test_an_attack_stays_in_its_pane(name: str, channel: Channel) -> None:
    text = ATTACKS[name]
    # Cut in pieces of seven, as tokens would cut it, so that sequences are split.
    pieces: list[tuple[Channel | None, str]] = [(channel, text[at : at + 7]) for at in range(0, len(text), 7)]
    async with driven(ScriptedOpener(Script(pieces)), size=(80, 24)) as test:
        await test.ask("attack")
        await test.phase("idle")
        if channel == "analysis":
            await test.pilot.press("alt+t")
        test.main.go_to("tokens")
        await test.pilot.pause()
        lines = test.screen_lines()
        assert [cell_len(line) for line in lines] == [80] * 24
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "".join(lines))
        assert "idle" in lines[0]
        written = test.main.chat.turns[0]
        assert (written.answer if channel == "final" else written.thinking[0].text) == text


async def test_tags_and_markup_are_text() -> None:
    text = "[bold]not bold[/] <b>tag</b> [@click=app.quit]no link[/]"
    async with driven(ScriptedOpener(Script([("final", text)]))) as test:
        await test.ask("write")
        await test.phase("idle")
        await test.until(lambda: "<b>tag</b>" in test.text_of("#chat"))
        assert "[bold]not bold[/]" in test.text_of("#chat")
        assert test.app.is_running


async def test_links_are_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    async with driven(ScriptedOpener(Script([("final", "[here](http://example.org)")]))) as test:
        monkeypatch.setattr(test.app, "open_url", lambda url, **_: opened.append(url))
        await test.ask("link")
        await test.phase("idle")
        await test.until(lambda: "here" in test.text_of("#chat"))
        await test.pilot.click(Answer, offset=(3, 0))
        await test.pilot.pause()
        assert opened == []


async def test_an_endless_answer_stays_lines() -> None:
    text = "> > - 1. nested **deep**\n" * 4_000
    pieces: list[tuple[Channel | None, str]] = [("final", text[at : at + 500]) for at in range(0, len(text), 500)]
    async with driven(ScriptedOpener(Script([*pieces, ("final", "\n\nthe end")]))) as test:
        await test.ask("write")
        await test.phase("idle")
        await test.until(lambda: "the end" in test.text_of("#chat"))
        assert test.main.chat.turns[0].answer == text + "\n\nthe end"
        assert not test.app.query(Whole)
