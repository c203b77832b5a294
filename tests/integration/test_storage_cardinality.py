"""A service that puts ids into names or routes does not make the rollups as large as the spans."""

from datetime import UTC, datetime, timedelta

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from storage.cardinality import limit_operations, limited_operations

SERVER = Span.SPAN_KIND_SERVER


def bomb(otlp, count, start=0):
    """Return *count* spans whose names and routes hold an id, and one busy operation."""
    spans = [
        otlp.span(f"GET /users/{n}", kind=SERVER, attributes={"http.route": f"/users/{n}"})
        for n in range(start, start + count)
    ]
    return spans + [otlp.span("GET /pay", kind=SERVER, attributes={"http.route": "/pay"}) for _ in range(5)]


def names(database):
    with database.client() as client:
        return {row[0] for row in client.query("SELECT DISTINCT toString(name) FROM red_1m").result_rows}


def test_what_overflows_is_counted_as_other_and_the_busiest_stay_told_apart(database, store, otlp):
    now = datetime.now(UTC)
    store(database, otlp.traces(*bomb(otlp, 30), service="leaky"), otlp.traces(otlp.span("calm"), service="calm"))
    assert limit_operations(database, limit=10, now=now) == ["leaky"]
    assert limit_operations(database, limit=10, now=now) == [], "it is limited already"
    before = names(database)
    store(database, otlp.traces(*bomb(otlp, 100, start=1000), service="leaky"))
    assert names(database) - before == {"__other__"}
    with database.client() as client:
        total, other, pay = client.query(
            "SELECT sum(requests), sumIf(requests, name = '__other__' AND http_route = '__other__'),"
            " sumIf(requests, name = 'GET /pay') FROM red_1m WHERE service = 'leaky'"
        ).first_row
    assert (total, other, pay) == (30 + 100 + 10, 100, 10), "nothing is lost, and the busy operation is still itself"
    assert int(database.command("SELECT uniqExact(name) FROM spans WHERE service = 'leaky'")) == 131, (
        "spans keep theirs"
    )
    (limited,) = limited_operations(database, now=now)
    assert (limited.service, len(limited.names), len(limited.routes), limited.overflowing) == ("leaky", 10, 10, True)


def test_a_limit_is_lifted_after_an_hour_without_overflow(database, store, otlp):
    now = datetime.now(UTC)
    store(database, otlp.traces(*bomb(otlp, 30), service="leaky"))
    limit_operations(database, limit=10, now=now)
    limit_operations(database, limit=10, now=now + timedelta(minutes=59))
    assert limited_operations(database, now=now + timedelta(minutes=59))
    limit_operations(database, limit=10, now=now + timedelta(hours=2))
    assert limited_operations(database, now=now + timedelta(hours=2)) == []


def test_a_service_within_the_limit_is_left_alone(database, store, otlp):
    now = datetime.now(UTC)
    store(database, otlp.traces(*bomb(otlp, 9), service="busy"))
    assert limit_operations(database, limit=10, now=now) == []
    assert limited_operations(database, now=now) == []
