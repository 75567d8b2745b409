"""The key bar: what can be done here and by which key, the most useful first, as many as fit. Clickable."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from gptoss_tui.tui.actions import NO_KEY


class KeyBar(Widget):
    """#keys: made of the real bindings, so a remapped key is shown as it is."""

    ALLOW_SELECT = False

    def __init__(self, offers: Callable[[str], bool]) -> None:
        """`offers` says whether an action would do anything now."""
        super().__init__(id="keys")
        self._offers = offers
        self._shown: list[tuple[int, int, Binding]] = []

    def on_mount(self) -> None:
        """Follows the focus: other widgets, other keys."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, _screen: Screen[object]) -> None:
        self.refresh()

    def _offered(self) -> list[Binding]:
        active = self.screen.active_bindings.values()
        shown: dict[str, Binding] = {}
        for _node, binding, enabled, _tooltip in active:
            action = binding.action.removeprefix("app.")
            if binding.show and binding.key != NO_KEY and enabled and self._offers(action):
                shown.setdefault(action, binding)
        return list(shown.values())

    def render(self) -> Content:
        """As many keys as fit, each whole."""
        width = self.size.width
        self._shown = []
        parts: list[tuple[str, str] | str] = [" "]
        at = 1
        for binding in self._offered():
            key = self.app.get_key_display(binding)
            cells = cell_len(key) + 1 + cell_len(binding.description) + 3
            if at + cells - 2 > width:
                continue
            parts += [(key, "$accent"), " ", (binding.description, "$muted"), "   "]
            self._shown.append((at, at + cells - 3, binding))
            at += cells
        return Content.assemble(*parts)

    async def on_click(self, event: events.Click) -> None:
        """Does what the key would do."""
        for left, right, binding in self._shown:
            if left <= event.x < right:
                self.app.simulate_key(binding.key)
                return

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The sentence behind the word under the mouse."""
        under = [binding for left, right, binding in self._shown if left <= event.x < right]
        self.tooltip = under[0].tooltip if under else None
