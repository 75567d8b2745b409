"""`python -m gptoss_tui` is `gptoss`."""

from gptoss_tui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
