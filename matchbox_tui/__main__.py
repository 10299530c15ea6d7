"""``python -m matchbox_tui`` is the ``matchbox`` command."""

from matchbox_tui.entry import main

if __name__ == "__main__":
    main()
