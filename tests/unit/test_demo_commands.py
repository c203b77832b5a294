import socket
import time
from pathlib import Path

import pytest

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
    until = read_state(state_path(tmp_path))["latency"]
    assert before + 120 <= until <= time.time() + 120
    clock = time.strftime("%H:%M:%S", time.localtime(until))
    assert capsys.readouterr().out.startswith(f"Broken: latency, until {clock}")


def test_break_without_an_end_lasts_until_heal(tmp_path, capsys):
    assert main(["break", "cache", "--data", str(tmp_path)]) == 0
    assert read_state(state_path(tmp_path)) == {"cache": None}
    assert "until `heal`" in capsys.readouterr().out
    assert main(["heal", "--data", str(tmp_path)]) == 0
    assert read_state(state_path(tmp_path)) == {}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["break", "fire"], "'errors', 'latency', 'cache'"),
        (["break", "errors", "--for", "soon"], "'soon'"),
        (["break", "errors", "--for", "0s"], "'0s'"),
        (["run", "--rate", "-1"], "'-1'"),
        (["run", "--rate", "nan"], "'nan'"),
    ],
)
def test_misuse_ends_with_2_and_names_the_bad_value(arguments, named, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert named in capsys.readouterr().err


def _listener_with_free_neighbours() -> socket.socket:
    """Return a listener whose next two ports, which the shop would take too, are free."""
    while True:
        taken = socket.create_server(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        try:
            for neighbour in (port + 1, port + 2):
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


def test_the_fault_daemon_reads_the_targets(tmp_path, capsys):
    assert main(["targets", "--data", str(tmp_path), "--base-port", "9000"]) == 0
    targets = read_targets(Path(capsys.readouterr().out.strip()))
    (proxy,) = targets.proxies
    assert (proxy.name, proxy.listen, proxy.upstream) == ("gateway-orders", "127.0.0.1:9100", "127.0.0.1:9001")
    assert (proxy.client, proxy.server) == ("gateway", "orders")
    assert {process.name: process.pid_file for process in targets.processes} == {
        name: f"run/{name}.json" for name in ("catalog", "orders", "gateway")
    }


def test_the_pid_files_are_where_the_targets_say(tmp_path):
    url = "http://127.0.0.1:9100"
    settings = ShopSettings("http://127.0.0.1:4318", tmp_path, Ports(9000), url, 50.0, 0.0, 0.0, "demo")
    specs = child_specs(settings)
    assert specs["orders"].pid_file == tmp_path / "demo" / "run" / "orders.json"
    assert "http://127.0.0.1:9100" in specs["gateway"].arguments
    assert "http://127.0.0.1:9002" in specs["orders"].arguments


def test_the_slo_files_are_read_without_a_complaint():
    files = {path.name: path.read_text(encoding="utf-8") for path in (DEMO / "slos").glob("*.yaml")}
    slos, problems = read_openslo_files(files)
    assert problems == []
    assert {slo.id for slo in slos} == {
        f"{service}-{kind}" for service in ("gateway", "orders", "catalog") for kind in ("availability", "latency")
    }
    assert {slo.environment for slo in slos} == {"demo"}


def test_the_experiments_are_read_and_name_targets_that_exist(tmp_path):
    main(["targets", "--data", str(tmp_path)])
    targets = read_targets(tmp_path / "demo" / "targets.yaml")
    known = {each.name for each in (*targets.proxies, *targets.processes)}
    experiments = [read_experiment(path) for path in sorted((DEMO / "experiments").glob("*.yaml"))]
    assert [experiment.name for experiment in experiments] == ["orders-kill", "orders-latency"]
    assert {fault.target for experiment in experiments for fault in experiment.method} <= known
    assert {experiment.environment for experiment in experiments} == {"demo"}
