"""A sign of life each minute, while evaluation and delivery work."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.errors import ChannelError
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
    """Sends the heartbeat, or keeps it back when something stalls: then its receiver tells somebody."""

    def __init__(self, heartbeat: Heartbeat, liveness: Liveness) -> None:
        self.state = HeartbeatState()
        self._heartbeat = heartbeat
        self._liveness = liveness

    def beat(self, now: datetime) -> None:
        """Send a sign of life if all works at *now*. What goes wrong is logged when it begins and when it ends."""
        if self._liveness.alive_at(now) is None:
            self._withhold(self._liveness.stalled(now))
            return
        if self.state.withheld:
            log.info("the heartbeat goes on")
        try:
            self._heartbeat.beat()
        except ChannelError as error:
            self._failed(str(error))
        else:
            self._succeeded(now)

    def _withhold(self, reason: str) -> None:
        # right after the start there is nothing to tell: the first evaluation still runs
        if not self.state.withheld and self.state.sent:
            log.warning("the heartbeat is withheld: %s", reason)
        self.state = replace(self.state, withheld=reason)

    def _failed(self, reason: str) -> None:
        if not self.state.last_error:
            log.warning("the heartbeat did not arrive: %s", reason)
        self.state = replace(self.state, withheld="", last_error=reason, errors=self.state.errors + 1)

    def _succeeded(self, now: datetime) -> None:
        if self.state.last_error:
            log.info("the heartbeat arrives again at %s", self._heartbeat.host)
        self.state = replace(self.state, last_ok=now, last_error="", withheld="", sent=self.state.sent + 1)
