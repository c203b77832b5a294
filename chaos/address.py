import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """Where a socket listens or connects to.

    >>> Address.parse("127.0.0.1:8091")
    Address(host='127.0.0.1', port=8091)
    >>> str(Address.parse("[::1]:80"))
    '[::1]:80'
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, *, default_host: str = "127.0.0.1") -> "Address":
        """Read `host:port`; a missing host means *default_host*.

        Raises:
            ValueError: *text* has another form.
        """
        host, separator, port = text.rpartition(":")
        if not separator or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError(f"{text!r} is not an address; write host:port, for example 127.0.0.1:8190")
        return cls(host.removeprefix("[").removesuffix("]") or default_host, int(port))

    @property
    def is_loopback(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
