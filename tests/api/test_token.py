"""The token of the API: who carries it, and who does not."""

import pytest

from matchbox_tui.api.token import token_matches


@pytest.mark.parametrize(
    "header", [b"Bearer s3cret", b"bearer s3cret", b"BEARER  s3cret", b" Bearer s3cret "]
)
def test_a_header_with_the_token(header: bytes) -> None:
    assert token_matches(header, "s3cret")


@pytest.mark.parametrize(
    "header",
    [None, b"", b"s3cret", b"Basic s3cret", b"Bearer", b"Bearer s3cre", b"Bearer s3cret2", b"\xff"],
)
def test_a_header_without_it(header: bytes | None) -> None:
    assert not token_matches(header, "s3cret")


def test_a_token_beyond_ascii() -> None:
    assert token_matches("Bearer schlüssel".encode(), "schlüssel")
    assert not token_matches(b"Bearer schl\xfcssel", "schlüssel")


def test_without_a_token_everybody_may_in() -> None:
    assert token_matches(None, "")
