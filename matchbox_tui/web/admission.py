"""Who is let in: our own page, under a name that no stranger can have pointed here."""

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.ASCII)


class Admission:
    """Looks at the headers `Host` and `Origin`, which no page can have a browser forge.

    Any site may have its visitors' browsers open a WebSocket to this machine, and any site may
    let its own name lead here. The first shows in `Origin`, the second in `Host`.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        """`names` are this server's, beside the machine's own."""
        self._names = {name.lower() for name in ("localhost", socket.gethostname(), *names) if name}

    def knows_host(self, hosts: Sequence[str]) -> bool:
        """Whether a request's `Host` headers name this server.

        An address does, whichever it is: a name can be made to lead here, an address can't. The
        port may be another one, as it is behind a forwarded port.
        """
        if len(hosts) != 1 or not (found := _HOST.fullmatch(hosts[0].lower())):
            return False
        name = found["name"]
        return name in self._names or _is_address(name)

    def knows_page(self, hosts: Sequence[str], origins: Sequence[str]) -> bool:
        """Whether a request comes from our page.

        Every browser names the origin of a page that opens a WebSocket. What names none is no
        browser, and has the command line and the API to trade with.
        """
        if not self.knows_host(hosts) or len(origins) != 1:
            return False
        # A proxy in front may speak TLS with the browser.
        return origins[0].lower() in {f"{scheme}://{hosts[0].lower()}" for scheme in _SCHEMES}


_SCHEMES = ("http", "https")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name[1:-1] if name.startswith("[") else name)
    except ValueError:
        return False
    return True
