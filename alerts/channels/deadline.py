"""An end to conversations: timeouts of sockets count from byte to byte, a receiver that drips could go on for days."""

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

_CONNECTED: Final = "connection.connect_tcp.complete"


class Deadline:
    """Shuts the watched connection down when *seconds* have passed since it was entered."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._connection: socket.socket | None = None
        self.passed = False

    def watch(self, connection: socket.socket) -> None:
        """Watch *connection*; TLS may wrap it later."""
        self._forget()
        self._connection = connection.dup()  # the same connection, also after TLS has taken the socket over
        if self.passed:
            self._end()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Watch the connection of an httpx request whose extension "trace" this is."""
        if event == _CONNECTED:
            self.watch(info["return_value"].get_extra_info("socket"))

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        self._forget()

    def _end(self) -> None:
        self.passed = True
        if self._connection is not None:
            with suppress(OSError):  # the other side was faster
                self._connection.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
