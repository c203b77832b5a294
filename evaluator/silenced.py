"""Which alerts match a silence."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from alerts.errors import InvalidAlert, InvalidMatcher
from alerts.labels import labels_of
from alerts.matcher import Matcher, match_all, parse_matchers
from alerts.transition import Transition
from storage.client import Database
from storage.silences import SilenceRow, silences


def silenced_in(database: Database) -> Callable[[Iterable[Transition], datetime], set[str]]:
    """Return what tells which alerts are silenced at a time, by their ids."""

    def silenced(transitions: Iterable[Transition], now: datetime) -> set[str]:
        active = [_matchers(row) for row in silences(database, since=now) if _is_active(row, now)]
        return {item.alert_id for item in transitions if any(_match(matchers, item) for matchers in active)}

    return silenced


def _is_active(row: SilenceRow, now: datetime) -> bool:
    end = row.ends_at if row.expired_at is None else min(row.ends_at, row.expired_at)
    return row.starts_at <= now < end


def _matchers(row: SilenceRow) -> list[Matcher]:
    """Return the matchers of *row*; none, which silence nothing, when one cannot be read."""
    try:
        return [matcher for text in row.matchers for matcher in parse_matchers(text)]
    except InvalidMatcher:
        return []


def _match(matchers: Sequence[Matcher], item: Transition) -> bool:
    try:
        return bool(matchers) and match_all(matchers, labels_of(item))
    except InvalidAlert:  # it has labels that nobody can be told of
        return False
