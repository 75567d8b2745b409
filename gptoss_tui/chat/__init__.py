"""A conversation on an engine: turns, live knobs, slash commands. Knows no front end."""
