"""What a targets file and a request may say about edges."""

import pytest
from pydantic import ValidationError

from chaos.daemon.world import read_world
from chaos.errors import FaultRefusedError, TargetsError
from chaos.faults import build_fault
from chaos.wire import FaultRequest

EDGES = """
proxies:
  - {name: bytes, listen: 127.0.0.1:0, upstream: 127.0.0.1:1}
  - {name: requests, listen: 127.0.0.1:0, upstream: 127.0.0.1:1, protocol: http}
"""


@pytest.fixture
def world(tmp_path):
    path = tmp_path / "targets.yaml"
    path.write_text(EDGES, encoding="utf-8")
    return read_world(path)


def build(world, kind, target="requests", **attributes):
    return build_fault("f-1", FaultRequest(kind=kind, target=target, lease_ms=1000, attributes=attributes), world)


def test_an_edge_carries_bytes_unless_it_says_http(world):
    """Tcp is the default, since it is right for every protocol."""
    assert (world.proxy("bytes").protocol, world.proxy("requests").protocol) == ("tcp", "http")


def test_another_protocol_is_refused_with_its_name(tmp_path):
    """The message names the file, the field and the value."""
    path = tmp_path / "targets.yaml"
    path.write_text(EDGES.replace("protocol: http", "protocol: grpc"), encoding="utf-8")
    with pytest.raises(TargetsError, match=r"targets\.yaml: proxies\.1\.protocol.*grpc"):
        read_world(path)


@pytest.mark.parametrize(
    ("kind", "attributes", "reason"),
    [
        ("latency", {}, "latency: this field is required"),
        ("latency", {"latency": 5, "distribution": "cauchy"}, "distribution"),
        ("latency", {"latency": 5, "stream": "upstream"}, "stream: unknown field"),
        ("latency", {"latency": 600_001}, "latency"),
        ("partition", {"mode": "maybe"}, "mode"),
        ("partition", {"mode": "refuse", "direction": "upstream"}, "use mode blackhole or reset"),
        ("http", {}, "would do nothing"),
        ("http", {"status": 503, "abort": True}, "not both"),
        ("http", {"status": 99}, "status"),
        ("http", {"status": 503, "share": 1.5}, "share"),
        ("http", {"status": 503, "match": {"no name": "x"}}, "match"),
        ("toxic", {"type": "gravity", "name": "g"}, "use one of latency, bandwidth"),
        ("toxic", {"type": "latency", "name": "g", "attributes": {"latency": "5"}}, "latency"),
        ("toxic", {"type": "latency"}, "name: this field is required"),
    ],
)
def test_attributes_that_make_no_sense_are_refused_by_name(world, kind, attributes, reason):
    """400, and the message says which one."""
    with pytest.raises(FaultRefusedError, match=reason) as refused:
        build(world, kind, **attributes)
    assert refused.value.status == 400


@pytest.mark.parametrize("share", [0, 0.51, -1])
def test_groups_take_at_most_half_of_the_requests_each(share):
    """Beyond that control and treatment would overlap."""
    groups = {"run": "r", "share": share, "seed": "s"}
    with pytest.raises(ValidationError, match="share"):
        FaultRequest(kind="latency", target="requests", lease_ms=1, groups=groups)
