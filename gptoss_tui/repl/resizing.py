"""An application that finds what it has drawn again after the window was made narrower.

prompt_toolkit moves up by as many rows as it drew. Most of today's terminals break rows anew that are wider than the
window has become, so more rows than that lie above the cursor; what is left of them would stay in the scrollback.
"""

from __future__ import annotations

from collections.abc import Mapping

from prompt_toolkit.application import Application

_BY_VARIABLE = ("TMUX", "VTE_VERSION", "KITTY_WINDOW_ID", "WEZTERM_PANE", "ITERM_SESSION_ID", "KONSOLE_VERSION")
_BY_NAME = ("iterm", "apple_terminal", "ghostty", "kitty", "wezterm", "vscode", "alacritty", "foot")


def breaks_rows_anew(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is known to; xterm, screen and mosh do not."""
    if "STY" in environment or "MOSH_CONNECTION" in environment:
        return False
    names = " ".join(environment.get(name, "") for name in ("TERM_PROGRAM", "LC_TERMINAL", "TERM")).lower()
    return any(environment.get(name) for name in _BY_VARIABLE) or any(name in names for name in _BY_NAME)


class ResizingApplication(Application[None]):
    """Set `breaks_anew` where the terminal does."""

    breaks_anew = False

    def _on_resize(self) -> None:
        if self.breaks_anew and (rows := self._more_rows()) > 0:
            self.output.cursor_up(rows)
        super()._on_resize()

    def _more_rows(self) -> int:
        """Rows between the first drawn one and the cursor that were not there when they were drawn."""
        screen = self.renderer.last_rendered_screen
        if screen is None:
            return 0
        columns = max(1, self.output.get_size().columns)
        cursor = screen.get_cursor_position(self.layout.current_window)
        more = cursor.x // columns
        for y in range(cursor.y):
            row = screen.data_buffer[y]
            wide = max(
                (x + cell.width for x, cell in row.items() if cell.char.strip() or "bg:" in cell.style), default=1
            )
            more += (wide - 1) // columns
        return more
