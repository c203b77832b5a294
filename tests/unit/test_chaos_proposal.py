"""The first experiment: which dependency, which delay and duration, and what is refused with what advice."""

from types import SimpleNamespace

import pytest
import yaml

from api.client import ApiClient, ApiError
from api.models import Dependency, Slo
from chaos.daemon.targets import read_targets
from chaos.errors import ExperimentError
from chaos.experiments.experiment_file import parse_experiment
from chaos.experiments.proposal import Caller, propose
from chaos.fault_client import FaultClient
from chaos.wire import ProxyTarget
from ninelives.first_experiment import write_first_experiment

NOBODY = "http://127.0.0.1:9"  # the port discard: no fault daemon answers there
LISTEN = "127.0.0.1:7100"
SHOP = Caller("shop", p95_ms=20.0, requests_per_s=40.0)


def call(address="10.0.0.7", port=7001, *, server="stock", protocol="http", calls=100, p95_ms=10.0):
    return Dependency(
        address=address, port=port, server=server, protocol=protocol, calls=calls, errors=0, p50_ms=5.0, p95_ms=p95_ms
    )


def slo(kind="availability", objective=0.999, threshold_ms=None, environment="prod", service="shop"):
    return Slo.model_construct(
        id=f"{service}-{kind}", service=service, kind=kind, objective=objective, threshold_ms=threshold_ms,
        environment=environment,
    )  # fmt: skip


def edge(name="shop-stock", listen=LISTEN, client="shop", server="stock", protocol="http"):
    return ProxyTarget(
        name=name, listen=listen, upstream="10.0.0.7:7001", client=client, server=server, protocol=protocol
    )


def proposed(*dependencies, caller=SHOP, slos=(), edges=(), listen=LISTEN):
    return propose(caller, dependencies or [call()], slos=slos, edges=edges, listen=listen)


def read(found):
    return parse_experiment(found.experiment, name=found.name)


def test_the_busiest_dependency_with_an_address_is_chosen_and_both_files_can_be_read(tmp_path):
    found = proposed(call("", 0, calls=900), call(), call("10.0.0.8", calls=5))
    experiment = read(found)
    (tmp_path / "targets.yaml").write_text(found.targets)
    (proxy,) = read_targets(tmp_path / "targets.yaml").proxies
    assert (proxy.name, proxy.client, proxy.server, proxy.upstream) == ("shop-stock", "shop", "stock", "10.0.0.7:7001")
    assert (proxy.listen, proxy.protocol) == (LISTEN, "http")
    assert experiment.method[0].target == proxy.name == found.edge
    assert experiment.groups.share == 0.3
    assert found.name == "shop-stock-latency"


def test_a_database_is_compared_before_and_after_over_windows_of_one_length():
    found = proposed(call("::1", 6379, server="", protocol="redis"))
    experiment = read(found)
    assert (found.dependency, found.upstream) == ("redis", "[::1]:6379")
    assert experiment.groups is None
    assert experiment.baseline_s == experiment.duration_s
    assert "protocol" not in yaml.safe_load(found.targets)["proxies"][0]


def test_an_edge_of_the_daemon_is_used_as_it_is():
    found = proposed(call("127.0.0.1", 7100), edges=[edge("front", protocol="tcp")])
    assert (found.targets, found.edge, found.upstream) == (None, "front", "10.0.0.7:7001")
    assert read(found).groups is None  # that edge sees bytes


def test_without_objectives_the_threshold_is_twice_what_is_usual_and_the_delay_twice_the_threshold():
    experiment = read(proposed(caller=Caller("shop", p95_ms=120.0)))
    availability, latency = experiment.hypothesis
    assert (availability.margin, latency.threshold_ms) == (0.02, 250)
    assert experiment.method[0].latency_ms == 500


def test_a_caller_who_waits_breaks_the_loosest_objective_and_a_strict_one_gets_a_margin_that_can_be_proven():
    slos = [slo(), slo("latency", 0.95, 300.0)]
    experiment = read(proposed(slos=slos))
    assert [(line.slo, line.margin) for line in experiment.objectives] == [
        ("shop-availability", 0.02),
        ("shop-latency", None),
    ]
    assert experiment.method[0].latency_ms > 300


@pytest.mark.parametrize(("rate", "seconds"), [(0.0, 60), (40.0, 60), (2.0, 470), (0.5, 600)])
def test_the_fault_is_held_for_as_long_as_the_traffic_needs_to_prove_that_nothing_happened(rate, seconds):
    assert read(proposed(caller=Caller("shop", requests_per_s=rate))).duration_s == seconds


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({"dependencies": []}, "send it requests"),
        ({"dependencies": [call("", 0)]}, "server.address"),
        ({"dependencies": [call("127.0.0.1", 7100)]}, "start the fault daemon first"),
        ({"dependencies": [call()], "edges": [edge("other", client="web")]}, "--listen HOST:PORT"),
    ],
)
def test_what_cannot_be_proposed_is_refused_with_advice(arguments, advice):
    found = {"slos": (), "edges": (), "listen": LISTEN} | arguments
    dependencies = found.pop("dependencies")
    with pytest.raises(ExperimentError, match=advice):
        propose(SHOP, dependencies, **found)


def test_a_name_with_a_slash_stays_in_its_folder(tmp_path):
    write(Api(), tmp_path, service="../shop")
    assert [path.name for path in tmp_path.glob("*.yaml")] == ["shop-stock-latency.yaml"]


class Api(ApiClient):
    """A service that calls one other."""

    def __init__(self, *, status=404):
        self.status = status

    def dependencies(self, service, **_):
        return [call()]

    def slos(self):
        return [slo(), slo("latency", 0.95, 300.0), slo(environment="test"), slo(service="other"), slo("freshness")]

    def service(self, name, *, window_s, **_):
        if self.status:
            raise ApiError("no", self.status)
        return SimpleNamespace(service=SimpleNamespace(p95_ms=20.0, requests=40 * window_s))


def write(api, folder, *, service="shop", environment="prod"):
    with FaultClient(NOBODY) as faults:
        return write_first_experiment(
            api, service, environment=environment, folder=folder, listen=LISTEN, faults=faults
        )


def test_the_steps_name_the_files_that_were_written(tmp_path):
    lines = write(Api(), tmp_path)
    experiment, targets = tmp_path / "shop-stock-latency.yaml", tmp_path / "targets" / "shop-stock.yaml"
    assert lines[-1] == f"then run it: ninelives chaos run {experiment}"
    assert f"run the proxy:  ninelives chaos daemon --targets {targets}" in lines
    assert "lead shop through it: where it has 10.0.0.7:7001, give it 127.0.0.1:7100" in lines
    written = parse_experiment(experiment.read_text(), name="x")
    assert written.environment == "prod"
    assert [line.slo for line in written.objectives] == ["shop-availability", "shop-latency"]
    assert read_targets(targets).proxies


@pytest.mark.parametrize("present", ["shop-stock-latency.yaml", "targets/shop-stock.yaml"])
def test_nothing_is_written_where_one_of_the_files_is_there(present, tmp_path):
    (tmp_path / "targets").mkdir()
    (tmp_path / present).write_text("mine")
    with pytest.raises(ExperimentError, match=f"{present} is there already"):
        write(Api(), tmp_path)
    assert [path.read_text() for path in tmp_path.rglob("*.yaml")] == ["mine"]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExperimentError, match="--folder"):
        write(Api(), tmp_path / "file" / "experiments")


def test_an_api_that_fails_is_not_taken_for_a_service_without_traffic(tmp_path):
    with pytest.raises(ApiError):
        write(Api(status=503), tmp_path)
    assert not list(tmp_path.iterdir())
