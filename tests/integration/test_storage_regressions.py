"""Operations that changed, from stored spans to the typed client."""

from datetime import UTC, datetime, timedelta

import pytest

from api.client import ApiClient
from storage.regressions import regressions
from tests.integration.test_api_routes import serving

pytestmark = pytest.mark.slow

MS = 10**6
HOUR = timedelta(hours=1)


class Checkout:
    """A service with three operations."""

    def __init__(self, database, store, otlp):
        self.database, self._store, self._otlp = database, store, otlp
        self.now = datetime.now(UTC).replace(second=0, microsecond=0)

    def serves(self, operation, *, ago, version="1", requests=400, failed=0, ms=100, environment="prod", kind=2):
        """Serve *requests* within a few minutes from *ago* on."""
        start = self._otlp.ns(self.now - ago)
        spans = [
            self._otlp.span(
                operation,
                kind=kind,
                start_ns=start + number * 500 * MS,
                duration_ns=round(ms * MS * (1 + number % 20 / 100)),
                status=2 if number < failed else 0,
            )
            for number in range(requests)
        ]
        named = {"service": "checkout", "environment": environment, "version": version}
        self._store(self.database, self._otlp.traces(*spans, **named))

    def changes(self, against="version"):
        """Return (operation, errors, latency) of what has enough requests to be told apart from nothing."""
        found = regressions(self.database, "checkout", "prod", against=against, now=datetime.now(UTC))
        return {each.name: (each.errors.verdict, each.latency.slow.verdict) for each in found.changes}


@pytest.fixture
def checkout(database, store, otlp):
    return Checkout(database, store, otlp)


def test_a_new_version_that_fails_more_or_is_slower_is_worse_in_just_that(checkout):
    for version, ago, failed, ms in (("1", 3 * HOUR, 0, 100), ("2", 2 * HOUR, 40, 180)):
        checkout.serves("GET /same", ago=ago, version=version, requests=1000)
        checkout.serves("POST /fails", ago=ago, version=version, failed=failed)
        checkout.serves("GET /slow", ago=ago, version=version, requests=1000, ms=ms)
    assert checkout.changes() == {
        "GET /same": ("same", "same"),
        "POST /fails": ("worse", "same"),
        "GET /slow": ("same", "worse"),
    }


def test_a_version_that_mends_is_better(checkout):
    checkout.serves("GET /", ago=3 * HOUR, version="1", failed=60, ms=300)
    checkout.serves("GET /", ago=2 * HOUR, version="2", ms=100)
    assert checkout.changes() == {"GET /": ("better", "better")}


def test_the_two_newest_versions_with_enough_requests_are_compared(checkout):
    for version, ago, failed in (("1", 9 * HOUR, 0), ("2", 6 * HOUR, 80), ("3", 3 * HOUR, 80)):
        checkout.serves("GET /", ago=ago, version=version, failed=failed)
    checkout.serves("GET /", ago=2 * HOUR, version="4", requests=20)
    found = regressions(checkout.database, "checkout", "prod", against="version", now=datetime.now(UTC))
    assert (found.before.version, found.after.version) == ("2", "3")
    assert [each.errors.difference for each in found.changes] == [0]


def test_one_version_or_none_is_compared_with_nothing(checkout):
    assert regressions(checkout.database, "checkout", "prod", against="version", now=checkout.now) is None
    checkout.serves("GET /", ago=2 * HOUR)
    checkout.serves("GET /", ago=2 * HOUR, version="2", environment="test")
    assert regressions(checkout.database, "checkout", "prod", against="version", now=checkout.now) is None


@pytest.mark.parametrize(("against", "ago"), [("hour", HOUR), ("week", timedelta(weeks=1))])
def test_this_hour_is_compared_with_the_hour_before_or_that_of_a_week_ago(checkout, against, ago):
    now = timedelta(minutes=30)
    checkout.serves("GET /", ago=now + ago)
    checkout.serves("GET /", ago=now, failed=50)
    checkout.serves("GET /new", ago=now)
    checkout.serves("work", ago=now, kind=1)
    checkout.serves("work", ago=now + ago, kind=1)
    assert checkout.changes(against) == {"GET /": ("worse", "same")}


def test_few_requests_prove_no_change_and_take_no_share_of_the_doubt(checkout):
    for ago, failed in ((3 * HOUR, 0), (2 * HOUR, 30)):
        checkout.serves("GET /rare", ago=ago, version=str(ago), requests=60, failed=failed)
        checkout.serves("GET /", ago=ago, version=str(ago), requests=1000)
    assert checkout.changes() == {"GET /": ("same", "same"), "GET /rare": ("too few", "too few")}
    found = regressions(checkout.database, "checkout", "prod", against="version", now=checkout.now)
    assert found.compared == 1


def test_the_more_operations_are_compared_the_surer_each_must_be(checkout):
    """13 more of 400 failed: enough for one operation, and not for the one of forty that stands out."""
    for version, failed in (("1", 0), ("2", 13)):
        checkout.serves("GET /", ago=timedelta(hours=5 - int(version)), version=version, failed=failed)
    assert checkout.changes()["GET /"][0] == "worse"
    for version in ("1", "2"):
        for number in range(40):
            ago = timedelta(hours=5 - int(version))
            checkout.serves(f"GET /{number}", ago=ago, version=version, requests=100)
    assert checkout.changes()["GET /"][0] == "too few"


def test_the_client_is_told_the_numbers_and_what_was_compared(checkout, tmp_path):
    checkout.serves("GET /", ago=3 * HOUR, version="1")
    checkout.serves("GET /", ago=2 * HOUR, version="2", failed=40, ms=200)
    with (
        serving(checkout.database, tmp_path) as server,
        ApiClient(f"http://127.0.0.1:{server.port}", timeout_s=30) as api,
    ):
        found = api.regressions("checkout", environment="prod")
        assert (found.before, found.after, found.compared) == ("version 1", "version 2", 1)
        assert found.text == "version 2 against version 1: 1 operations had 100 requests on both sides"
        errors, latency = found.items
        assert (errors.measure, errors.verdict, errors.before, errors.after) == ("errors", "worse", 0, 0.1)
        assert errors.low < 0.1 < errors.high
        assert (latency.verdict, latency.before_ms, latency.after_ms) == (
            "worse", pytest.approx(118, rel=0.03), pytest.approx(236, rel=0.03)
        )  # fmt: skip
        nothing = api.regressions("other", environment="prod")
        assert (nothing.items, nothing.compared) == ([], 0)
        assert "no two versions" in nothing.text
        hours = api.regressions("checkout", environment="prod", against="hour")
        assert (hours.compared, hours.items) == (0, [])
