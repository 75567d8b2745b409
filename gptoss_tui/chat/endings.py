"""How an answer ended, in words, with the ways on where it ended early. Pure; knows no front end."""

from __future__ import annotations

from gptoss_tui.chat.tree import Ending


def ending_reason(ending: Ending | None, context: int) -> str:
    """Why there is no more of an answer; empty where the model ended it, and while it is written.

    `context` is what the model's context holds, in tokens.
    """
    match ending:
        case "length":
            return "Stopped at the longest answer allowed. --max-tokens allows more."
        case "context":
            return f"The context is full: {context:,} tokens. What was written is kept."
        case "interrupted":
            return "Stopped."
        case "tool_call":
            return "The model called a tool, and none is connected here."
        case "fault":
            return "A fault ended this answer. What was written is kept."
        case _:
            return ""


def ending_note(ending: Ending | None, context: int) -> str:
    """The reason, with the ways on as slash commands; empty where there is none."""
    reason = ending_reason(ending, context)
    match ending:
        case "context":
            return (
                f"{reason} Ways on: /shorten goes on without the oldest turns, /edit N asks something else further up, "
                "/clear begins a new conversation."
            )
        case "length" | "interrupted" | "fault":
            return f"{reason} /continue goes on, /retry asks again."
        case _:
            return reason
