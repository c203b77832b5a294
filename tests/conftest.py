"""One engine a test session, a clean database a test, and OTLP requests as an SDK would send them."""

import itertools
import os
import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

import storage.client
from collector.segment import frame
from storage.client import Database
from storage.ingest import insert_segment
from storage.migrate import migrate

UNIT = Path(__file__).parent / "unit"
MEMBERS = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value", bytes: "bytes_value"}
WITH_ROWS = "SELECT DISTINCT table FROM system.parts WHERE active AND database = currentDatabase() AND rows > 0"

# a loaded machine is slow, not wrong
hypothesis_settings.register_profile("suite", deadline=None, max_examples=60)
hypothesis_settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _no_database_in_unit_tests(request, monkeypatch):
    """Unit tests open no database: one that tries fails here, and belongs to tests/integration."""
    if UNIT in request.path.parents:

        def refuse(*_args, **_options):
            pytest.fail(f"{request.node.nodeid} opens a database; move it to tests/integration")

        monkeypatch.setattr(storage.client.clickhouse_connect, "get_client", refuse)


class Engine:
    """The one embedded engine of this process, and databases in it."""

    def __init__(self, folder: Path) -> None:
        self._url = f"chdb://{folder}/clickhouse"
        self._numbers = itertools.count()
        self._keeper = self.database()  # holds the path open: each reopening leaks threads

    def url(self, name: str) -> str:
        return f"{self._url}?database={name}"

    def database(self) -> Database:
        """Return a new database without tables."""
        return Database(self.url(f"test_{next(self._numbers)}"), memory_bytes=1 << 30)

    @staticmethod
    def drop(database: Database) -> None:
        database.command(f"DROP DATABASE IF EXISTS `{database.address.database}` SYNC")
        database.close()


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    return Engine(tmp_path_factory.mktemp("engine"))


@pytest.fixture
def empty_database(engine):
    """A database of its own, without tables: for tests that create or change them."""
    found = engine.database()
    yield found
    engine.drop(found)


@pytest.fixture(scope="session")
def _migrated(engine):
    found = engine.database()
    migrate(found)
    return found


@pytest.fixture
def database(_migrated):
    """A migrated database without rows. Its tables are shared by the session: truncating is 20 times faster."""
    yield _migrated
    with _migrated.client() as client:
        filled = [row[0] for row in client.query(WITH_ROWS).result_rows]
    for table in filled:
        if table != "migrations":
            _migrated.command(f"TRUNCATE TABLE `{table}`")


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
