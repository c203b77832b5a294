"""A sign of life to a service outside, such as healthchecks.io, which tells somebody when it stays away."""

from typing import Final

import httpx

from alerts.errors import ChannelError, InvalidAlert

TIMEOUT_S: Final = 10.0


class Heartbeat:
    """GETs *url*, the operator's own: any address is allowed, and no redirect is followed.

    There is no message of failure such as `<url>/fail`: who stalls may be unable to send it, so silence is the signal,
    and one signal that always works is better than two.

    Raises:
        InvalidAlert: *url* is no http(s) address.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = _address(url)
        self._http = httpx.Client(timeout=timeout_s, trust_env=False, follow_redirects=False)

    @property
    def host(self) -> str:
        """Return the host alone: the path of such an address is its secret."""
        return self._url.host

    def beat(self) -> None:
        """Send one sign of life.

        Raises:
            ChannelError: the service could not be reached or did not answer 2xx.
        """
        try:
            # the answer's body is never read: a service could make it endless
            with self._http.stream("GET", self._url) as answer:
                status = answer.status_code
        except httpx.HTTPError as error:
            raise ChannelError(f"cannot reach {self.host}: {error or type(error).__name__}", permanent=False) from error
        if not 200 <= status < 300:
            hint = "; redirects are not followed, write the final address" if 300 <= status < 400 else ""
            raise ChannelError(f"{self.host} answered {status}{hint}", permanent=300 <= status < 500)

    def close(self) -> None:
        self._http.close()


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidAlert(f"the heartbeat's URL cannot be read ({error}); write https://host/path") from error
    if address.scheme not in ("http", "https") or not address.host:
        raise InvalidAlert("the heartbeat's URL must start with http:// or https:// and name a host")
    return address
