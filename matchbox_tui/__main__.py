"""``python -m matchbox_tui`` is the ``matchbox`` command."""

from matchbox_tui.cli import main

if __name__ == "__main__":
    main()
