"""What the targets file allows, and how it is read."""

from datetime import UTC, datetime

import pytest

from chaos.daemon.limits import require_within, share_of
from chaos.daemon.targets import Limits, read_targets
from chaos.daemon.world import read_world
from chaos.errors import FaultRefusedError, TargetsError
from chaos.wire import FaultRequest, FaultState

ALL = """
processes:
  - {name: orders, pid_file: run/orders.json, disk_folder: data, max_memory_mb: 256}
commands:
  - {name: drop, inject: [./drop, --now], undo: [./create], check: [./exists], timeout_s: 5}
containers:
  - {name: orders, container: shop-orders-1}
caches:
  - {name: http, flush: {url: "http://127.0.0.1:7003/flush"}}
  - {name: redis, redis: "127.0.0.1:6379"}
pools:
  - {name: catalog, address: "127.0.0.1:7002"}
limits: {max_faults: 4, max_share: 0.5, max_lease_ms: 60000}
"""


def request(kind, lease_ms=1000, **attributes):
    return FaultRequest(kind=kind, target="orders", lease_ms=lease_ms, attributes=attributes)


def state(phase):
    return FaultState(
        id=f"f-{phase}", kind="hang", target="orders", attributes={}, lease_ms=1, expires_in_ms=1, phase=phase,
        injected_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def test_all_targets_are_read_and_paths_are_relative_to_the_file(tmp_path):
    path = tmp_path / "targets.yaml"
    path.write_text(ALL, encoding="utf-8")
    world = read_world(path)
    assert world.process("orders").disk_folder == tmp_path / "data"
    assert world.process("orders").max_memory_mb == 256
    assert world.command("drop").inject == ["./drop", "--now"]
    assert world.container("orders").container == "shop-orders-1"
    assert world.cache("http").flush.method == "POST"
    assert world.pool("catalog").address == "127.0.0.1:7002"
    assert world.limits == Limits(max_faults=4, max_share=0.5, max_lease_ms=60_000)
    assert world.folder == tmp_path
    with pytest.raises(FaultRefusedError, match=r"pool 'x' is not in the targets file \(known: catalog\)"):
        world.pool("x")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("caches: [{name: a}]", "give either flush or redis"),
        ('caches: [{name: a, redis: "1:2", flush: {url: "http://x"}}]', "give either flush or redis"),
        ("caches: [{name: a, redis: there}]", "is not an address"),
        ("caches: [{name: a, flush: {url: ftp://x}}]", r"caches.0.flush.url"),
        ("pools: [{name: a, address: there}]", "is not an address"),
        ("commands: [{name: a, inject: [], undo: [x]}]", r"commands.0.inject"),
        ("commands: [{name: a, inject: rm -rf, undo: [x]}]", r"commands.0.inject"),
        ("containers: [{name: a, container: --all}]", r"containers.0.container"),
        ("limits: {max_share: 2}", r"limits.max_share"),
        ("limits: {max_lease_ms: 600001}", r"limits.max_lease_ms"),
        ("limits: {max_fault: 2}", r"limits.max_fault: unknown field"),
        ("processes: [{name: a, pid_file: x}, {name: b, pid_file: x}]", "the pid_file 'x' is used twice"),
        ("pools: [{name: a, address: '1:2'}, {name: a, address: '1:3'}]", "the name 'a' is used twice"),
    ],
)
def test_a_bad_target_is_refused_with_its_field(tmp_path, text, reason):
    path = tmp_path / "targets.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TargetsError, match=reason):
        read_targets(path)


def test_without_limits_everything_that_a_lease_allows_is_allowed():
    require_within(Limits(), request("latency", lease_ms=600_000), [state("active")] * 50)


def test_only_faults_that_are_not_reverted_count():
    limits = Limits(max_faults=2)
    require_within(limits, request("hang"), [state("active"), state("reverted"), state("reverted")])
    for phase in ("active", "reverting", "unverified"):
        with pytest.raises(FaultRefusedError, match=f"f-active, f-{phase} make 2"):
            require_within(limits, request("hang"), [state("active"), state(phase)])


@pytest.mark.parametrize(
    ("wanted", "share"),
    [
        (request("latency"), 1.0),
        (request("latency", toxicity=0.25), 0.25),
        (request("hang"), 0.0),
        (request("command"), 0.0),
    ],
)
def test_a_share_is_that_of_requests_on_a_proxy(wanted, share):
    """What breaks a process as a whole has none, and `max_share` does not forbid it."""
    assert share_of(wanted) == share
    if share > 0.3:
        with pytest.raises(FaultRefusedError, match=r"would hit 1 of the requests, .*max_share .* is 0\.3"):
            require_within(Limits(max_share=0.3), wanted, [])
    else:
        require_within(Limits(max_share=0.3), wanted, [])
