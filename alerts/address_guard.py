"""Where messages may go: addresses of this machine and its network are refused unless the operator allows them.

An address is resolved once, checked, and that very address is connected to: a name that changes its answer between
check and connection gains nothing.
"""

import socket
import ssl
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

import httpx

from alerts.errors import AlertError

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Sequence[str]]

_NAT64: Final = IPv6Network("64:ff9b::/96")
_CONNECT_FAILURES: Final = (httpx.ConnectError, httpx.ConnectTimeout)


class ForbiddenAddress(AlertError):  # noqa: N818 - the name already says what is wrong
    """A host resolves to an address that messages may not go to."""


class UnknownHost(AlertError):  # noqa: N818 - the name already says what is wrong
    """A host has no address, now."""


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of *host*, in the order in which the system wants them tried.

    Raises:
        OSError: it has none.
    """
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


class AddressGuard:
    """Resolves hosts and refuses what is not public, unless *allow_private*."""

    def __init__(self, *, allow_private: bool = False, resolver: Resolver = resolve) -> None:
        self._allow_private = allow_private
        self._resolver = resolver

    def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses to connect to, in order.

        Raises:
            UnknownHost: *host* has no address.
            ForbiddenAddress: one of its addresses is not public: a host that has both is not to be trusted.
        """
        try:
            found = tuple(self._resolver(host, port))
        except (OSError, UnicodeError) as error:
            raise UnknownHost(f"{host} has no address: {error}") from error
        if not found:
            raise UnknownHost(f"{host} has no address")
        for address in found:
            if not self._allow_private and not is_public(address):
                raise ForbiddenAddress(
                    f"{host} is {address}, which is not a public address; if messages may go there, "
                    "set allow_private_addresses: true"
                )
        return found


def is_public(address: str) -> bool:
    """Return whether *address* can be reached by anyone: not private, of this machine, link-local, or reserved.

    >>> [is_public(a) for a in ("1.1.1.1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "64:ff9b::a00:1")]
    [True, False, False, False, False]
    """
    parsed = _embedded(ip_address(address.partition("%")[0]))
    if isinstance(parsed, IPv6Address) and parsed.is_site_local:
        return False
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified)


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address leads to, if it is of that kind."""
    if not isinstance(address, IPv6Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


class GuardedTransport(httpx.BaseTransport):
    """Connects to an address that *guard* has checked; TLS and the Host header keep the name.

    Raises:
        ForbiddenAddress, UnknownHost: as the guard does.
    """

    def __init__(self, guard: AddressGuard, *, tls: ssl.SSLContext | None = None) -> None:
        # no connection is kept: messages are rare, and a connection that was closed in between would cost one
        limits = httpx.Limits(max_keepalive_connections=0)
        # trust_env=False: a proxy meant for the outside must not swallow messages to a local receiver
        self._transport = httpx.HTTPTransport(
            verify=tls or httpx.create_ssl_context(trust_env=False), trust_env=False, limits=limits
        )
        self._guard = guard

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host, port = request.url.host, request.url.port or {"https": 443}.get(request.url.scheme, 80)
        *others, last = self._guard.addresses(host, port)
        for address in others:
            try:
                return self._transport.handle_request(_pinned(request, address))
            except _CONNECT_FAILURES:
                continue  # a machine without IPv6 still reaches the host by its next address
        return self._transport.handle_request(_pinned(request, last))

    def close(self) -> None:
        self._transport.close()


def _pinned(request: httpx.Request, address: str) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=dict(request.extensions) | {"sni_hostname": request.url.host},
    )
