import itertools
import socket
import time
from pathlib import Path

import pytest
import yaml

from chaos.daemon.targets import read_targets
from chaos.experiments.experiment_file import read_experiment
from demo.__main__ import main
from demo.ports import Ports
from demo.state import read_state, state_path
from demo.supervisor import ShopSettings, child_specs
from slo.openslo import read_openslo_files

DEMO = Path(__file__).parents[2] / "demo"


def test_break_says_what_it_did_and_until_when(tmp_path, capsys):
    before = time.time()
    assert main(["break", "latency", "--for", "2m", "--data", str(tmp_path)]) == 0
    until = read_state(state_path(tmp_path)).modes["latency"]
    assert before + 120 <= until <= time.time() + 120
    clock = time.strftime("%H:%M:%S", time.localtime(until))
    assert capsys.readouterr().out.startswith(f"Broken: latency, until {clock}")


def test_break_without_an_end_lasts_until_heal(tmp_path, capsys):
    assert main(["break", "cache", "--data", str(tmp_path)]) == 0
    assert read_state(state_path(tmp_path)).modes == {"cache": None}
    assert "until `heal`" in capsys.readouterr().out
    assert main(["heal", "--data", str(tmp_path)]) == 0
    assert read_state(state_path(tmp_path)).modes == {}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["break", "fire"], "'errors', 'latency', 'cache'"),
        (["break", "errors", "--for", "soon"], "'soon'"),
        (["break", "errors", "--for", "0s"], "'0s'"),
        (["configure", "brittle"], "'fragile', 'resilient'"),
        (["run", "--config", "brittle"], "'brittle'"),
        (["run", "--rate", "-1"], "'-1'"),
        (["run", "--rate", "nan"], "'nan'"),
    ],
)
def test_misuse_ends_with_2_and_names_the_bad_value(arguments, named, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert named in capsys.readouterr().err


def test_configure_says_what_is_chosen_and_heal_leaves_it(tmp_path, capsys):
    assert main(["configure", "resilient", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "Configured: resilient.\n"
    assert main(["heal", "--data", str(tmp_path)]) == 0
    assert read_state(state_path(tmp_path)).configuration == "resilient"


def _listener_with_free_neighbours() -> socket.socket:
    """Return a listener whose next ports, which the shop would take too, are free."""
    while True:
        taken = socket.create_server(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        try:
            for neighbour in range(port + 1, port + 5):
                socket.create_server(("127.0.0.1", neighbour)).close()
        except OSError:
            taken.close()
        else:
            return taken


def test_a_taken_port_is_one_line_that_names_it_and_the_option(tmp_path, capsys):
    with _listener_with_free_neighbours() as taken:
        port = taken.getsockname()[1]
        assert main(["run", "--no-history", "--base-port", str(port), "--data", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"Port {port} " in error
    assert "--base-port" in error


def test_the_targets_are_the_edges_the_instances_the_cache_and_the_pool(tmp_path, capsys):
    assert main(["targets", "--data", str(tmp_path), "--base-port", "9000"]) == 0
    path = Path(capsys.readouterr().out.strip())
    targets = yaml.safe_load(path.read_text())
    edges = {edge["name"]: (edge["listen"], edge["upstream"], edge["protocol"]) for edge in targets["proxies"]}
    assert edges == {
        "gateway-orders": ("127.0.0.1:9100", "127.0.0.1:9001", "http"),
        "gateway-orders-2": ("127.0.0.1:9101", "127.0.0.1:9003", "http"),
        "catalog-cache": ("127.0.0.1:9102", "127.0.0.1:9004", "http"),
    }
    sides = {edge["name"]: (edge["client"], edge["server"]) for edge in targets["proxies"]}
    assert sides == {
        "gateway-orders": ("gateway", "orders"),
        "gateway-orders-2": ("gateway", "orders"),
        "catalog-cache": ("catalog", "item-cache"),
    }
    assert {process["name"]: process["service"] for process in targets["processes"]} == {
        "item-cache": "item-cache",
        "catalog": "catalog",
        "orders": "orders",
        "orders-2": "orders",
        "gateway": "gateway",
    }
    assert all(process["pid_file"] == f"run/{process['name']}.json" for process in targets["processes"])
    assert all((path.parent / process["disk_folder"]).is_dir() for process in targets["processes"])
    (cache,) = targets["caches"]
    assert cache["flush"] == {"method": "POST", "url": "http://127.0.0.1:9004/flush"}
    (pool,) = targets["pools"]
    assert pool["address"] == "127.0.0.1:9002"


@pytest.mark.parametrize(("through_proxy", "ports"), [(True, (9100, 9101, 9102)), (False, (9001, 9003, 9004))])
def test_the_services_call_each_other_through_the_proxies_only_if_told_to(tmp_path, through_proxy, ports):
    settings = ShopSettings("http://127.0.0.1:4318", tmp_path, Ports(9000), through_proxy, 50.0, 0.0, 0.0, "demo")
    specs = child_specs(settings)
    first, second, cache = (f"http://127.0.0.1:{port}" for port in ports)
    assert _upstreams(specs["gateway"]) == [first, second]
    assert _upstreams(specs["orders"]) == _upstreams(specs["orders-2"]) == ["http://127.0.0.1:9002"]
    assert _upstreams(specs["catalog"]) == [cache]
    assert specs["orders-2"].pid_file == tmp_path / "demo" / "run" / "orders-2.json"


def _upstreams(spec):
    return [value for option, value in itertools.pairwise(spec.arguments) if option == "--upstream-url"]


def test_the_slo_files_are_read_without_a_complaint():
    files = {path.name: path.read_text(encoding="utf-8") for path in (DEMO / "slos").glob("*.yaml")}
    slos, problems = read_openslo_files(files)
    assert problems == []
    assert {slo.id for slo in slos} == {
        f"{service}-{kind}" for service in ("gateway", "orders", "catalog") for kind in ("availability", "latency")
    }
    assert {slo.environment for slo in slos} == {"demo"}


def test_the_experiments_name_targets_that_exist(tmp_path):
    main(["targets", "--data", str(tmp_path)])
    targets = read_targets(tmp_path / "demo" / "targets.yaml")
    known = {each.name for each in (*targets.proxies, *targets.processes, *targets.caches)}
    experiments = [read_experiment(path) for path in sorted((DEMO / "experiments").glob("*.yaml"))]
    named = {each.name: {fault.target for fault in each.method} for each in experiments}
    assert named == {
        "cache-latency": {"catalog-cache"},
        "orders-cpu": {"orders"},
        "orders-file-descriptors": {"orders"},
        "orders-kill": {"orders"},
        "orders-latency": {"gateway-orders"},
        "orders-partition": {"gateway-orders"},
    }
    assert set().union(*named.values()) <= known
    assert {experiment.environment for experiment in experiments} == {"demo"}
