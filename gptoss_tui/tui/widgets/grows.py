"""A part of the conversation that grows while the model writes, and never scrolls by itself."""

from __future__ import annotations

from textual.geometry import Size
from textual.reactive import Reactive
from textual.widget import Widget


class Grows(Widget):
    """Put it before the other base class.

    Textual lays everything out anew when a widget's size has changed, for the scrollbars that it may need then. Without
    any, that doubles the work for each few lines of an answer.
    """

    virtual_size = Reactive(Size(0, 0), layout=False)
