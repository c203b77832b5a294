"""One engine a test session, a clean database a test, and OTLP requests as an SDK would send them."""

import functools
import itertools
import os
import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import httpx
import pytest
from hypothesis import settings as hypothesis_settings
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

import storage.client
from collector.spool.segment import frame
from storage.client import Database
from storage.ingest import insert_segment
from storage.migrate import migrate
from tests.bridge.bridge import Bridge

ALL_OVER_HTTP = {"test_storage_ingest", "test_storage_migrate"}
UNIT = Path(__file__).parent / "unit"
MEMBERS = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value", bytes: "bytes_value"}
WITH_ROWS = "SELECT DISTINCT table FROM system.parts WHERE active AND database = currentDatabase() AND rows > 0"

# a loaded machine is slow, not wrong
hypothesis_settings.register_profile("suite", deadline=None, max_examples=60)
hypothesis_settings.load_profile("suite")

# the certificates of all authorities are read once, and not for every client: that takes 20 ms
httpx._transports.default.create_ssl_context = functools.cache(httpx.create_ssl_context)


def pytest_make_parametrize_id(val, argname):
    """Bytes that no one can read name no test: a packed body holds the time, and parallel runs need equal names."""
    unreadable = isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable())
    return argname if unreadable else None


@pytest.fixture(autouse=True)
def _no_database_in_unit_tests(request, monkeypatch):
    """Unit tests open no database: one that tries fails here, and belongs to tests/integration."""
    if UNIT in request.path.parents:

        def refuse(*_args, **_options):
            pytest.fail(f"{request.node.nodeid} opens a database; move it to tests/integration")

        monkeypatch.setattr(storage.client.clickhouse_connect, "get_client", refuse)


class Engine:
    """One engine for the whole session, and databases in it. Its URL without the database's name ends in *url*."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count()
        self._keeper = self.database()  # holds an embedded engine open: each reopening leaks threads

    def database(self) -> Database:
        """Return a new database without tables."""
        return Database(f"{self._url}test_{next(self._numbers)}", memory_bytes=1 << 30)

    @functools.cached_property
    def migrated(self) -> Database:
        """A migrated database, the same for the whole session: truncating its tables is 20 times faster."""
        found = self.database()
        migrate(found)
        return found

    @staticmethod
    def drop(database: Database) -> None:
        database.command(f"DROP DATABASE IF EXISTS `{database.address.database}` SYNC")
        database.close()


def pytest_addoption(parser):
    parser.addoption("--http", choices=["sample", "all"], default="sample", help="What is run over HTTP as well.")


def pytest_generate_tests(metafunc):
    """Run what touches a database over both transports: all of it embedded, and so much of it over HTTP as is quick."""
    if {"database", "empty_database"} & set(metafunc.fixturenames):
        over_http = (
            metafunc.config.getoption("--http") == "all"
            or metafunc.module.__name__.rpartition(".")[2] in ALL_OVER_HTTP
            or crc32(metafunc.function.__name__.encode()) % 6 == 0
        )
        metafunc.parametrize("transport", ["chdb", "http"] if over_http else ["chdb"])


@pytest.fixture(scope="session")
def _chdb(tmp_path_factory):
    return Engine(f"chdb://{tmp_path_factory.mktemp('engine')}/clickhouse?database=")


@pytest.fixture(scope="session")
def bridge(tmp_path_factory):
    """A server of this session, in a zone of its own that nobody may notice."""
    zone = "America/St_Johns"
    with Bridge(tmp_path_factory.mktemp("bridge"), user="test", password="p@ss/word", timezone=zone) as found:
        yield found


@pytest.fixture(scope="session")
def _http(bridge):
    return Engine(bridge.url(""))


@pytest.fixture
def engine(request, transport):
    return request.getfixturevalue(f"_{transport}")


@pytest.fixture
def empty_database(engine):
    """A database of its own, without tables: for tests that create or change them."""
    found = engine.database()
    yield found
    engine.drop(found)


@pytest.fixture
def database(engine):
    """A migrated database without rows."""
    found = engine.migrated
    yield found
    with found.client() as client:
        filled = [row[0] for row in client.query(WITH_ROWS).result_rows]
    for table in filled:
        if table != "migrations":
            found.command(f"TRUNCATE TABLE `{table}`")


@pytest.fixture(scope="session")
def store():
    """Return a function that inserts requests as the writer does: one segment, one token."""

    def insert(database, *bodies, signal="traces", token=None):
        data = b"".join(frame(body) for body in bodies)
        insert_segment(database, signal, data, token or f"test:{secrets.token_hex(8)}")

    return insert


@pytest.fixture(scope="session")
def otlp():
    return Otlp()


class Otlp:
    """Builds OTLP requests. Times default to a minute ago, ids to fresh ones."""

    @staticmethod
    def ago_ns(**delta) -> int:
        return time.time_ns() - timedelta(**delta) // timedelta(microseconds=1) * 1000

    @staticmethod
    def ns(moment: datetime) -> int:
        return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000

    @classmethod
    def value(cls, value) -> AnyValue:
        """Return *value* as AnyValue; None is a value that holds nothing."""
        if isinstance(value, list):
            return AnyValue(array_value=ArrayValue(values=[cls.value(item) for item in value]))
        if isinstance(value, dict):
            return AnyValue(kvlist_value=KeyValueList(values=cls.pairs(value)))
        return AnyValue() if value is None else AnyValue(**{MEMBERS[type(value)]: value})

    @classmethod
    def pairs(cls, attributes) -> list[KeyValue]:
        return [KeyValue(key=key, value=cls.value(value)) for key, value in attributes.items()]

    def span(
        self,
        name="GET /",
        *,
        kind=Span.SPAN_KIND_SERVER,
        start_ns=None,
        duration_ns=10_000_000,
        trace_id=None,
        span_id=None,
        parent=b"",
        status=0,
        message="",
        attributes=None,
        **fields,
    ) -> Span:
        start = self.ago_ns(minutes=1) if start_ns is None else start_ns
        found = Span(
            trace_id=os.urandom(16) if trace_id is None else trace_id,
            span_id=os.urandom(8) if span_id is None else span_id,
            parent_span_id=parent,
            name=name,
            kind=kind,
            start_time_unix_nano=start,
            attributes=self.pairs(attributes or {}),
            **fields,
        )
        found.end_time_unix_nano = fields.get("end_time_unix_nano", min(start + duration_ns, 2**64 - 1))
        found.status.code = status
        found.status.message = message
        return found

    def request(self, *spans, service="shop", environment="prod", version="", resource=None):
        """Return an ExportTraceServiceRequest with all *spans* in one resource and scope."""
        named = {"service.name": service, "deployment.environment.name": environment, "service.version": version}
        found = ExportTraceServiceRequest()
        group = found.resource_spans.add()
        group.resource.attributes.extend(
            self.pairs({key: value for key, value in named.items() if value} | (resource or {}))
        )
        scope = group.scope_spans.add()
        scope.scope.name = "test"
        scope.spans.extend(spans)
        return found

    def traces(self, *spans, **identity) -> bytes:
        return self.request(*spans, **identity).SerializeToString()

    def metric(self, name, kind, *points, unit="1", service="shop", environment="prod", resource=None, **data) -> bytes:
        """Return a request with one metric of *kind* ("gauge", "sum" ...) and its *points*; *data*: temporality ..."""
        request, metrics = self.metrics_request(service=service, environment=environment)
        request.resource_metrics[0].resource.attributes.extend(self.pairs(resource or {}))
        held = getattr(metrics.add(name=name, unit=unit, description=f"{name} of a test"), kind)
        held.SetInParent()
        for field, value in data.items():
            setattr(held, field, value)
        for point in points:
            held.data_points.add(**{"time_unix_nano": self.ago_ns(seconds=5), **point})
        return request.SerializeToString()

    def point(self, at_ns, *, start_ns=0, attributes=None, **fields) -> dict:
        """Return the fields of a data point of any kind."""
        named = {"time_unix_nano": at_ns, "start_time_unix_nano": start_ns, "attributes": self.pairs(attributes or {})}
        return {**named, **fields}

    def logs(self, *records, service="shop", environment="prod", resource=None) -> bytes:
        """Return an ExportLogsServiceRequest with all *records*, each a mapping of LogRecord's fields."""
        request = ExportLogsServiceRequest()
        group = request.resource_logs.add()
        named = {"service.name": service, "deployment.environment.name": environment}
        group.resource.attributes.extend(self.pairs(named | (resource or {})))
        scope = group.scope_logs.add()
        scope.scope.name = "test.logger"
        for record in records:
            scope.log_records.add(**{"time_unix_nano": self.ago_ns(seconds=5), **record})
        return request.SerializeToString()

    def record(self, body, *, attributes=None, **fields) -> dict:
        """Return the fields of a log record."""
        return {"body": self.value(body), "attributes": self.pairs(attributes or {}), **fields}

    def metrics_request(self, *, service="shop", environment="prod"):
        """Return an ExportMetricsServiceRequest and its list of metrics, which the caller fills."""
        found = ExportMetricsServiceRequest()
        group = found.resource_metrics.add()
        group.resource.attributes.extend(
            self.pairs({"service.name": service, "deployment.environment.name": environment})
        )
        return found, group.scope_metrics.add().metrics

    def counter(self, name, value, *, service="shop", at_ns=None, start_ns=0, attributes=None) -> bytes:
        """Return a request with one point of a cumulative counter."""
        request, metrics = self.metrics_request(service=service)
        metric = metrics.add(name=name, unit="1")
        metric.sum.aggregation_temporality = 2
        metric.sum.is_monotonic = True
        metric.sum.data_points.add(
            start_time_unix_nano=start_ns,
            time_unix_nano=self.ago_ns(seconds=5) if at_ns is None else at_ns,
            as_int=value,
            attributes=self.pairs(attributes or {}),
        )
        return request.SerializeToString()
