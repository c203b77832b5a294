"""Log records from OTLP bytes to pages of a search, over the real engine."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.logs import Cursor, LogSearch, search_logs
from storage.metric_query import nanoseconds

NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - timedelta(hours=1)
MINUTE_NS = 60 * 10**9
TRACE = bytes(range(1, 17))


def find(database, *, limit=100, cursor=None, **asked):
    search = LogSearch(START, datetime.now(UTC) + timedelta(minutes=1), **asked)
    return search_logs(database, search, limit=limit, cursor=cursor)


def bodies(database, **asked):
    return [record.body for record in find(database, **asked).records]


def ago(minutes):
    return nanoseconds(NOW) - round(minutes * MINUTE_NS)


@pytest.fixture
def logs(database, store, otlp):
    def insert(*records, **identity):
        store(database, otlp.logs(*records, **identity), signal="logs")
        return database

    return insert


def test_a_record_comes_back_as_it_was_sent(logs, otlp):
    attributes = {"user.id": 7, "ratio": 0.5, "vip": True, "tags": ["a", 1], "raw": b"\x00\xff"}
    database = logs(
        otlp.record(
            "payment declined",
            attributes=attributes,
            time_unix_nano=ago(2),
            observed_time_unix_nano=ago(1),
            severity_number=17,
            severity_text="ERROR",
            trace_id=TRACE,
            span_id=b"12345678",
            event_name="payment.declined",
            dropped_attributes_count=3,
        ),
        resource={"host.name": "one"},
    )
    (found,) = find(database).records
    assert (found.body, found.severity_number, found.severity_text) == ("payment declined", 17, "ERROR")
    assert (found.at, found.observed_at) == (NOW - timedelta(minutes=2), NOW - timedelta(minutes=1))
    assert (found.trace_id, found.span_id) == (TRACE.hex(), b"12345678".hex())
    assert found.attributes == {**attributes, "raw": "AP8="}
    assert (found.event_name, found.dropped_attributes, found.scope) == ("payment.declined", 3, "test.logger")
    assert found.resource["host.name"] == "one"


def test_a_body_may_be_any_value(logs, otlp):
    sent = ["", "text", 42, 1.5, True, ["a", {"b": 1}], {"order": {"id": 9, "open": False}}]
    records = [otlp.record(body, time_unix_nano=ago(number + 1)) for number, body in enumerate(sent)]
    database = logs(*records, {"time_unix_nano": ago(50)})
    assert bodies(database) == [*sent, None]


def test_search_finds_text_anywhere_in_whatever_case_and_in_structured_bodies(logs, otlp):
    database = logs(
        otlp.record("Connection REFUSED by payments-db", time_unix_nano=ago(1)),
        otlp.record({"message": "connection refused again"}, time_unix_nano=ago(2)),
        otlp.record("100% done", time_unix_nano=ago(3)),
        otlp.record("100 percent", time_unix_nano=ago(4)),
    )
    refused = ["Connection REFUSED by payments-db", {"message": "connection refused again"}]
    assert bodies(database, text="n refuSED") == refused
    assert bodies(database, text="100%") == ["100% done"]
    assert bodies(database, text="nothing like it") == []


def test_filters_hold_together(logs, otlp):
    logs(
        otlp.record("a", severity_number=9, attributes={"code": 200}, time_unix_nano=ago(1)),
        otlp.record("b", severity_number=17, attributes={"code": 500}, time_unix_nano=ago(2), trace_id=TRACE),
    )
    database = logs(otlp.record("c", severity_number=21, time_unix_nano=ago(3)), service="mail", environment="dev")
    assert bodies(database, min_severity=13) == ["b", "c"]
    assert bodies(database, service="mail") == bodies(database, environment="dev") == ["c"]
    assert bodies(database, trace_id=TRACE.hex()) == ["b"]
    assert bodies(database, attributes=(("code", "500"),)) == ["b"]
    assert bodies(database, min_severity=13, service="shop", attributes=(("code", "200"),)) == []


def test_pages_show_every_record_once_newest_first(logs, otlp):
    """Seven records of one nanosecond, two of them equal in everything, lie across the edges of pages."""
    same = [otlp.record(text, time_unix_nano=ago(5)) for text in ("p", "q", "q", "r", "s", "t", "u")]
    database = logs(otlp.record("newest", time_unix_nano=ago(1)), *same, otlp.record("oldest", time_unix_nano=ago(9)))
    seen, cursor = [], None
    for _ in range(5):
        page = find(database, limit=2, cursor=cursor)
        seen += [record.body for record in page.records]
        cursor = page.next_cursor
    assert seen == ["newest", "p", "q", "q", "r", "s", "t", "u", "oldest"]
    assert cursor is None


def test_a_cursor_that_is_not_ours_is_refused():
    with pytest.raises(ValueError, match="leave it out for the first page"):
        Cursor.parse("1; DROP TABLE logs")


def test_a_record_without_a_time_has_that_of_its_observation_or_arrival(logs, otlp):
    database = logs(
        otlp.record("observed", time_unix_nano=0, observed_time_unix_nano=ago(30)),
        otlp.record("neither", time_unix_nano=0),
    )
    neither, observed = find(database).records
    assert (observed.body, observed.at) == ("observed", NOW - timedelta(minutes=30))
    assert abs(neither.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert neither.observed_at is None


def test_no_bytes_that_may_arrive_make_an_insert_fail(database, store, otlp):
    hostile = [
        otlp.record("huge time", time_unix_nano=2**64 - 1, observed_time_unix_nano=2**64 - 1),
        otlp.record("past", time_unix_nano=1),
        otlp.record("severity", severity_number=-(2**31)),
        otlp.record("x" * 100_000, severity_text="s" * 10_000, flags=2**32 - 1, trace_id=b"short", span_id=b"x" * 99),
        {"body": otlp.value(b"\n\x00\xff"), "attributes": otlp.pairs({"a": 1}) + otlp.pairs({"a": 2})},
    ]
    broken = otlp.logs(otlp.record("BROKEN"), service="BROKEN").replace(b"BROKEN", b"\xff\xc0\x80\x00'\\")
    store(database, otlp.logs(*hostile), broken, b"", signal="logs")
    found = find(database).records
    assert len(found) == len(hostile) + 1
    assert {record.service for record in found} == {"shop", "\ufffd\x00'\\"}
    with database.client() as client:
        times = client.query("SELECT original_ns FROM logs WHERE original_ns > 0 ORDER BY original_ns").result_rows
    assert times == [(1,), (2**64 - 1,)]


def test_a_segment_that_is_sent_again_is_stored_once(database, store, otlp):
    body = otlp.logs(otlp.record("once"))
    store(database, body, signal="logs", token="logs:1")
    store(database, body, signal="logs", token="logs:1")
    assert bodies(database) == ["once"]


def test_the_exporters_names_show_the_same_records(logs, otlp):
    database = logs(otlp.record("hello", attributes={"n": 5}, severity_number=9, trace_id=TRACE))
    columns = "ServiceName, Body, SeverityNumber, TraceId, LogAttributes['n'], ResourceAttributes['service.name']"
    with database.client() as client:
        assert client.query(f"SELECT {columns} FROM otel_logs").result_rows == [
            ("shop", "hello", 9, TRACE.hex(), "5", "shop")
        ]
