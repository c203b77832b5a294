"""The board over HTTP: a real daemon with every kind of target, and its client."""

import sys

import httpx
import pytest
import yaml

from chaos.daemon.undo import UndoRecords
from chaos.errors import FaultDaemonError
from tests.integration.chaos_daemon import Daemon, Hello, eventually, http_server

pytestmark = pytest.mark.e2e

MORE_TARGETS = {
    "commands": [
        {"name": "slow", "service": "orders", "inject": [sys.executable, "-S", "-c", "import time; time.sleep(1.2)"],
         "undo": ["true"]},
    ],
    "containers": [{"name": "orders", "container": "shop-orders-1"}],
    "caches": [{"name": "redis", "redis": "127.0.0.1:6379", "service": "catalog"}],
    "pools": [{"name": "catalog", "address": "127.0.0.1:7002"}],
    "limits": {"max_faults": 2, "max_lease_ms": 90_000},
}  # fmt: skip


class FullDaemon(Daemon):
    def start(self):
        targets = yaml.safe_load(self.targets.read_text(encoding="utf-8"))
        self.targets.write_text(yaml.safe_dump(targets | MORE_TARGETS), encoding="utf-8")
        super().start()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with http_server(Hello) as upstream:
        running = FullDaemon(tmp_path_factory.mktemp("full"), upstream.server_port)
        yield running
        running.end()


def test_all_targets_are_listed(daemon):
    targets = daemon.client.targets()
    assert [each.name for each in targets.commands] == ["slow"]
    assert [each.service for each in targets.commands + targets.caches] == ["orders", "catalog"]
    assert [each.name for each in targets.containers + targets.caches + targets.pools] == ["orders", "redis", "catalog"]


def test_a_slow_injection_leaves_a_whole_lease(daemon):
    """It used up most of the first one; the client, which is alive, renews."""
    fault = daemon.inject("command", "slow", lease_ms=2000)
    assert (fault.phase, fault.lease_ms) == ("active", 2000)
    assert fault.expires_in_ms > 1500
    eventually(lambda: daemon.state(fault.id).phase == "reverted", 5)
    with pytest.raises(FaultDaemonError, match="ended by lease while it was injected; give it a longer lease") as error:
        daemon.inject("command", "slow", lease_ms=300)
    assert error.value.status == 409


def test_the_emergency_stop_locks_over_http_and_over_a_restart(daemon):
    """Also for Toxiproxy clients, until it is released."""
    toxic = {"type": "latency", "attributes": {"latency": 5}}
    toxics = f"{daemon.url}/proxies/gateway-orders/toxics"
    fault = daemon.inject("latency", latency=300)
    (stopped,) = daemon.client.emergency_stop(by="ann", reason="too much")
    assert (stopped.id, stopped.ended_by, stopped.verified) == (fault.id, "emergency-stop", True)
    daemon.kill()
    daemon.start()
    state = daemon.client.emergency_stop_state()
    assert (state.locked, state.by, state.reason) == (True, "ann", "too much")
    with pytest.raises(FaultDaemonError, match=r"emergency stop by ann at .* \(too much\)") as error:
        daemon.inject("latency", latency=300)
    assert error.value.status == 423
    assert httpx.post(toxics, json=toxic, trust_env=False).status_code == 423
    assert not daemon.client.release_emergency_stop().locked
    assert httpx.post(toxics, json=toxic, trust_env=False).status_code == 200
    assert httpx.post(f"{daemon.url}/emergency-stop", trust_env=False).json()["locked"] is True
    assert not daemon.client.release_emergency_stop().locked
    assert UndoRecords(daemon.folder / "chaos" / "undo").leftovers() == []


def test_limits_hold_for_toxiproxy_clients_too(daemon):
    """Who knows no leases gets the longest that is allowed; one toxic too many is a conflict."""
    names = ("a", "b", "c")
    documents = [{"name": name, "type": "latency", "attributes": {"latency": 1}} for name in names]
    toxics = f"{daemon.url}/proxies/gateway-orders/toxics"
    answers = [httpx.post(toxics, json=document, trust_env=False).status_code for document in documents]
    assert answers == [200, 200, 409]
    assert {fault.lease_ms for fault in daemon.active()} == {90_000}
    assert httpx.post(f"{daemon.url}/reset", trust_env=False).status_code == 204
    assert daemon.active() == []
