"""What stays at the bottom of the REPL's terminal: the row being written, the prompt, a line of figures."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, has_focus, is_done
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import (
    AppendAutoSuggestion,
    ConditionalProcessor,
    HighlightIncrementalSearchProcessor,
    HighlightSelectionProcessor,
)
from prompt_toolkit.widgets import SearchToolbar

PROMPT_ROWS = 10
"""The most rows of a prompt that are shown at once."""
MENU_ROWS = 6
"""Rows for completions, while there are any."""


def prompt_layout(
    buffer: Buffer, tail: Callable[[], StyleAndTextTuples], status: Callable[[], StyleAndTextTuples]
) -> Layout:
    """The layout; `tail` and `status` are asked at each draw."""
    search = SearchToolbar(ignore_case=True, forward_search_prompt="search: ", backward_search_prompt="search back: ")
    control = BufferControl(
        buffer=buffer,
        search_buffer_control=search.control,
        preview_search=True,
        include_default_input_processors=False,
        input_processors=[
            HighlightIncrementalSearchProcessor(),
            HighlightSelectionProcessor(),
            ConditionalProcessor(AppendAutoSuggestion(), has_focus(buffer) & ~is_done),
        ],
    )

    def height() -> Dimension:
        menu = buffer.complete_state
        room = min(MENU_ROWS, len(menu.completions)) if menu is not None else 0
        return Dimension(min=1 + room, max=PROMPT_ROWS + room)

    prompt = Window(
        control,
        height=height,
        wrap_lines=True,
        dont_extend_height=True,
        get_line_prefix=lambda line, wrapped: [("class:prompt", "> " if line == wrapped == 0 else "  ")],
    )
    being_written = ConditionalContainer(
        Window(FormattedTextControl(tail), dont_extend_height=True), Condition(lambda: bool(tail())) & ~is_done
    )
    figures = Window(FormattedTextControl(status), height=1)
    return Layout(
        FloatContainer(
            HSplit(
                [
                    being_written,
                    ConditionalContainer(prompt, ~is_done),
                    ConditionalContainer(search, ~is_done),
                    ConditionalContainer(figures, ~is_done),
                ]
            ),
            [Float(CompletionsMenu(max_height=MENU_ROWS, scroll_offset=1), xcursor=True, ycursor=True)],
        ),
        prompt,
    )
