"""Alerts that nobody wants to hear of for a while. A silence changes who is told, never an alert or a budget."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from alerts.errors import InvalidMatcher, InvalidSilence
from alerts.matcher import Matcher, match_all, parse_matchers

log = logging.getLogger(__name__)

LONGEST_TEXT: Final = 1024
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Silence:
    """Keeps notifications about alerts that all of `matchers` match from being sent in [starts_at, ends_at).

    `until_resolved` ends it sooner, once the alerts that it matched are over. `expired_at` is when somebody, or that,
    ended it; None while nothing did. All times are in UTC.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str
    created_at: datetime
    until_resolved: bool = False
    expired_at: datetime | None = None

    def active(self, now: datetime) -> bool:
        return self.starts_at <= now < self.end

    @property
    def end(self) -> datetime:
        """When it ends, or ended."""
        return self.ends_at if self.expired_at is None else min(self.ends_at, self.expired_at)

    def matches(self, labels: Mapping[str, str]) -> bool:
        return match_all(self.matchers, labels)

    def expired(self, now: datetime) -> "Silence":
        """Return it ended at *now*; one that has ended stays as it is."""
        return self if self.end <= now else replace(self, expired_at=now)


class WrittenSilence(Protocol):
    """A silence as it is stored: its matchers are texts."""

    @property
    def id(self) -> str: ...
    @property
    def matchers(self) -> Sequence[str]: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...
    @property
    def author(self) -> str: ...
    @property
    def comment(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def until_resolved(self) -> bool: ...
    @property
    def expired_at(self) -> datetime | None: ...


def read_silence(row: WrittenSilence) -> Silence | None:
    """Return the stored silence; None, which is logged, where its matchers cannot be read: it silences nothing."""
    try:
        matchers = tuple(matcher for text in row.matchers for matcher in parse_matchers(text))
    except InvalidMatcher as error:
        log.warning("silence %s is ignored: %s", row.id, error)
        return None
    if not matchers:  # which would match everything
        return None
    return Silence(
        id=row.id,
        matchers=matchers,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        author=row.author,
        comment=row.comment,
        created_at=row.created_at,
        until_resolved=row.until_resolved,
        expired_at=row.expired_at,
    )


def new_silence(
    silence_id: str,
    matchers: Sequence[str],
    *,
    starts_at: datetime,
    ends_at: datetime,
    author: str,
    comment: str,
    now: datetime,
    until_resolved: bool = False,
) -> Silence:
    """Return the silence that a person asks for at *now*.

    Args:
        silence_id: its name.
        matchers: as `parse_matchers` reads them, each one or several.
        starts_at: before *now* means at once.
        ends_at: the end, also of one that lasts until its alerts are resolved.
        author: who asks.
        comment: why.
        now: the present.
        until_resolved: whether it ends with the alerts that it matches.

    Raises:
        InvalidSilence: it could never be active, it would silence everything, or a text cannot be stored.
    """
    for time, name in ((starts_at, "start"), (ends_at, "end")):
        if time.utcoffset() != timedelta(0):
            raise InvalidSilence(f"the {name} {time.isoformat()} must be in UTC; add Z to it")
    if ends_at <= starts_at:
        raise InvalidSilence(
            f"the silence ends at {ends_at.isoformat()}, not after its start at {starts_at.isoformat()}; "
            "write a later end"
        )
    if ends_at <= now:
        raise InvalidSilence(
            f"the silence ends at {ends_at.isoformat()}, and it is {now.isoformat()}; write an end in the future"
        )
    if not author.strip():
        raise InvalidSilence("a silence needs an author; write who asks for it")
    for text, name in ((author, "author"), (comment, "comment")):
        _check_text(text, name, lines=name == "comment")
    return Silence(silence_id, _matchers(matchers), max(starts_at, now), ends_at, author, comment, now, until_resolved)


def settled(
    silence: Silence, firing: Sequence[Mapping[str, str]], now: datetime, *, ended: Sequence[Mapping[str, str]]
) -> bool:
    """Return whether a silence that lasts until its alerts are resolved is over at *now*.

    It is once it has begun, an alert that it matches has ended since, and none that fires is matched any more. Before
    an alert was matched it waits, up to its end: somebody expects one.

    Args:
        silence: which one.
        firing: the labels of the alerts that fire or are pending.
        now: the present.
        ended: the labels of the alerts that ended since it began.
    """
    if not silence.until_resolved or not silence.active(now):
        return False
    if any(silence.matches(labels) for labels in firing):
        return False
    return any(silence.matches(labels) for labels in ended)


def _matchers(texts: Sequence[str]) -> tuple[Matcher, ...]:
    try:
        matchers = tuple(matcher for text in texts for matcher in parse_matchers(text))
    except InvalidMatcher as error:
        raise InvalidSilence(str(error)) from error
    for matcher in matchers:
        _check_text(matcher.value, f"value of {matcher.name}", lines=False)
    if all(matcher.matches({}) for matcher in matchers):
        shown = ", ".join(matcher.text() for matcher in matchers)
        raise InvalidSilence(
            f"the matchers [{shown}] match every alert that has no such label; "
            'add one that asks for something, such as service_name="checkout"'
        )
    return matchers


def _check_text(text: str, name: str, *, lines: bool) -> None:
    if len(text) > LONGEST_TEXT:
        raise InvalidSilence(f"the {name} has {len(text)} characters, more than {LONGEST_TEXT}; write a shorter one")
    found = _CONTROL.search(text.replace("\n", "") if lines else text)
    if found is not None:
        raise InvalidSilence(f"the {name} holds the control character {found[0]!r}; leave it out")
