"""Names as they are written down beside the journal."""


def clean(text: str) -> str:
    """Text that a database takes: PostgreSQL knows no NUL, which anybody may put into a name."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}") if "\0" in text else text
