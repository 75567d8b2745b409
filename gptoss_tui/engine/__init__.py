"""The engine: tokens in, events out.

It knows no text, no conversation and no front end. Import from its modules: `events` and `params` are plain values that
any part of the program may read; the others import mlx.
"""
