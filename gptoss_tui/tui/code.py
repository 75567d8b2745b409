"""Code in the theme's colours, by Pygments. Knows no widget."""

from __future__ import annotations

from pygments.token import Token
from textual.content import Content
from textual.highlight import HighlightTheme, highlight


class CodeTheme(HighlightTheme):
    """Pygments' tokens in the theme's `code-` roles."""

    STYLES = {  # noqa: RUF012 - declared so in the base class
        Token.Comment: "$code-comment italic",
        Token.Error: "$code-error",
        Token.Keyword: "$code-keyword",
        Token.Keyword.Type: "$code-type",
        Token.Literal.Number: "$code-number",
        Token.Literal.String: "$code-string",
        Token.Name.Attribute: "$code-function",
        Token.Name.Builtin: "$code-type",
        Token.Name.Class: "$code-type",
        Token.Name.Decorator: "$code-function",
        Token.Name.Exception: "$code-type",
        Token.Name.Function: "$code-function",
        Token.Name.Tag: "$code-keyword",
        Token.Operator: "$code-operator",
        Token.Operator.Word: "$code-keyword",
        Token.Generic.Deleted: "$code-error",
        Token.Generic.Inserted: "$code-string",
        Token.Generic.Heading: "$code-function",
    }


def highlighted(code: str, info: str) -> Content:
    """Code in the language of a fence's info string; plain where it names none, since guessing guesses wrong."""
    words = info.split()
    return highlight(code, language=words[0] if words else "text", theme=CodeTheme)
