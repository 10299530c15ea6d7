"""Who is let in, by name and by page."""

import socket

import pytest

from matchbox_tui.web import Admission


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:8000", "127.0.0.1", "localhost:8000", "LocalHost:9000", "192.168.1.9:8000"),
        *("[::1]:8000", "[::1]", "[fe80::1]:8000", "box.lan:8000", "BOX.LAN"),
        f"{socket.gethostname()}:8000",
    ],
)
def test_our_names_and_any_address(host: str) -> None:
    admission = Admission(("Box.lan",))
    assert admission.knows_host([host])
    for scheme in ("http", "https"):
        assert admission.knows_page([host], [f"{scheme}://{host}"])
        assert admission.knows_page([host], [f"{scheme}://{host.lower()}"])


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "127.0.0.1.evil.example:8000", "box.lan.evil"),
        *(
            "",
            ":8000",
            "localhost:",
            "localhost:x",
            "localhost:800000",
            "localhost.",
            "a@localhost",
        ),
        *("[::1", "[localhost]", "::1", "127.0.0.1, localhost", "localhost\n", "127.1", "0x7f.1"),
        *("2130706433", "١٢٧.0.0.1"),
    ],
)
def test_a_name_that_anybody_may_have_pointed_here(host: str) -> None:
    admission = Admission(("box.lan", ""))
    assert not admission.knows_host([host])
    assert not admission.knows_page([host], [f"http://{host}"])


def test_one_host_exactly() -> None:
    admission = Admission()
    assert not admission.knows_host([])
    assert not admission.knows_host(["localhost", "localhost"])


@pytest.mark.parametrize(
    "origins",
    [
        *([], [""], ["null"], ["file://"], ["http://evil.example"], ["http://127.0.0.1"]),
        *(["http://127.0.0.1:8001"], ["http://localhost:8000"], ["http://127.0.0.1:8000/"]),
        *(["http://127.0.0.1:8000.evil.example"], ["ftp://127.0.0.1:8000"], ["127.0.0.1:8000"]),
        ["http://127.0.0.1:8000", "http://127.0.0.1:8000"],
    ],
)
def test_a_page_that_is_not_ours(origins: list[str]) -> None:
    assert not Admission().knows_page(["127.0.0.1:8000"], origins)
