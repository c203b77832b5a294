"""Silences and acknowledgements: when they hold, when they are over, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from alerts.acknowledgement import Acknowledgement
from alerts.errors import InvalidAlert, InvalidSilence
from alerts.silence import new_silence, settled

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHOP, PAY = {"service_name": "shop"}, {"service_name": "pay"}


def silence(matchers=('service_name="shop"',), start=NOW, end=NOW + HOUR, author="ada", comment="deploy", **more):
    return new_silence("s1", matchers, starts_at=start, ends_at=end, author=author, comment=comment, now=NOW, **more)


@pytest.mark.parametrize(
    ("minute", "active"), [(-1, False), (0, True), (59, True), (60, False), (61, False)]
)  # fmt: skip
def test_a_silence_holds_from_its_start_and_up_to_its_end(minute, active):
    assert silence().active(NOW + timedelta(minutes=minute)) is active


def test_a_silence_that_was_ended_holds_up_to_then_and_is_not_ended_twice():
    ended = silence().expired(NOW + HOUR / 2)
    assert ended.active(NOW + HOUR / 4)
    assert not ended.active(NOW + HOUR / 2)
    assert ended.expired(NOW + HOUR * 3 / 4) == ended
    assert silence().expired(NOW + 2 * HOUR) == silence()


def test_a_silence_that_has_not_begun_can_be_ended():
    assert not silence(start=NOW + HOUR, end=NOW + 2 * HOUR).expired(NOW).active(NOW + HOUR)


def test_all_of_its_matchers_must_match():
    made = silence(['service_name="shop", severity=page', "environment!=dev"])
    assert made.matches(SHOP | {"severity": "page"})
    assert not made.matches(SHOP | {"severity": "ticket"})
    assert not made.matches(SHOP | {"severity": "page", "environment": "dev"})


def test_a_start_in_the_past_is_now():
    assert silence(start=NOW - HOUR).starts_at == NOW


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"end": NOW}, "ends at 2026-03-01T12:00:00.00:00, not after its start .*; write a later end"),
        ({"start": NOW + 2 * HOUR}, "not after its start at 2026-03-01T14:00:00"),
        ({"start": NOW - 2 * HOUR, "end": NOW - HOUR}, "and it is 2026-03-01T12:00:00.* write an end in the future"),
        ({"end": (NOW + HOUR).replace(tzinfo=None)}, r"the end 2026-03-01T13:00:00 must be in UTC; add Z"),
        ({"start": NOW.astimezone(timezone(HOUR))}, r"the start .*\+01:00 must be in UTC"),
        ({"matchers": []}, r"the matchers \[\] match every alert"),
        ({"matchers": ["a=~.*", "b!=c"]}, r'the matchers \[a=~"\.\*", b!="c"\] match every alert .* add one'),
        ({"matchers": ["a"]}, "'a' is no matcher"),
        ({"matchers": ['a="b\\nc"']}, r"the value of a holds the control character '\\n'; leave it out"),
        ({"matchers": [f"a={'x' * 10_000}"]}, "the value of a has 10000 characters, more than 1024"),
        ({"author": " "}, "needs an author"),
        ({"author": "a\nb"}, "the author holds the control character"),
        ({"author": "x" * 10_000}, "the author has 10000 characters"),
        ({"comment": "x" * 1025}, "the comment has 1025 characters, more than 1024; write a shorter one"),
        ({"comment": "a\x00b"}, "the comment holds the control character"),
    ],
)  # fmt: skip
def test_a_silence_that_makes_no_sense_is_refused(given, told):
    with pytest.raises(InvalidSilence, match=told):
        silence(**given)


def test_a_comment_may_have_lines_and_may_be_missing():
    assert silence(comment="one\ntwo").comment == "one\ntwo"
    assert silence(comment="").comment == ""


@pytest.mark.parametrize(
    ("firing", "ended", "over"),
    [
        ([], [], False),  # nothing happened yet: it waits
        ([SHOP], [], False),
        ([SHOP], [SHOP], False),
        ([], [SHOP], True),
        ([PAY], [SHOP], True),
        ([], [PAY], False),
    ],
)
def test_until_resolved_is_over_once_its_alerts_have_ended(firing, ended, over):
    made = silence(until_resolved=True)
    assert settled(made, firing, NOW + HOUR / 2, ended=ended) is over
    assert not settled(replace(made, until_resolved=False), firing, NOW + HOUR / 2, ended=ended)


def test_until_resolved_is_not_over_before_it_begins_nor_after_its_end():
    made = silence(start=NOW + HOUR / 2, until_resolved=True)
    assert not settled(made, [], NOW, ended=[SHOP])
    assert not settled(made, [], NOW + HOUR, ended=[SHOP])
    assert settled(made, [], NOW + HOUR / 2, ended=[SHOP])


def acknowledgement(alert_id="a", minute=0, **more):
    return Acknowledgement(
        alert_id, NOW + timedelta(minutes=minute), **{"author": "ada", "comment": "", **more}, via="page"
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"author": ""}, "acknowledging 'a' needs an author"),
        ({"comment": "x" * 1025}, "the comment has 1025 characters"),
    ],
)
def test_an_acknowledgement_that_makes_no_sense_is_refused(given, told):
    with pytest.raises(InvalidAlert, match=told):
        acknowledgement(**given)


def test_an_acknowledgement_needs_no_comment():
    assert acknowledgement().comment == ""
