"""An app in the colours of a theme: the shipped ones and a person's own, chosen, previewed and kept."""

from __future__ import annotations

from textual.app import App
from textual.theme import Theme as TextualTheme

from gptoss_tui.errors import GptOssError
from gptoss_tui.themes import Theme, broken_themes, default_theme, shipped_themes, theme_named, themes_with
from gptoss_tui.tui.fewcolours import FewColours
from gptoss_tui.tui.options import TuiOptions
from gptoss_tui.tui.screens.themes import ThemeScreen
from gptoss_tui.tui.terminal import BackgroundTold
from gptoss_tui.tui.theming import textual_theme
from gptoss_tui.visible import visible


class ThemedApp(App[None]):
    """Draws in one of `themes`."""

    def __init__(self, options: TuiOptions) -> None:
        """Raises `ThemeError` for a name that is none."""
        folder = options.themes_folder
        self.themes, broken = themes_with(folder) if folder is not None else (shipped_themes(), ())
        self.broken_themes = broken_themes(broken)
        """Lines on a person's own themes that cannot be used."""
        chosen = theme_named(options.theme, self.themes) if options.theme else default_theme(options.light)
        self._drawn_themes: dict[str, TextualTheme] = {}
        super().__init__()
        self.keymap = options.keymap
        for theme in self.themes.values():
            self.register_theme(textual_theme(theme))
        all_themes = super().available_themes
        self._drawn_themes = {name: all_themes[name] for name in self.themes}
        self._colours = 0 if self.no_color else options.colours
        self._theme_is_chosen = options.theme is not None
        self._keep_theme = options.keep_theme
        self.show_theme(chosen)

    @property
    def available_themes(self) -> dict[str, TextualTheme]:
        """Ours alone: Textual's own lack the roles that the panes are drawn with."""
        # Textual asks for them with every line that it draws. None of ours is there yet while it sets itself up.
        return self._drawn_themes or super().available_themes

    def show_theme(self, theme: Theme) -> None:
        """Draws in this theme from now on."""
        if self._colours in (0, 16):
            self._filters = [FewColours(theme, self._colours)]
        self.theme = theme.name

    def on_background_told(self, event: BackgroundTold) -> None:
        """Where nobody has chosen a theme, it suits the terminal's background."""
        if not self._theme_is_chosen:
            self.show_theme(default_theme(event.light))

    def use_theme(self, name: str) -> None:
        """Draws in the theme of this name. Raises `ThemeError`."""
        self._theme_is_chosen = True
        self.show_theme(theme_named(name, self.themes))

    def action_themes(self) -> None:
        """Chooses the theme."""
        self.push_screen(ThemeScreen(self.themes, self.keymap, self.use_theme, self._keep))

    def _keep(self, name: str) -> None:
        try:
            kept = self._keep_theme(name) if self._keep_theme is not None else "Nothing can be kept here."
        except GptOssError as fault:
            self.notify(visible(f"{fault.message}\n{fault.hint}".strip()), severity="error", markup=False)
        else:
            self.notify(visible(kept), markup=False)
