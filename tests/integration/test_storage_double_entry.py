"""A service's own count of its requests against its spans, from OTLP bytes to the typed client."""

from datetime import UTC, datetime, timedelta

import pytest

from api.client import ApiClient
from slo.double_entry import compare_entries
from storage.double_entry import double_entries
from tests.integration.test_api_routes import serving

pytestmark = pytest.mark.slow

CUMULATIVE = 2
MINUTE = timedelta(minutes=1)
STABLE, OLD = "http.server.request.duration", "http.server.duration"


class Shop:
    """A service that serves twenty requests in each of fifty minutes."""

    def __init__(self, database, store, otlp):
        self.database, self._store, self._otlp = database, store, otlp
        self.now = datetime.now(UTC).replace(second=0, microsecond=0)
        self.start = self.now - 56 * MINUTE

    def counts(self, name=STABLE, *, minutes=range(51), **sender):
        started = self._otlp.ns(self.start - timedelta(hours=5))
        points = [
            {
                **self._otlp.point(self._otlp.ns(self.start + n * MINUTE), start_ns=started),
                "count": 5000 + 20 * n,
                "sum": 1.0,
                "bucket_counts": [5000 + 20 * n, 0],
                "explicit_bounds": [1.0],
            }
            for n in minutes
        ]
        body = self._otlp.metric(name, "histogram", *points, unit="s", aggregation_temporality=CUMULATIVE, **sender)
        self._store(self.database, body, signal="metrics")

    def sends(self, spans, **sender):
        """Send *spans* a minute, or as many as it says of a minute."""
        sent = [
            self._otlp.span(
                "GET /", start_ns=self._otlp.ns(self.start + n * MINUTE + timedelta(seconds=second)), **span
            )
            for n in range(50)
            for second in range(spans(n) if callable(spans) else spans)
            for span in [{"trace_state": sender.get("trace_state", "")}]
        ]
        named = {key: value for key, value in sender.items() if key != "trace_state"}
        self._store(self.database, self._otlp.traces(*sent, **{"service": "shop", "environment": "prod"} | named))

    def entry(self, environment="prod"):
        return compare_entries(double_entries(self.database, datetime.now(UTC)).of("shop", environment))


@pytest.fixture
def shop(database, store, otlp):
    return Shop(database, store, otlp)


def test_a_service_that_sends_half_of_its_spans_is_sampled(shop):
    shop.counts()
    shop.sends(10)
    found = shop.entry()
    assert (found.verdict, found.sampled_one_in) == ("sampled", pytest.approx(2))
    assert 900 <= found.requests <= 1000
    assert found.spans == found.requests / 2


def test_spans_that_say_how_many_they_stand_for_agree_with_the_counter(shop):
    shop.counts()
    shop.sends(10, trace_state="ot=th:8")
    assert shop.entry().verdict == "agrees"


def test_spans_that_stop_coming_are_lost(shop):
    shop.counts()
    shop.sends(lambda minute: 20 if minute < 25 else 0)
    found = shop.entry()
    assert (found.verdict, round(found.gap, 1)) == ("lost", 0.5)


def test_a_service_that_sends_the_old_and_the_stable_metric_is_counted_once(shop):
    for name in (STABLE, OLD, "rpc.client.duration"):
        shop.counts(name)
    shop.sends(20)
    assert shop.entry().verdict == "agrees"


def test_calls_and_requests_are_added_up_and_environments_are_apart_until_all_are_asked_for(shop):
    shop.counts(OLD)
    shop.counts("rpc.server.duration")
    shop.sends(40)
    shop.counts(environment="test")
    shop.sends(10, environment="test")
    assert (shop.entry().verdict, shop.entry("test").verdict) == ("agrees", "sampled")
    both = shop.entry(None)
    assert both.requests == shop.entry().requests + shop.entry("test").requests
    assert both.spans == pytest.approx(both.requests * 5 / 6, rel=0.01)


def test_minutes_that_the_counter_does_not_cover_are_not_compared(shop):
    """Its metrics began to arrive half an hour late: the spans before that are no surplus."""
    shop.counts(minutes=range(30, 51))
    shop.sends(20)
    found = shop.entry()
    assert found.verdict == "agrees"
    assert found.requests <= 400


def test_a_service_without_such_a_metric_is_compared_with_nothing(shop):
    shop.sends(20)
    assert shop.entry() is None


def test_an_objective_says_that_its_counts_are_not_trustworthy(shop, tmp_path):
    shop.counts()
    shop.sends(10)
    shop.sends(10, service="other")
    with serving(shop.database, tmp_path) as server, ApiClient(f"http://127.0.0.1:{server.port}", timeout_s=30) as api:
        slos = {(item.service, item.kind): item for item in api.slos()}
        (problem,) = slos["shop", "availability"].problems
        assert problem.startswith("not trustworthy: ")
        assert "sampled, about 1 in 2" in problem
        assert slos["other", "availability"].problems == []
        found = api.slo_double_entry(slos["shop", "availability"].id)
        assert (found.verdict, found.sampled_one_in) == ("sampled", pytest.approx(2))
        assert found.end - found.start == timedelta(hours=1)
        other = api.slo_double_entry(slos["other", "availability"].id)
        assert (other.verdict, other.gap, STABLE in other.text) == ("not counted", None, True)
