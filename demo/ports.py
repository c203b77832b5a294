import socket
from dataclasses import dataclass

from demo.errors import PortInUseError

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the services listen, counted from the base port."""

    base: int

    def of(self, service: str) -> int:
        return self.base + ("gateway", "orders", "catalog").index(service)

    def url(self, service: str) -> str:
        return f"http://{HOST}:{self.of(service)}"

    @property
    def proxy(self) -> int:
        """Where the fault daemon stands between gateway and orders."""
        return self.base + 100


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
