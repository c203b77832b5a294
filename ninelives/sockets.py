"""Listening sockets, bound before anything else starts, so that a port in use is one clear line."""

import socket

from ninelives.settings import Address


class PortInUseError(Exception):
    """An address cannot be listened on; the message names the flag that chooses another."""


def bind(address: Address, flag: str) -> socket.socket:
    """Return a listening socket on *address*; *flag* is the option that chooses another.

    Raises:
        PortInUseError: somebody listens there, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # the protocol is named because asyncio turns Nagle's delay off only for sockets that say TCP
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((address.host, address.port))
        found.listen(2048)
    except OSError as error:
        found.close()
        raise PortInUseError(f"cannot listen on {address} ({error.strerror}); choose another with {flag}") from error
    found.setblocking(False)
    return found


def require_free(address: Address, flag: str) -> None:
    """Raise PortInUseError when a child could not listen on *address*."""
    bind(address, flag).close()
