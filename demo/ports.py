import socket
from dataclasses import dataclass

from demo.errors import PortInUseError

HOST = "127.0.0.1"


_ORDER = ("gateway", "orders", "catalog", "orders-2", "item-cache")
EDGES = {"gateway-orders": "orders", "gateway-orders-2": "orders-2", "catalog-cache": "item-cache"}
"""The calls that can go through the fault daemon's proxies: edge → the instance behind it."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the instances of the services and the proxies before them listen, counted from the base port."""

    base: int

    def of(self, instance: str) -> int:
        return self.base + _ORDER.index(instance)

    def of_proxy(self, edge: str) -> int:
        """Return where the fault daemon stands in the way of `edge`."""
        return self.base + 100 + tuple(EDGES).index(edge)

    def url(self, instance: str) -> str:
        return f"http://{HOST}:{self.of(instance)}"

    def edge_url(self, edge: str, *, through_proxy: bool) -> str:
        """Return where the caller on `edge` finds the service: behind the proxy or directly."""
        return f"http://{HOST}:{self.of_proxy(edge)}" if through_proxy else self.url(EDGES[edge])


def bind(port: int) -> socket.socket:
    """Take `port` on loopback.

    Raises:
        PortInUseError: Another program has it.
    """
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((HOST, port))
    except OSError as error:
        taken.close()
        raise PortInUseError(port) from error
    return taken


def is_listening(port: int) -> bool:
    """Tell whether something accepts connections on `port` of loopback."""
    try:
        with socket.create_connection((HOST, port), timeout=0.5):
            return True
    except OSError:
        return False
