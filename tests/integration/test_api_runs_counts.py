"""Counts of requests and calls by arm, over the API."""

from datetime import UTC, datetime, timedelta

import pytest

from api import models as m
from api.client import ApiError
from tests.integration.chaos_api import api_over

GROUPS = m.Groups(share=0.4, seed="run-1")


@pytest.fixture
def lately():
    now = datetime.now(UTC)
    return {"start": now - timedelta(minutes=5), "end": now + timedelta(minutes=1)}


@pytest.fixture
def api(database):
    with api_over(database) as found:
        yield found


def test_the_arms_and_the_rest_are_all_requests(api, database, store, otlp, lately):
    store(database, otlp.traces(*(otlp.span() for _ in range(200)), service="shop", version="2"))
    arms = [api.sli("shop", **lately, arm=arm, groups=GROUPS).total for arm in ("control", "treatment")]
    assert all(50 < total < 110 for total in arms)
    assert api.sli("shop", **lately, groups=GROUPS).total == 200, "groups alone select nothing"
    assert api.sli("shop", **lately, version="1").total == 0
    assert api.sli("shop", **lately, version="1").newest_span_at is not None, "freshness is that of the service"


def test_calls_are_counted_by_arm(api, database, store, otlp, lately):
    calls = [otlp.span(kind=3) for _ in range(100)]
    served = [otlp.span(trace_id=call.trace_id, parent=call.span_id) for call in calls]
    store(database, otlp.traces(*calls, service="gateway"), otlp.traces(*served, service="orders"))
    arms = [api.edge("gateway", "orders", **lately, arm=arm, groups=GROUPS).calls for arm in ("control", "treatment")]
    assert all(20 < total < 60 for total in arms)
    assert api.edge("gateway", "orders", **lately, environment="prod").calls == 100
    assert api.edge("gateway", "orders", **lately, environment="else").calls == 0


def test_latencies_and_exemplars_are_those_of_an_arm(api, database, store, otlp, lately):
    spans = [otlp.span(duration_ns=number * 10**6) for number in range(100)]
    store(database, otlp.traces(*spans, service="shop"))
    whole = api.latencies("shop", **lately, limit=1000)
    assert (whole.total, whole.durations_ms) == (100, [float(number) for number in range(100)])
    treated = api.latencies("shop", **lately, arm="treatment", groups=GROUPS, limit=10)
    assert treated == api.latencies("shop", **lately, arm="treatment", groups=GROUPS, limit=10)
    assert (treated.total, len(treated.durations_ms)) == (
        api.sli("shop", **lately, arm="treatment", groups=GROUPS).total, 10,
    )  # fmt: skip
    assert api.exemplars("shop", **lately, limit=3) == [span.trace_id.hex() for span in spans[:-4:-1]]
    assert api.exemplars("shop", **lately, threshold_ms=97) == [span.trace_id.hex() for span in spans[:-3:-1]]
    arms = [set(api.exemplars("shop", **lately, arm=arm, groups=GROUPS, limit=100)) for arm in m.Arm.__args__]
    assert not arms[0] & arms[1]
    with pytest.raises(ApiError, match="limit='10001'"):
        api.latencies("shop", **lately, limit=10_001)


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ({"arm": "control"}, "arm=control needs share and seed"),
        ({"arm": "control", "share": 0.2}, "arm=control needs share and seed"),
        ({"share": 0.2, "seed": "x"}, "add arm=control"),
        ({"arm": "third", "share": 0.2, "seed": "x"}, "arm='third'"),
        ({"arm": "control", "share": 0.6, "seed": "x"}, "share='0.6'"),
        ({"arm": "control", "share": 0, "seed": "x"}, "share='0'"),
        ({"start": "2026-01-01T00:00:00"}, "has no time zone"),
        ({"start": "2926-01-01T00:00:00Z"}, "must be after"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_with_the_reason(api, lately, query, complaint):
    asked = {name: moment.isoformat() for name, moment in lately.items()} | {"service": "shop"} | query
    with pytest.raises(ApiError, match=complaint) as refusal:
        api._send("GET", "sli", params=asked)
    assert refusal.value.status == 422
