"""What a service calls, from its client spans: the destination, who answered there, and how well."""

from datetime import timedelta

import pytest

from storage.dependencies import Dependency, dependencies

pytestmark = pytest.mark.slow

CLIENT, SERVER = 3, 2
HTTP = {"http.request.method": "GET", "server.address": "127.0.0.1", "server.port": 7001}
REDIS = {"db.system.name": "redis", "server.address": "cache", "server.port": 6379}


def called(database, service="gateway", environment="", *, start, minutes=1):
    return dependencies(database, service, start=start, end=start + timedelta(minutes=minutes), environment=environment)


def test_destinations_come_busiest_first_with_the_service_that_answered(database, store, shop):
    for index in range(10):
        root = shop.request(at_ms=index * 10, service="gateway")
        call = shop.span("GET", root, service="gateway", kind=CLIENT, ms=20, error=index == 0, attributes=HTTP)
        if index:  # the first call never arrived
            shop.span("quote", call, service="orders", kind=SERVER, ms=10)
        if index % 2:
            shop.span("GET", root, service="gateway", kind=CLIENT, ms=2, attributes=REDIS)
    store(database, *shop.bodies())
    assert called(database, start=shop.base) == [
        Dependency("127.0.0.1", 7001, "orders", "http", 10, 1, 20.0, 20.0),
        Dependency("cache", 6379, "", "redis", 5, 0, 2.0, 2.0),
    ]


def test_calls_of_other_services_times_and_environments_are_not_counted(database, store, shop):
    root = shop.request(service="gateway")
    shop.span("GET", root, service="gateway", kind=CLIENT, attributes=HTTP)
    shop.span("GET", root, service="other", kind=CLIENT, attributes=HTTP)
    store(database, *shop.bodies(environment="prod"))
    start = shop.base
    assert [each.calls for each in called(database, environment="prod", start=start)] == [1]
    assert called(database, environment="demo", start=start) == []
    assert called(database, start=start + timedelta(minutes=1)) == []


def test_a_call_that_names_no_destination_is_shown_without_one(database, store, shop):
    root = shop.request(service="gateway")
    shop.span("GET", root, service="gateway", kind=CLIENT, ms=5)
    store(database, *shop.bodies())
    found = called(database, start=shop.base)
    assert [(each.address, each.port, each.protocol, each.calls) for each in found] == [("", 0, "", 1)]


@pytest.mark.parametrize(
    ("attributes", "destination"),
    [
        ({"http.method": "GET", "http.url": "http://10.0.0.7:7001/a?b=c:9"}, ("10.0.0.7", 7001, "http")),
        ({"http.method": "GET", "http.url": "http://[::1]:7001/a"}, ("[::1]", 7001, "http")),
        ({"http.method": "GET", "http.url": "http://stock/items"}, ("stock", 80, "http")),
        ({"http.request.method": "GET", "url.full": "https://stock.example/items"}, ("stock.example", 443, "http")),
        ({"http.request.method": "GET", "url.full": "https://a:1/", **HTTP}, ("127.0.0.1", 7001, "http")),
        ({"db.system": "redis", "net.peer.name": "cache", "net.peer.port": 6379}, ("cache", 6379, "redis")),
    ],
)
def test_a_destination_is_read_from_older_names_and_from_the_url(attributes, destination, database, store, shop):
    """The instrumentations of httpx and Redis write these as long as OTEL_SEMCONV_STABILITY_OPT_IN is unset."""
    root = shop.request(service="gateway")
    shop.span("GET", root, service="gateway", kind=CLIENT, ms=5, attributes=attributes)
    store(database, *shop.bodies())
    assert [(each.address, each.port, each.protocol) for each in called(database, start=shop.base)] == [destination]
