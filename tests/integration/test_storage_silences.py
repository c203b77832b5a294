"""Silences and acknowledgements are kept: what was changed replaces what was, and nothing is lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from storage.acknowledgements import AcknowledgementRow, acknowledge, acknowledgements, link_was_used
from storage.silences import SilenceRow, save_silence, silences

NOW = datetime.now(UTC).replace(microsecond=123_000)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def silence(name="s1", **given):
    row = SilenceRow(name, ('service_name="shop"', 'a=~"x,y\\n"'), NOW, NOW + HOUR, "ada", "why", True, NOW)
    return replace(row, **given)


def acknowledgement(alert_id="a", minute=0, **given):
    return replace(AcknowledgementRow(alert_id, NOW + minute * MINUTE, "ada", "mine", "page"), **given)


def test_a_silence_is_read_as_it_was_stored(database):
    save_silence(database, silence(), now=NOW)
    assert silences(database) == [silence()]


def test_a_silence_that_was_ended_replaces_the_one_before(database):
    save_silence(database, silence(), now=NOW)
    save_silence(database, silence(expired_at=NOW + MINUTE), now=NOW + MINUTE)
    assert silences(database) == [silence(expired_at=NOW + MINUTE)]


def test_of_two_changes_at_the_same_time_the_later_stays(database):
    save_silence(database, silence(), now=NOW)
    save_silence(database, silence(expired_at=NOW), now=NOW)
    assert [row.expired_at for row in silences(database)] == [NOW]


def test_only_silences_that_end_later_are_read(database):
    save_silence(database, silence("over", ends_at=NOW + MINUTE), now=NOW)
    save_silence(database, silence("ended", expired_at=NOW + MINUTE), now=NOW)
    save_silence(database, silence("lasting"), now=NOW)
    save_silence(database, silence("coming", starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR), now=NOW)
    assert [row.id for row in silences(database, since=NOW + MINUTE)] == ["lasting", "coming"]
    assert len(silences(database)) == 4


def test_acknowledgements_are_read_by_alert_and_time_oldest_first(database):
    rows = [acknowledgement(minute=2), acknowledgement(minute=0, via="link", token_digest="d"), acknowledgement("b", 1)]
    for row in rows:
        acknowledge(database, row)
    assert acknowledgements(database) == [rows[1], rows[2], rows[0]]
    assert acknowledgements(database, alert_ids=["a", "none"]) == [rows[1], rows[0]]
    assert acknowledgements(database, since=NOW + MINUTE) == [rows[2], rows[0]]
    assert acknowledgements(database, alert_ids=[]) == []


def test_a_link_that_was_used_is_known(database):
    assert not link_was_used(database, "d")
    acknowledge(database, acknowledgement(via="link", token_digest="d"))
    acknowledge(database, acknowledgement())
    assert link_was_used(database, "d")
    assert not link_was_used(database, "e")
    assert not link_was_used(database, "")
