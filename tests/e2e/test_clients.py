"""Real clients: every item that they sent is there once, with every value as it was sent, and nothing was refused."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from client_api import Item
from client_delivery import Delivery, collect, run_all
from client_hop import hop
from client_providers import GRPC, HTTP
from client_shop import Shop, run_services
from stack import Stack

WAYS = [*HTTP, *GRPC]
HOPS = {"rotel-http": "grpc-gzip", "rotel-grpc": "http-gzip"}  # out over one protocol, in over the other
FORWARDED_SPANS = 10_000  # through each hop
LOGFIRE = ["logfire-environment", "logfire-pending"]
CLIENTS = [*WAYS, *HOPS, *LOGFIRE]
METRICS = {  # what the API has to say of them: the increase of a counter or histogram, the last value of a gauge
    "level?service=http": {"north": -2.5},
    "orders.taken?service=logfire-pending": {"DE": 20},
    "order.size?service=logfire-environment": {"DE": 20},
}


@pytest.fixture(scope="module")
def delivery(make_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    """All clients at once: the SDK over every protocol and compression, through another collector, and logfire."""
    stack = make_stack("--no-dashboard")
    stack.start()
    folder = tmp_path_factory.mktemp("clients")
    ledgers = {client: folder / f"{client}.json" for client in CLIENTS}
    commands = {way: sdk(way, way, target(stack, way), ledgers[way]) for way in WAYS}
    for name in LOGFIRE:
        way = name.removeprefix("logfire-")
        commands[name] = ["client_logfire.py", name, target(stack, "http"), way, str(ledgers[name])]
    with ExitStack() as hops:
        for name, way in HOPS.items():
            out = name.removeprefix("rotel-")
            inward = hops.enter_context(hop(tmp_path_factory.mktemp(name), out, stack.url(f"otlp-{out}")))
            commands[name] = sdk(name, way, inward["grpc" if way in GRPC else "http"], ledgers[name], FORWARDED_SPANS)
        run_all(commands)
    return collect(stack, ledgers, metrics=METRICS)


def sdk(service: str, way: str, to: str, ledger: Path, more_spans: int = 0) -> list[str]:
    return ["client_sdk.py", service, way, to, str(ledger), str(more_spans)]


def target(stack: Stack, way: str) -> str:
    return f"127.0.0.1:{stack.ports['otlp-grpc' if way in GRPC else 'otlp-http']}"


@pytest.mark.parametrize("client", CLIENTS)
def test_every_span_arrives_once_with_every_value(delivery: Delivery, client: str):
    assert len(delivery.sent[client]["spans"]) > (FORWARDED_SPANS if client in HOPS else 10)
    delivery.assert_spans([client])


@pytest.mark.parametrize("client", CLIENTS)
def test_every_point_arrives_once_with_every_value(delivery: Delivery, client: str):
    delivery.assert_items("points", client, client)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_exemplar_arrives_once_with_every_value(delivery: Delivery, client: str):
    delivery.assert_items("exemplars", client, client)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_log_record_arrives_once_with_every_value(delivery: Delivery, client: str):
    delivery.assert_items("logs", client, client)


@pytest.mark.parametrize("client", [*WAYS, *HOPS])
def test_requests_are_counted_exactly(delivery: Delivery, client: str):
    delivery.assert_requests(client)


def test_nothing_is_refused_rejected_repeated_or_put_aside(delivery: Delivery):
    delivery.assert_nothing_refused()


def test_the_api_lists_every_metric_and_every_log_record(delivery: Delivery):
    delivery.assert_listed()


@pytest.mark.parametrize("path", METRICS)
def test_a_metric_over_time_adds_up_to_what_was_sent(delivery: Delivery, path: str):
    answer = delivery.metrics[path]
    found = {}
    for item in answer["items"]:
        label = item["labels"].get("country", item["labels"].get("probe"))
        increases = [step["increase"] for step in item["steps"] if step["increase"] is not None]
        found[label] = sum(increases) if increases else item["steps"][-1]["value"]
    assert found == pytest.approx(METRICS[path])  # an increase may be spread over two steps
    assert {exemplar["trace_id"] for exemplar in answer["exemplars"]} <= delivery.traces.keys()
    assert answer["exemplars"]


def test_what_the_sdk_sends_has_every_kind_of_everything(delivery: Delivery):
    """Guards the comparisons above: they would also hold for a client that sends little."""
    sent = delivery.sent["http"]
    assert {point["type"] for point in sent["points"]} == {"gauge", "sum", "histogram", "exponential_histogram"}
    assert {point["temporality"] for point in sent["points"]} == {"unspecified", "delta", "cumulative"}
    assert {point["monotonic"] for point in sent["points"] if point["type"] == "sum"} == {True, False}
    assert 2**53 + 1 in {point.get("value") for point in sent["points"]}
    assert {span["kind"] for span in sent["spans"]} == {"server", "client", "internal", "producer", "consumer"}
    assert {span["status"] for span in sent["spans"]} == {"unset", "ok", "error"}
    assert "vendor=a:b;c,other=1" in {span["trace_state"] for span in sent["spans"]}
    assert any(span["events"] for span in sent["spans"])
    assert max(len(span["links"]) for span in sent["spans"]) == 2
    root = next(span for span in sent["spans"] if span["name"] == "GET /orders/{id}")
    assert root["attributes"]["int.beyond_a_double"] == 2**53 + 1
    assert root["attributes"]["map"] == {"a": 1, "b": {"c": [1, {"d": "AP8="}]}, "empty": {}}
    assert root["attribute_types"]["bytes"] == "bytes"
    assert {type(log["body"]) for log in sent["logs"]} >= {str, int, float, bool, list, dict}
    assert any(exemplar["trace_id"] and exemplar["attributes"] for exemplar in sent["exemplars"])


@pytest.mark.parametrize("client", LOGFIRE)
def test_nested_values_of_logfire_are_json_texts_that_stay_whole(delivery: Delivery, client: str):
    spans = [span for trace in delivery.traces.values() for span in trace["spans"] if span["service"] == client]
    orders = [span["attributes"] for span in spans if span["attributes"].get("logfire.msg") == "take order 7"]
    assert orders
    for attributes in orders:
        assert json.loads(attributes["order"]) == {"number": 2**53 + 1, "positions": ["tea", "naïve 🐈"]}
        assert json.loads(attributes["nested"]) == {"a": [1, {"b": None}], "c": 2.0}
        assert json.loads(attributes["logfire.json_schema"])["properties"]["order"]["title"] == "Order"


def by_type(delivery: Delivery, client: str) -> dict[str, list[Item]]:
    """Return what logfire sent, by its own type of span."""
    found: dict[str, list[Item]] = {"span": [], "log": [], "pending_span": []}
    for span in delivery.sent[client]["spans"]:
        found[span["attributes"]["logfire.span_type"]].append(span)
    return found


@pytest.mark.parametrize("client", LOGFIRE)
def test_what_logfire_sends_is_stored_once_and_counts_as_no_request(delivery: Delivery, client: str):
    spans = by_type(delivery, client)
    assert (len(spans["span"]), len(spans["log"])) == (41, 23)
    assert client not in delivery.services


def test_a_pending_span_of_logfire_is_a_span_of_its_own_under_the_one_it_announces(delivery: Delivery):
    assert not by_type(delivery, "logfire-environment")["pending_span"]
    spans = by_type(delivery, "logfire-pending")
    final = {span["span_id"]: span for span in spans["span"]}
    assert "a long one that fails" in {span["name"] for span in spans["pending_span"]}
    for pending in spans["pending_span"]:  # one more for each time that a span was open when its batch went out
        assert pending["span_id"] not in final
        assert final[pending["parent_span_id"]]["name"] == pending["name"]
        shown = {span["span_id"]: span for span in delivery.traces[pending["trace_id"]]["spans"]}
        assert shown[pending["span_id"]]["depth"] == shown[pending["parent_span_id"]]["depth"] + 1


ORDERS = 50  # a tenth is unknown, a tenth fails
MODES = {"old": "", "new": "http,database"}
LATENCY = {  # its name, unit and the attribute with the route
    "old": ("http.server.duration", "ms", "http.target"),
    "new": ("http.server.request.duration", "s", "http.route"),
}


@pytest.fixture(scope="module")
def shop(make_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """FastAPI, httpx, Redis and SQLAlchemy under their public instrumentations, with old and with new names."""
    stack = make_stack("--no-dashboard")
    stack.start()
    statuses, ledgers = run_services(stack, tmp_path_factory.mktemp("shop"), MODES, ORDERS)
    metrics = [f"{LATENCY[mode][0]}?service=shop-{mode}" for mode in MODES]
    return Shop(statuses, collect(stack, ledgers, metrics=metrics))


@pytest.mark.parametrize("mode", MODES)
def test_requests_and_errors_of_instrumented_services_are_counted_exactly(shop: Shop, mode: str):
    assert shop.statuses[mode] == {200: ORDERS * 8 // 10, 404: ORDERS // 10, 500: ORDERS // 10}
    front, back = (shop.delivery.services[f"{kind}-{mode}"].service for kind in ("shop", "stock"))
    assert (front.requests, front.errors, front.environment) == (ORDERS, ORDERS // 10, "test")
    assert (back.requests, back.errors, back.environment) == (ORDERS, 0, "test")


@pytest.mark.parametrize("mode", MODES)
def test_routes_and_outcomes_are_the_same_with_old_and_with_new_names(shop: Shop, mode: str):
    operations = shop.delivery.services[f"shop-{mode}"].operations
    found = [(item.name, item.requests, item.errors) for item in operations if item.kind == "server"]
    assert found == [("GET /orders/{order_id}", ORDERS, ORDERS // 10)]
    code = {"old": "http.status_code", "new": "http.response.status_code"}[mode]
    servers = [span for span in shop.spans(mode, "fastapi") if span["kind"] == "server"]
    assert {span["attributes"]["http.route"] for span in servers} == {"/orders/{order_id}", "/items/{item_id}"}
    assert all(span["error"] == (span["attributes"][code] >= 500) for span in servers)
    clients = [span for span in shop.spans(mode, "httpx") if span["kind"] == "client"]
    assert len(clients) == ORDERS
    assert all(span["error"] == (span["attributes"][code] >= 400) for span in clients)


@pytest.mark.parametrize("mode", MODES)
def test_every_order_is_one_trace_through_both_services_with_all_parents(shop: Shop, mode: str):
    traces = shop.traces(mode)
    assert len(traces) == ORDERS
    for trace in traces:
        assert trace["services"] == [f"shop-{mode}", f"stock-{mode}"]
        first, *others = trace["spans"]
        assert (first["name"], first["parent_span_id"], first["depth"]) == ("GET /orders/{order_id}", "", 0)
        seen = {first["span_id"]}
        for span in others:  # parents come before their children
            assert span["parent_span_id"] in seen
            assert span["depth"] > 0
            seen.add(span["span_id"])


@pytest.mark.parametrize("mode", MODES)
def test_calls_of_redis_and_of_the_database_are_there(shop: Shop, mode: str):
    system, text = {"old": ("db.system", "db.statement"), "new": ("db.system.name", "db.query.text")}[mode]
    commands = Counter((span["name"], span["attributes"][system]) for span in shop.spans(mode, "redis"))
    assert commands == {("GET", "redis"): ORDERS, ("SET", "redis"): ORDERS * 9 // 10}
    selects = [span for span in shop.spans(mode, "sqlalchemy") if span["name"] == "SELECT"]
    assert len(selects) == ORDERS
    assert {(span["attributes"][system], span["attributes"][text]) for span in selects} == {
        ("sqlite", "SELECT name FROM item WHERE id = ?")
    }


@pytest.mark.parametrize("mode", MODES)
def test_the_servers_latency_is_measured_in_the_unit_of_its_name(shop: Shop, mode: str):
    metric, unit, route = LATENCY[mode]
    points = [
        point
        for point in shop.delivery.stored["points"]
        if point["service"] == f"shop-{mode}" and point["metric"].startswith("http.server.") and "counts" in point
    ]
    points = [point for point in points if "size" not in point["metric"]]
    assert {(point["metric"], point["unit"], point["attributes"][route]) for point in points} == {
        (metric, unit, "/orders/{order_id}")
    }
    last_ns = max(point["time_ns"] for point in points)
    assert sum(point["count"] for point in points if point["time_ns"] == last_ns) == ORDERS
    answer = shop.delivery.metrics[f"{metric}?service=shop-{mode}"]
    assert answer["kind"]["unit"] == unit
    assert sum(step["increase"] for item in answer["items"] for step in item["steps"]) == pytest.approx(ORDERS)


@pytest.mark.parametrize("service", [f"{kind}-{mode}" for kind in ("shop", "stock") for mode in MODES])
def test_points_of_instrumented_services_arrive_value_by_value(shop: Shop, service: str):
    shop.delivery.assert_items("points", service, service)


def test_spans_of_instrumented_services_arrive_value_by_value_and_nothing_is_refused(shop: Shop):
    shop.delivery.assert_spans()
    shop.delivery.assert_listed()
    shop.delivery.assert_nothing_refused()
