"""What every figure on the screen means, two sentences each. Text only."""

from __future__ import annotations

FIGURES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "status": (
        "Status",
        (
            (
                "tok/s",
                "Tokens a second over the last second of writing, or of reading the prompt. The bars beside it are the "
                "last five seconds in half-second steps, scaled to the fastest.",
            ),
            (
                "mean · first token",
                "The mean counts all tokens of the answer after its first. First token is the time from sending to "
                "the first token, reading the prompt included.",
            ),
            (
                "private · not saved",
                "Private: nothing of this talk touches the disk (--no-save). Not saved: it cannot be, for now; a click "
                "says why, and as soon as it can, all of it is saved.",
            ),
            (
                "bit",
                "Bits per weight in the checkpoint's files, quantisation scales included. Fewer bits are read faster "
                "and need less memory.",
            ),
        ),
    ),
    "layers": (
        "Layers",
        (
            (
                "mode",
                "A full layer attends to the whole context, a sliding one to its window of the newest tokens. "
                "gpt-oss alternates the two, sliding first.",
            ),
            (
                "bar · sees",
                "The bar is the context, oldest left; the filled part is what the next token attends to in this layer. "
                "“sees 128 of 3,412” says the same in tokens.",
            ),
            (
                "bytes",
                "Keys and values that this layer's attention needs now. A sliding layer stops growing once its window "
                "is full.",
            ),
        ),
    ),
    "kv": (
        "KV cache",
        (
            (
                "sliding · full",
                "Bytes of keys and values, summed over the layers of each kind. The bars share one scale: solid is "
                "needed now, dim is history, the thin line is allocated ahead.",
            ),
            (
                "history",
                "Older rows of sliding layers, which attention no longer reads. They are kept so that an edit, a retry "
                "or the next turn can go back without reading the prompt again.",
            ),
            (
                "kept",
                "What going back and elsewhere may take: history, pins (copies of the rows before the places that are "
                "likely to be gone back to) and branches that were left. The least useful goes first when the budget, "
                "conversation.history-mib in config.toml, is used up.",
            ),
            (
                "context",
                "Tokens in the cache of those the model was made for. When none is left, the answer stops and says so.",
            ),
        ),
    ),
    "tokens": (
        "Tokens",
        (
            (
                "colour",
                "How much the token surprised the model: each colour is two more bits, from expected to hardly "
                "expected. Special tokens have a colour of their own.",
            ),
            (
                "#, token, id",
                "Position in the context, the piece as it is, and its number in the vocabulary. ⏎ is a line end, ⇥ a "
                "tab, \\xNN a byte that is only part of a character.",
            ),
            (
                "p · T",
                "The token's probability in the model's own distribution before any filter, and the temperature that "
                "chose it. ◂ marks the first token chosen with changed parameters.",
            ),
        ),
    ),
    "sampling": (
        "Sampling",
        (
            (
                "temperature",
                "Divides the logits: below 1 the likely becomes likelier, above 1 the unlikely does. At 0 the "
                "likeliest token is always taken.",
            ),
            (
                "top-p · top-k · min-p",
                "Three ways to drop unlikely tokens: by the mass of the likeliest, by their number, by their share of "
                "the likeliest. Off keeps all.",
            ),
            (
                "repetition",
                "Makes tokens among the last 20 less likely, above 1. Code and lists need repetition, so 1 is the "
                "default.",
            ),
            (
                "live",
                "A knob turned while the model writes holds from the next token on. The token pane marks the place.",
            ),
        ),
    ),
}
"""By topic: the pane's name, then (figure, what it means)."""
