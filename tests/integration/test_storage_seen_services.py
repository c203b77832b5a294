"""Which services are remembered as seen, and from when on."""

from datetime import UTC, datetime, timedelta

import pytest

from storage import seen_services
from storage.seen_services import SeenServices
from storage.slo_catalog import SloCatalog

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def send(database, service, at, environment="prod"):
    rows = [(at, service, environment, "server", 1)]
    database.insert("red_1m", rows, ["t", "service", "environment", "kind", "requests"])


@pytest.fixture
def asked(monkeypatch):
    """How far back each question to the database went."""
    found, real = [], seen_services.request_services

    def asking(database, *, since, until):
        found.append(until - seen_services.CLOCKS_DIFFER - since)
        return real(database, since=since, until=until)

    monkeypatch.setattr(seen_services, "request_services", asking)
    return found


def test_a_month_is_read_once_and_then_the_last_hour(database, asked):
    seen = SeenServices()
    send(database, "old", NOW - 20 * DAY)
    assert seen.at(database, NOW) == (("old", "prod"),)
    send(database, "new", NOW)
    assert seen.at(database, NOW + 15 * SECOND) == (("new", "prod"), ("old", "prod"))
    assert asked == [seen_services.SEEN_WITHIN, seen_services.RECENT]


def test_who_sends_only_old_spans_is_seen_within_a_minute_and_the_silent_are_forgotten(database, asked):
    seen = SeenServices()
    send(database, "gone", NOW - 30 * DAY)
    assert seen.at(database, NOW) == (("gone", "prod"),)
    send(database, "late", NOW - 9 * DAY)
    assert ("late", "prod") not in seen.at(database, NOW + 30 * SECOND)
    assert seen.at(database, NOW + 60 * SECOND) == (("late", "prod"),)
    assert asked.count(seen_services.SEEN_WITHIN) == 2


def test_an_earlier_moment_does_not_know_what_came_later(database):
    seen = SeenServices()
    send(database, "later", NOW)
    assert seen.at(database, NOW) == (("later", "prod"),)
    assert seen.at(database, NOW - DAY) == ()
    assert seen.at(database, NOW - DAY + SECOND) == ()


def test_the_catalog_is_made_anew_when_a_service_or_a_file_is_new_and_only_then(database, tmp_path):
    catalog = SloCatalog([tmp_path])
    first = catalog.load(database, NOW)
    assert first.slos == {}
    assert catalog.load(database, NOW + SECOND) is first
    send(database, "shop", NOW)
    assert set(catalog.load(database, NOW + 2 * SECOND).slos) == {"shop-prod-availability", "shop-prod-latency"}
    (tmp_path / "broken.yaml").write_text("kind: [", "utf-8")
    assert len(catalog.load(database, NOW + 3 * SECOND).problems) == 1
