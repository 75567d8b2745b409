"""Checkpoints on disk: where they are, and the one that comes with the program. Knows no front end."""
