"""What several test files share: one running server a file, a lane of the collector, and a client of HTTP."""

import httpx
import pytest

from collector.spool import spool as spools
from collector.writer import writer as writers
from storage.migrate import migrate
from tests.conftest import WITH_ROWS
from tests.integration.collector_lane import Lane
from tests.integration.otlp_process import CollectorProcess
from tests.integration.otlp_stack import otlp_stack
from tests.integration.shop_traces import ShopTraces


@pytest.fixture(scope="module")
def conforming(_chdb, otlp, tmp_path_factory):
    """Both receivers over the real engine, shared by the tests of a file.

    When the file is through, every item that was acknowledged must be stored, once, and no dead letter may be there.
    """
    database = _chdb.migrated
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "collector.spool.spool.SEAL_AFTER_S", 30.0
        )  # an insert costs the same whatever its size: see settle
        with otlp_stack(database, otlp, tmp_path_factory.mktemp("conforming")) as found:
            yield found
    with database.client() as client:
        filled = [row[0] for row in client.query(WITH_ROWS).result_rows]
    for table in filled:
        if table != "migrations":
            database.command(f"TRUNCATE TABLE `{table}`")


@pytest.fixture(scope="session")
def collector_process(_http, bridge, tmp_path_factory):
    """`ninelives collector` in a process of its own, with a database of its own in the server of this session."""
    database = _http.database()
    migrate(database)
    found = CollectorProcess(tmp_path_factory.mktemp("collector"), database, bridge.url(database.address.database))
    found.start()
    yield found
    assert found.stop() == 0
    _http.drop(database)


@pytest.fixture
def quick_writer(monkeypatch):
    """The writer hardly waits for the disk, and time seals no segment."""
    monkeypatch.setattr(writers, "DISK_PAUSE_S", 0.01)
    monkeypatch.setattr(spools, "SEAL_AFTER_S", 3600.0)


@pytest.fixture
def lane(tmp_path, quick_writer):
    """Return functions that fill the spool of this test and write it out."""
    return Lane(tmp_path)


@pytest.fixture
def browserless():
    """A client of HTTP that nobody takes for a browser."""
    with httpx.Client(trust_env=False, timeout=5) as client:
        yield client


@pytest.fixture
def shop(otlp):
    return ShopTraces(otlp)
