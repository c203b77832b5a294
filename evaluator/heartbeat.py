"""A sign of life each minute, while evaluation and delivery work."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.errors import ChannelError, InvalidAlert
from alerts.heartbeat import Heartbeat
from evaluator.liveness import Liveness

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HeartbeatState:
    """How the heartbeat goes. `withheld` says what stalls, "" while nothing does."""

    last_ok: datetime | None = None
    last_error: str = ""
    withheld: str = ""
    sent: int = 0
    errors: int = 0


class HeartbeatSender:
    """Sends the heartbeat, or keeps it back when something stalls: then its receiver tells somebody.

    Args:
        address: Returns the URL, "" for none, asked each time: it may change. It may raise InvalidAlert.
        liveness: Whether evaluation and delivery work.
        connect: Makes the sender to an address.
    """

    def __init__(
        self, address: Callable[[], str], liveness: Liveness, connect: Callable[[str], Heartbeat] = Heartbeat
    ) -> None:
        self.state = HeartbeatState()
        self._address = address
        self._liveness = liveness
        self._connect = connect
        self._url = ""
        self._heartbeat: Heartbeat | None = None

    def beat(self, now: datetime) -> None:
        """Send a sign of life if all works at *now*. What goes wrong is logged when it begins and when it ends."""
        try:
            heartbeat = self._connected(self._address())
            if heartbeat is None:
                self.state = HeartbeatState()
            elif self._liveness.alive_at(now) is None:
                self._withhold(self._liveness.stalled(now))
            else:
                heartbeat.beat()
                self._succeeded(heartbeat.host, now)
        except (ChannelError, InvalidAlert) as error:
            self._failed(str(error))

    def close(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.close()

    def _connected(self, url: str) -> Heartbeat | None:
        """Return the sender to *url*.

        Raises:
            InvalidAlert: it is no address.
        """
        if url != self._url:
            self.close()
            self._heartbeat = None
            self._heartbeat, self._url = (self._connect(url) if url else None), url
        return self._heartbeat

    def _withhold(self, reason: str) -> None:
        # right after the start there is nothing to tell: the first evaluation still runs
        if not self.state.withheld and self.state.sent:
            log.warning("the heartbeat is withheld: %s", reason)
        self.state = replace(self.state, withheld=reason)

    def _failed(self, reason: str) -> None:
        if not self.state.last_error:
            log.warning("the heartbeat did not arrive: %s", reason)
        self.state = replace(self.state, withheld="", last_error=reason, errors=self.state.errors + 1)

    def _succeeded(self, host: str, now: datetime) -> None:
        if self.state.withheld or self.state.last_error:
            log.info("the heartbeat arrives again at %s", host)
        self.state = replace(self.state, last_ok=now, last_error="", withheld="", sent=self.state.sent + 1)
