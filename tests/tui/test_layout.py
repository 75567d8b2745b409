"""Nothing is cut off and nothing overlaps, at any size, in any state."""

from __future__ import annotations

import threading
import time

import pytest
from rich.cells import cell_len
from textual.widget import Widget

from gptoss_tui.tui.widgets.panel import Panel
from tests.tui.pilots import SIZES, Driven, driven
from tests.tui.scripted import Script, ScriptedOpener, words

ANSWER = "Computers use **qubits**.\n\n- one\n- two\n\n```python\nprint('a long line of code ' * 10)\n```\n\nDone."


def _shown(widget: Widget) -> bool:
    return all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget))


def _leaves(test: Driven) -> list[Widget]:
    main = test.main
    ends = (main.query_one("#promptbar"), main.keybar, main.query_one("#toosmall"))
    return [widget for widget in (main.status, main.chat, *main.panels, *ends) if _shown(widget)]


def _faults(test: Driven, size: tuple[int, int]) -> list[str]:
    leaves = _leaves(test)
    screen = test.app.screen.region
    faults = [f"{widget} at {widget.region}" for widget in leaves if not screen.contains_region(widget.region)]
    faults += [f"{widget} has no room" for widget in leaves if not widget.region.area]
    faults += [
        f"{widget} lies over {other}"
        for at, widget in enumerate(leaves)
        for other in leaves[at + 1 :]
        if widget.region.overlaps(other.region)
    ]
    if sum(widget.region.area for widget in leaves) != size[0] * size[1]:
        faults.append("not every cell belongs to a pane")
    if [cell_len(line) for line in test.screen_lines()] != [size[0]] * size[1]:
        faults.append("lines have another width than the screen")
    return faults


async def check(test: Driven, size: tuple[int, int]) -> None:
    """Regions lie on the screen and apart, and fill it; lines have its width."""
    deadline = time.monotonic() + 10
    while faults := _faults(test, size):
        assert time.monotonic() < deadline, faults
        await test.pilot.pause(0.01)


async def focused(test: Driven, widget: Widget) -> None:
    """Waits for the focus."""
    await test.until(lambda: test.app.focused is widget)


async def _settled(test: Driven, size: tuple[int, int]) -> None:
    await test.until(lambda: tuple(test.app.screen.region.size) == size)
    await test.pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_state_fits(size: tuple[int, int]) -> None:
    hold = threading.Event()
    thinking = words("Keep it short and simple.", "analysis")
    opener = ScriptedOpener(Script(thinking + words(ANSWER), hold=hold, prompt_tokens=3_412), at_once=False)
    async with driven(opener, size=size, loaded=False) as test:
        await test.until(lambda: "43 %" in test.screen_lines()[0])
        await check(test, size)
        opener.let.set()
        await test.phase("idle")
        await test.ask("Explain quantum computing in simple terms.")
        await test.phase("writing")
        await test.until(lambda: "writing" in test.screen_lines()[0] and "tok/s" in test.screen_lines()[0])
        await check(test, size)
        for pane in test.main.panels:
            test.main.go_to(pane.id or "")
            await focused(test, pane)
            await check(test, size)
            test.main.go_to(pane.id or "")
            await focused(test, test.main.prompt)
        hold.set()
        await test.phase("idle")
        await test.pilot.press("alt+up")
        await test.until(lambda: test.main.chat.selected is not None or not test.main.chat.display)
        await check(test, size)
        test.main.chat.action_do("edit")
        await test.until(lambda: test.main.mover.editing is not None)
        await test.until(lambda: "prefills 10" in test.text_of("#promptbar"))
        await check(test, size)
        assert "esc cancels" in test.text_of("#promptbar")
        await test.pilot.press("escape")
        await test.until(lambda: test.main.mover.editing is None)
        await test.pilot.press("slash")
        await test.until(lambda: test.main.suggestions.display)
        await test.pilot.pause()
        await check(test, size)


async def test_resizing_is_live_and_ends_where_it_began() -> None:
    async with driven(size=(120, 36)) as test:
        await test.ask("hello")
        await test.phase("idle")
        for size in (*SIZES, (59, 40), (79, 16), (130, 20), (300, 15), (120, 36)):
            await test.pilot.resize_terminal(*size)
            await _settled(test, size)
            await check(test, size)


async def test_a_window_too_small_says_so_and_comes_back() -> None:
    async with driven(size=(38, 10)) as test:
        assert any("40×12" in line for line in test.screen_lines())
        await test.pilot.resize_terminal(40, 12)
        await _settled(test, (40, 12))
        await check(test, (40, 12))
        assert test.app.focused is test.main.prompt


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_bars_show_whole_words_only(size: tuple[int, int]) -> None:
    async with driven(size=size) as test:
        await test.ask("hello")
        await test.phase("idle")
        await test.pilot.pause()
        status = test.screen_lines()[0]
        assert "○ idle" in status
        assert "mean" in status
        if test.main.keybar.display:
            titles = {binding.description for binding in (b.binding for b in test.app.screen.active_bindings.values())}
            for entry in test.screen_lines()[-1].strip().split("   "):
                assert entry.split(" ", 1)[1] in titles


async def test_the_instruments_can_be_put_away_and_swapped_in() -> None:
    async with driven(size=(120, 36)) as test:
        instruments = test.main.query_one("#instruments")
        await test.pilot.press("ctrl+o")
        assert not instruments.display
        await check(test, (120, 36))
        await test.pilot.press("ctrl+o")
        await test.until(lambda: instruments.display)
        await test.pilot.resize_terminal(50, 14)
        await _settled(test, (50, 14))
        assert not instruments.display
        await test.pilot.press("ctrl+o")
        await test.until(lambda: instruments.display and not test.main.chat.display)
        await check(test, (50, 14))


async def test_one_pane_at_a_time_names_the_others() -> None:
    async with driven(size=(80, 24)) as test:
        shown = [pane for pane in test.main.panels if pane.display]
        assert shown == [test.main.layers_pane]
        await test.pilot.click(Panel, offset=(13, 0))
        await test.until(lambda: test.main.kv.display)
        assert test.app.focused is test.main.kv


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_lists_fit_on_sheets_of_every_size(size: tuple[int, int]) -> None:
    async with driven(size=size) as test:
        test.main.prompt.prompts.prompts[:] = [f"prompt {at} " + "word " * 40 for at in range(30)]
        await test.pilot.press("ctrl+r")
        await test.until(lambda: test.app.screen.query("#history-found"))
        await test.until(lambda: "prompt 29" in test.text_of("#history-found"))
        sheet = test.app.screen.query_one("#history")
        assert test.app.screen.region.contains_region(sheet.region)
        assert test.app.screen.query_one("#history-found").region.height >= 3
        assert [cell_len(line) for line in test.screen_lines()] == [size[0]] * size[1]
