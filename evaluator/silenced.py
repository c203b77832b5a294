"""Which alerts match a silence."""

from collections.abc import Callable, Iterable
from datetime import datetime

from alerts.labels import readable_labels
from alerts.silence import read_silence
from alerts.transition import Transition
from storage.client import Database
from storage.silences import silences


def silenced_in(database: Database) -> Callable[[Iterable[Transition], datetime], set[str]]:
    """Return what tells which alerts are silenced at a time, by their ids."""

    def silenced(transitions: Iterable[Transition], now: datetime) -> set[str]:
        found = (read_silence(row) for row in silences(database, since=now))
        active = [silence for silence in found if silence is not None and silence.active(now)]
        labels = {item.alert_id: readable_labels(item) for item in transitions} if active else {}
        return {name for name, known in labels.items() if any(silence.matches(known) for silence in active)}

    return silenced
