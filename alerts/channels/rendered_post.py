"""What channels have in common that POST a rendered message to an address which is their secret."""

from collections.abc import Callable
from datetime import datetime

from alerts.address_guard import AddressGuard
from alerts.channels.http_post import TIMEOUT_S, HttpPost, utc_now
from alerts.rendering import Renderer


class RenderedPostChannel:
    """The channel *name* to *url*, within *timeout_s* a message; how it sends is up to those that extend it.

    Raises:
        InvalidAlert: *url* is no http(s) address.
    """

    def __init__(
        self,
        name: str,
        url: str,
        renderer: Renderer,
        *,
        guard: AddressGuard | None = None,
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._name = name
        self._renderer = renderer
        self._post = HttpPost(name, url, guard=guard, timeout_s=timeout_s, now=now)

    @property
    def name(self) -> str:
        return self._name

    def close(self) -> None:
        self._post.close()
