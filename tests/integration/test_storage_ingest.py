"""From OTLP bytes to rows: what is decoded, once, and what hostile values become."""

import base64
import math
import os
from datetime import UTC, datetime, timedelta

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from api.trace_tree import trace_of
from collector.spool.segment import frame
from slo.indicator import SpanIndicator
from storage import requests, services, traces
from storage.arms import Selection
from storage.caches import caches
from storage.ingest import insert_segment
from storage.sli_count import count_past

SERVER, CLIENT, CONSUMER, INTERNAL, PRODUCER = 2, 3, 5, 1, 4
UNSET, OK, ERROR = 0, 1, 2


def one(database, sql):
    with database.client() as client:
        ((value,),) = client.query(sql).result_rows
    return value


def rows(database, sql):
    with database.client() as client:
        return list(client.query(sql, tz_mode="aware").named_results())


def hour():
    now = datetime.now(UTC)
    return {"start": now - timedelta(hours=1), "end": now + timedelta(minutes=1)}


def test_the_same_token_stores_once_in_every_table_behind_the_door(database, store, otlp):
    spans = [otlp.span(attributes={"cache.hit": number % 2 == 0, "cache.name": "items"}) for number in range(3)]
    for _ in range(3):
        store(database, otlp.traces(*spans), token="one segment")
    assert one(database, "SELECT count() FROM spans") == 3
    assert one(database, "SELECT sum(spans) FROM trace_index") == 3
    assert one(database, "SELECT sum(requests) FROM red_1m") == 3
    assert one(database, "SELECT sum(lookups) FROM cache_1m") == 3
    assert one(database, "SELECT count() FROM origins") == 1
    assert one(database, "SELECT count() FROM arrivals") == 1


def test_the_same_token_stores_metric_points_once(database, store, otlp):
    for _ in range(3):
        store(database, otlp.counter("jobs.done", 7), signal="metrics", token="one segment of metrics")
    assert one(database, "SELECT count() FROM metric_points") == 1
    assert one(database, "SELECT count() FROM metric_series") == 1


def test_a_file_is_inserted_like_its_bytes_wherever_it_lies(database, store, otlp, tmp_path):
    """Its name is no pattern and ends no text, and the token knows both forms as the same."""
    folder = tmp_path / "it's {1,2} *data* [ab]? \\n"
    folder.mkdir()
    body = otlp.traces(otlp.span("from a file"))
    file = folder / "segment.seg"
    file.write_bytes(frame(body) * 2)
    insert_segment(database, "traces", file, "a file")
    assert one(database, "SELECT count() FROM spans WHERE name = 'from a file'") == 2
    store(database, body, body, token="a file")
    assert one(database, "SELECT count() FROM spans") == 2


def test_another_token_stores_the_same_bytes_again(database, store, otlp):
    body = otlp.traces(otlp.span())
    store(database, body, token="a")
    store(database, body, token="b")
    assert one(database, "SELECT count() FROM spans") == 2


def test_a_span_comes_back_as_it_was_sent(database, store, otlp):
    trace_id, parent, start = os.urandom(16), os.urandom(8), otlp.ago_ns(minutes=2)
    sent = otlp.span(
        "GET /pay",
        kind=CLIENT,
        trace_id=trace_id,
        parent=parent,
        start_ns=start,
        duration_ns=1_234_567,
        status=ERROR,
        message="card refused",
        events=[Span.Event(time_unix_nano=start + 5, name="exception", attributes=otlp.pairs({"type": "E", "n": 2}))],
        links=[Span.Link(trace_id=b"l" * 16, span_id=b"m" * 8, attributes=otlp.pairs({"why": ["batch"]}))],
    )
    store(database, otlp.traces(sent, service="pay", environment="prod", version="1.2", resource={"cores": 4}))
    (span,) = traces.read_trace(database, trace_id.hex()).spans
    assert (span.span_id, span.parent_span_id) == (sent.span_id.hex(), parent.hex())
    assert (span.service, span.environment, span.version) == ("pay", "prod", "1.2")
    assert (span.name, span.kind, span.status, span.status_message) == ("GET /pay", "client", "error", "card refused")
    assert (span.start_ns, span.duration_ns, span.error, span.origin.scope) == (start, 1_234_567, True, "test")
    assert span.origin.resource["cores"] == 4
    assert [(e.name, e.time_ns, e.attributes) for e in span.events] == [("exception", start + 5, {"type": "E", "n": 2})]
    assert [(k.trace_id, k.span_id, k.attributes) for k in span.links] == [
        ((b"l" * 16).hex(), (b"m" * 8).hex(), {"why": ["batch"]})
    ]


def test_the_types_of_attributes_survive(database, store, otlp):
    """0, false and '' are values, and none of them is the same as another or as nothing."""
    trace_id = os.urandom(16)
    attributes = {
        "zero": 0,
        "false": False,
        "true": True,
        "empty": "",
        "text": "0",
        "half": 0.5,
        "double zero": 0.0,
        "large": 2**63 - 1,
        "small": -(2**63),
        "beyond double": 2**53 + 1,
        "list": ["a", 1, [True, None], {"k": b"\x00\xff"}],
        "empty list": [],
        "map": {"a": {"b": 1}},
        "empty map": {},
        "bytes": b"\x00\xff",
        "nothing": None,
        "": "empty key",
        "sql": "'; DROP TABLE spans --\\ \t\\N {x:String}",
        "unicode": "žluťoučký \u202e 🐈 \x00",
    }
    store(database, otlp.traces(otlp.span(trace_id=trace_id, attributes=attributes)))
    (span,) = traces.read_trace(database, trace_id.hex()).spans
    plain = attributes | {"bytes": base64.b64encode(b"\x00\xff").decode()}
    plain["list"] = ["a", 1, [True, None], {"k": base64.b64encode(b"\x00\xff").decode()}]
    assert span.attributes == plain
    assert {key: type(value) for key, value in span.attributes.items()} == {k: type(v) for k, v in plain.items()}
    assert "absent" not in span.attributes


def test_numbers_that_json_does_not_have_become_text(database, store, otlp):
    trace_id = os.urandom(16)
    attributes = {"nan": math.nan, "inf": math.inf, "minus": -math.inf, "in a list": [math.nan, 1.5]}
    store(database, otlp.traces(otlp.span(trace_id=trace_id, attributes=attributes)))
    (span,) = traces.read_trace(database, trace_id.hex()).spans
    assert span.attributes == {"nan": "nan", "inf": "inf", "minus": "-inf", "in a list": ["nan", 1.5]}
    assert "NaN" not in trace_of(trace_id.hex(), [span]).model_dump_json()


# (what it shows, is it bad, kind, status, attributes)
CLASSES = [
    ("an explicit Ok is good", False, SERVER, OK, {"http.response.status_code": 503, "error.type": "X"}),
    ("status ERROR is bad", True, SERVER, ERROR, {}),
    ("status ERROR is bad, also with a good code", True, SERVER, ERROR, {"http.response.status_code": 200}),
    ("status ERROR of an internal span is bad", True, INTERNAL, ERROR, {}),
    ("nothing said is good", False, SERVER, UNSET, {}),
    ("200 is good", False, SERVER, UNSET, {"http.response.status_code": 200}),
    ("500 of a server is bad", True, SERVER, UNSET, {"http.response.status_code": 500}),
    ("500 of a server is bad under the old name", True, SERVER, UNSET, {"http.status_code": 500}),
    ("503 written as text is bad", True, SERVER, UNSET, {"http.status_code": "503"}),
    ("500 of a consumer is bad", True, CONSUMER, UNSET, {"http.response.status_code": 500}),
    ("404 of a server is the client's fault", False, SERVER, UNSET, {"http.response.status_code": 404}),
    ("429 of a server is the client's fault", False, SERVER, UNSET, {"http.status_code": 429}),
    ("404 of a client is bad", True, CLIENT, UNSET, {"http.response.status_code": 404}),
    ("399 of a client is good", False, CLIENT, UNSET, {"http.response.status_code": 399}),
    ("500 of an internal span says nothing", False, INTERNAL, UNSET, {"http.response.status_code": 500}),
    ("a code that is none says nothing", False, SERVER, UNSET, {"http.response.status_code": "abc"}),
    ("a code beyond HTTP says nothing", False, SERVER, UNSET, {"http.response.status_code": 2**40}),
    ("code 999 says nothing", False, SERVER, UNSET, {"http.response.status_code": 999}),
    ("gRPC INTERNAL of a server is bad", True, SERVER, UNSET, {"rpc.grpc.status_code": 13}),
    ("gRPC NOT_FOUND of a server is good", False, SERVER, UNSET, {"rpc.grpc.status_code": 5}),
    ("gRPC NOT_FOUND of a client is bad", True, CLIENT, UNSET, {"rpc.grpc.status_code": 5}),
    ("gRPC OK of a client is good", False, CLIENT, UNSET, {"rpc.grpc.status_code": 0}),
    ("UNAVAILABLE by name is bad", True, SERVER, UNSET, {"rpc.status_code": "UNAVAILABLE"}),
    ("the interim name counts too", True, SERVER, UNSET, {"rpc.response.status_code": "DATA_LOSS"}),
    ("NOT_FOUND by name of a server is good", False, SERVER, UNSET, {"rpc.status_code": "NOT_FOUND"}),
    ("NOT_FOUND by name of a client is bad", True, CLIENT, UNSET, {"rpc.status_code": "NOT_FOUND"}),
    ("OK by name of a client is good", False, CLIENT, UNSET, {"rpc.status_code": "OK"}),
    ("error.type marks an error", True, SERVER, UNSET, {"error.type": "TimeoutError"}),
    ("error.type marks an error of an internal span", True, INTERNAL, UNSET, {"error.type": "TimeoutError"}),
    ("error.type marks an error of a producer", True, PRODUCER, UNSET, {"error.type": "x"}),
    *(
        (f"gRPC {code} of a server is {'bad' if code in {2, 4, 12, 13, 14, 15} else 'good'}",
         code in {2, 4, 12, 13, 14, 15}, SERVER, UNSET, {"rpc.grpc.status_code": code})
        for code in range(1, 17)
    ),
]  # fmt: skip


def test_every_kind_of_span_is_classified_as_the_conventions_say(database, store, otlp):
    spans = [
        otlp.span(name, kind=kind, status=status, attributes=attributes)
        for name, _, kind, status, attributes in CLASSES
    ]
    store(database, otlp.traces(*spans))
    found = {row["name"]: row["error"] for row in rows(database, "SELECT name, error FROM spans")}
    assert found == {name: bad for name, bad, *_ in CLASSES}


def hostile_spans(otlp):
    """Return spans that protobuf accepts and no clock, database or JSON expects."""
    return {
        "start 0": otlp.span(start_ns=0),
        "start 2^64-1": otlp.span(start_ns=2**64 - 1),
        "start 2^63": otlp.span(start_ns=2**63),
        "start 2^63-1": otlp.span(start_ns=2**63 - 1),
        "a day ahead": otlp.span(start_ns=otlp.ago_ns(days=-1)),
        "older than the retention": otlp.span(start_ns=otlp.ago_ns(days=15)),
        "end before start": otlp.span(end_time_unix_nano=5),
        "end 2^64-1": otlp.span(end_time_unix_nano=2**64 - 1),
        "huge duration": otlp.span(duration_ns=2**63),
        "kind 99": otlp.span(kind=99),
        "kind -1": otlp.span(kind=-1),
        "kind 2^31-1": otlp.span(kind=2**31 - 1),
        "status 7": otlp.span(status=7),
        "status -1": otlp.span(status=-1),
        "short parent": otlp.span(parent=b"abc"),
        "long parent": otlp.span(parent=b"x" * 300),
        "links with ids of any length": otlp.span(
            links=[Span.Link(trace_id=b"x" * n, span_id=b"y" * n) for n in (0, 1, 15, 17, 1000)]
        ),
        "events at any time": otlp.span(events=[Span.Event(time_unix_nano=n) for n in (0, 2**63, 2**64 - 1)]),
        "a megabyte of name": otlp.span("n" * 1_000_000),
        "100,000 attributes": otlp.span(attributes={f"key {n}": n for n in range(100_000)}),
        "keys twice": otlp.span(
            trace_state="\x00" * 100,
            flags=2**32 - 1,
            attributes={},
        ),
        "nested 30 deep": otlp.span(attributes={"deep": nested(30)}),
        "codes of any size": otlp.span(
            attributes={"http.status_code": 2**63 - 1, "rpc.grpc.status_code": -(2**63), "cache.hit": "no bool"}
        ),
    }


def nested(depth):
    return [nested(depth - 1)] if depth else "bottom"


def test_no_value_makes_an_insert_fail_and_every_span_can_be_read_back(database, store, otlp):
    spans = hostile_spans(otlp)
    spans["keys twice"].attributes.extend([KeyValue(key="twice", value=otlp.value(value)) for value in ("a", 1, "b")])
    trace_id = os.urandom(16)
    for case, span in spans.items():
        span.trace_id = trace_id
        span.attributes.extend(otlp.pairs({"case": case}))
    store(database, otlp.traces(*spans.values()))
    found = {span.attributes["case"]: span for span in traces.read_trace(database, trace_id.hex()).spans}
    assert set(found) == set(spans)
    assert found["end before start"].duration_ns == 0
    assert found["huge duration"].duration_ns == 2**63
    assert {found[case].kind for case in ("kind 99", "kind -1", "kind 2^31-1")} == {"unspecified"}
    assert {found[case].status for case in ("status 7", "status -1")} == {"unset"}
    assert {found[case].parent_span_id for case in ("short parent", "long parent")} == {""}
    assert [len(link.trace_id) // 2 for link in found["links with ids of any length"].links] == [0, 1, 15, 17, 1000]
    assert found["keys twice"].attributes["twice"] in {"a", 1, "b"}
    assert len(found["100,000 attributes"].attributes) == 100_001
    answer = trace_of(trace_id.hex(), list(found.values()))
    assert len(answer.spans) == len(spans)
    assert answer.model_dump_json()


STRAY = ("start 0", "start 2^64-1", "start 2^63", "start 2^63-1", "a day ahead", "older than the retention")


def test_a_span_without_a_credible_start_is_kept_at_its_arrival_and_counted_nowhere(database, store, otlp):
    spans = {case: span for case, span in hostile_spans(otlp).items() if case in STRAY}
    wanted = {case: span.start_time_unix_nano for case, span in spans.items()}
    for case, span in spans.items():
        span.name = case
    store(database, otlp.traces(*spans.values(), otlp.span("credible", attributes={"cache.hit": True})))
    found = rows(database, "SELECT name, quarantined, original_start_ns, ts FROM spans")
    assert {row["name"]: row["original_start_ns"] for row in found if row["quarantined"]} == wanted
    assert all(abs(row["ts"] - datetime.now(UTC)) < timedelta(minutes=1) for row in found if row["quarantined"])
    (red,) = services.services(database, **hour())
    assert red.requests == 1
    indicator = SpanIndicator(service="shop", environment="prod")
    assert sum(m.total for m in count_past(database, [indicator], since=datetime.now(UTC) - timedelta(days=30))) == 1
    counted = requests.count_requests(database, "shop", Selection(**hour()))
    assert counted.total == 1
    assert one(database, "SELECT sum(lookups) FROM cache_1m") == 1
    assert one(database, "SELECT uniqExact(minute) FROM arrivals") == 1


SAMPLED = [
    ("no threshold stands for itself", "", 1),
    ("another vendor's state says nothing", "vendor=th:8", 1),
    ("threshold 0 keeps everything", "ot=th:0", 1),
    ("half", "ot=th:8", 2),
    ("a quarter", "ot=th:c", 4),
    ("a tenth, rounded", "ot=th:e6666666666666", 10),
    ("behind others", "a=b,ot=rv:0123456789abcd;th:c", 4),
    ("before others", "ot=th:c;rv:0123456789abcd,x=y", 4),
    ("no hexadecimal number", "ot=th:zz", 1),
    ("fifteen digits", "ot=th:123456789abcdef", 1),
    ("never more than a million", "ot=th:ffffffffffffff", 1_000_000),
    ("ten kilobytes", "ot=" + "x" * 10_000 + ";th:c", 4),
]


def test_a_sampled_span_stands_for_as_many_as_its_trace_state_says(database, store, otlp):
    spans = [otlp.span(case, trace_state=state, kind=SERVER) for case, state, _ in SAMPLED]
    store(database, otlp.traces(*spans))
    found = {row["name"]: row["weight"] for row in rows(database, "SELECT name, weight FROM spans")}
    assert found == {case: weight for case, _, weight in SAMPLED}
    (red,) = services.services(database, **hour())
    assert red.requests == sum(weight for *_, weight in SAMPLED)
    indicator = SpanIndicator(service="shop", environment="prod")
    counted = count_past(database, [indicator], since=datetime.now(UTC) - timedelta(days=1))
    assert sum(minute.total for minute in counted) == red.requests


TEXTS = ("spanname", "thekey", "thevalue", "theservice", "theenv", "theversion", "themessage", "theroute", "theevent",
         "cachename", "reskey", "resvalue", "inlist", "eventkey")  # fmt: skip


def test_text_that_is_no_utf_8_is_shown_with_replacement_characters(database, store, otlp):
    trace_id = os.urandom(16)
    span = otlp.span(
        "spanname",
        trace_id=trace_id,
        message="themessage",
        attributes={
            "thekey": "thevalue", "http.route": "theroute", "list": ["inlist"],
            "cache.hit": True, "cache.name": "cachename",
        },
        events=[Span.Event(name="theevent", attributes=otlp.pairs({"eventkey": 1}))],
    )  # fmt: skip
    body = otlp.traces(
        span, service="theservice", environment="theenv", version="theversion", resource={"reskey": "resvalue"}
    )
    for text in TEXTS:
        assert text.encode() in body
        body = body.replace(text.encode(), b"\xff" + text[1:].encode())
    shown = {text: "�" + text[1:] for text in TEXTS}
    store(database, body)
    (found,) = traces.read_trace(database, trace_id.hex()).spans
    assert (found.name, found.service, found.environment) == tuple(
        shown[k] for k in ("spanname", "theservice", "theenv")
    )
    assert (found.version, found.status_message) == (shown["theversion"], shown["themessage"])
    assert found.attributes[shown["thekey"]] == shown["thevalue"]
    assert found.attributes["http.route"] == shown["theroute"]
    assert found.origin.resource[shown["reskey"]] == shown["resvalue"]
    assert [event.name for event in found.events] == [shown["theevent"]]
    assert trace_of(trace_id.hex(), [found]).model_dump_json()
    (red,) = services.services(database, **hour())
    assert (red.name, red.environment, red.versions) == (shown["theservice"], shown["theenv"], [shown["theversion"]])
    (operation,) = services.operations(database, red.name, red.environment, **hour())
    assert operation.name == shown["spanname"]
    (summary,) = traces.search(database, **hour(), service=shown["theservice"], operation=shown["spanname"])
    assert (summary.name, summary.services) == (shown["spanname"], [shown["theservice"]])
    (cache,) = caches(database, **hour(), step_s=60)
    assert cache.name == shown["cachename"]


def test_a_service_without_a_name_is_unknown_service(database, store, otlp):
    store(
        database,
        otlp.traces(otlp.span(), service="", environment=""),
        otlp.traces(otlp.span(), service="", resource={"service.name": 5}),
        otlp.traces(otlp.span(), service="", resource={"service.name": ["a"]}),
        otlp.traces(otlp.span(), service="old", environment="", resource={"deployment.environment": "legacy"}),
    )
    found = {(red.name, red.environment): red.requests for red in services.services(database, **hour())}
    assert found == {("unknown_service", ""): 1, ("unknown_service", "prod"): 2, ("old", "legacy"): 1}


def test_metric_values_that_make_no_sense_do_not_make_an_insert_fail(database, store, otlp):
    request, found = otlp.metrics_request()
    gauge = found.add(name="g").gauge
    for at in (0, 2**63, 2**64 - 1, otlp.ago_ns(days=400), otlp.ago_ns(days=-400)):
        gauge.data_points.add(time_unix_nano=at, start_time_unix_nano=2**64 - 1, as_double=math.nan)
    gauge.data_points.add(time_unix_nano=otlp.ago_ns())
    for value in (math.inf, -math.inf, -0.0, 1e308):
        gauge.data_points.add(time_unix_nano=otlp.ago_ns(), as_double=value, flags=2**32 - 1)
    total = found.add(name="s").sum
    total.aggregation_temporality = 77
    total.data_points.add(time_unix_nano=otlp.ago_ns(), as_int=-(2**63))
    histogram = found.add(name="h").histogram
    histogram.aggregation_temporality = -1
    histogram.data_points.add(
        time_unix_nano=otlp.ago_ns(), count=2**64 - 1, bucket_counts=[2**64 - 1], explicit_bounds=[2, 1]
    )
    found.add(name="no data")
    found.add(name="").gauge.data_points.add(time_unix_nano=otlp.ago_ns(), as_int=1)
    store(database, request.SerializeToString(), signal="metrics")
    assert one(database, "SELECT count() FROM metric_points") == 12
    assert one(database, "SELECT count() FROM metric_histograms") == 1
    strays = one(database, "SELECT countIf(abs(dateDiff('second', ts, now())) > 120) FROM metric_points")
    assert strays == 0, "a point without a credible time is kept at its arrival"


def test_users_of_the_collectors_clickhouse_exporter_find_their_columns(database, store, otlp):
    """All but the attributes of events and links, which stay OTLP bytes."""
    span = otlp.span(
        "GET /", status=ERROR, message="no", attributes={"a": "x", "n": 1, "b": True}, events=[Span.Event(name="e")]
    )
    store(database, otlp.traces(span, service="shop", resource={"host.name": "h"}))
    (row,) = rows(database, "SELECT * FROM otel_traces")
    assert set(row) == {
        "Timestamp", "TraceId", "SpanId", "ParentSpanId", "TraceState", "SpanName", "SpanKind", "ServiceName",
        "ResourceAttributes", "ScopeName", "ScopeVersion", "SpanAttributes", "Duration", "StatusCode", "StatusMessage",
        "Events.Timestamp", "Events.Name", "Links.TraceId", "Links.SpanId",
    }  # fmt: skip
    assert (row["TraceId"], row["SpanId"], row["ParentSpanId"]) == (span.trace_id.hex(), span.span_id.hex(), "")
    assert (row["SpanName"], row["SpanKind"], row["ServiceName"]) == ("GET /", "Server", "shop")
    assert (row["StatusCode"], row["StatusMessage"], row["Duration"]) == ("Error", "no", 10_000_000)
    assert row["SpanAttributes"] == {"a": "x", "n": "1", "b": "true"}
    assert row["ResourceAttributes"]["host.name"] == "h"
    assert row["Events.Name"] == ["e"]


def test_a_child_that_arrives_before_its_root_is_one_trace_with_it(database, store, otlp):
    trace_id, start = os.urandom(16), otlp.ago_ns(minutes=2)
    root = otlp.span("root", trace_id=trace_id, start_ns=start, duration_ns=10**9)
    child = otlp.span(
        "child", trace_id=trace_id, start_ns=start + 5, duration_ns=10**6, parent=root.span_id, status=ERROR
    )
    store(database, otlp.traces(child, service="orders"))
    store(database, otlp.traces(root, service="gateway"))
    (summary,) = traces.search(database, **hour())
    assert (summary.service, summary.name, summary.spans, summary.errors) == ("gateway", "root", 2, 1)
    assert (summary.services, summary.duration_ms) == (["gateway", "orders"], 1000.0)
    found = traces.read_trace(database, trace_id.hex()).spans
    assert [(span.name, span.parent_span_id) for span in found] == [("root", ""), ("child", root.span_id.hex())]
    assert traces.read_trace(database, "00" * 16).spans == []
