"""Toxiproxy's Python client and its Chaos Toolkit extension, unchanged, against our daemon."""

import json
import subprocess
import sys
import time

import httpx
import pytest
from chaostoxi.proxy import actions as proxy_actions
from chaostoxi.proxy import probes as proxy_probes
from chaostoxi.toxic import actions as toxic_actions
from toxiproxy import Toxiproxy
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from tests.integration.chaos_daemon import Daemon, Hello, answers, elapsed_s, free_port, http_server

pytestmark = pytest.mark.slow

ENGINE = """
import json, sys
from chaoslib.experiment import run_experiment
experiment = json.load(open(sys.argv[1]))
journal = run_experiment(experiment)
print(json.dumps(journal, default=str))
"""

TOXICS = [
    ("latency", {"latency": 120, "jitter": 0}),
    ("bandwidth", {"rate": 64}),
    ("slow_close", {"delay": 20}),
    ("timeout", {"timeout": 0}),
    ("reset_peer", {"timeout": 10}),
    ("slicer", {"average_size": 64, "size_variation": 32, "delay": 10}),
    ("limit_data", {"bytes": 1000}),
]


@pytest.fixture(scope="module")
def shared_daemon(tmp_path_factory):
    with http_server(Hello) as upstream:
        running = Daemon(tmp_path_factory.mktemp("toxiproxy"), upstream.server_port)
        running.upstream = f"127.0.0.1:{upstream.server_port}"
        yield running
        running.end()


@pytest.fixture
def daemon(shared_daemon, monkeypatch):
    """The module's daemon without proxies beyond its targets file, and the clients pointed at it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(APIConsumer, "port", shared_daemon.port)
    monkeypatch.setenv("shop_PORT", "")  # chaostoxi sets it for good
    yield shared_daemon
    httpx.post(f"{shared_daemon.url}/reset", trust_env=False)
    for name in httpx.get(f"{shared_daemon.url}/proxies", trust_env=False).json():
        if name != "gateway-orders":
            httpx.delete(f"{shared_daemon.url}/proxies/{name}", trust_env=False)


@pytest.fixture
def http():
    with httpx.Client(timeout=2, trust_env=False) as found:
        yield found


def test_the_python_client_creates_finds_populates_and_destroys_proxies(daemon):
    """What its README shows, with its own exceptions for our answers."""
    server = Toxiproxy()
    assert server.running()
    assert json.loads(server.version())["version"]
    proxy = server.create(upstream=daemon.upstream, name="shop", listen="127.0.0.1:0")
    assert (proxy.name, proxy.enabled, proxy.upstream) == ("shop", True, daemon.upstream)
    assert answers(f"http://{proxy.listen}/")
    assert server.get_proxy("shop").listen == proxy.listen
    with pytest.raises(ProxyExists):
        server.create(upstream=daemon.upstream, name="shop")
    with pytest.raises(ProxyExists):
        APIConsumer.post("/proxies", json={"name": "shop", "upstream": daemon.upstream, "listen": "127.0.0.1:0"})
    made = server.populate(
        [
            {"name": "one", "upstream": daemon.upstream, "listen": f"127.0.0.1:{free_port()}"},
            {"name": "two", "upstream": daemon.upstream, "listen": f"127.0.0.1:{free_port()}"},
        ]
    )
    assert [each.name for each in made] == ["one", "two"]
    assert set(server.proxies()) == {"gateway-orders", "shop", "one", "two"}
    assert server.destroy(proxy)
    assert server.get_proxy("shop") is None
    with pytest.raises(NotFound):
        proxy.destroy()


def test_the_python_client_takes_a_proxy_down_and_up(daemon):
    """`with proxy.down()`, and by hand; on the board it is a partition with a lease."""
    proxy = Toxiproxy().create(upstream=daemon.upstream, name="shop", listen="127.0.0.1:0")
    with proxy.down():
        assert not answers(f"http://{proxy.listen}/")
        [state] = daemon.active()
        assert (state.kind, state.attributes["mode"], state.lease_ms) == ("partition", "refuse", 300_000)
        assert len(daemon.undo_records()) == 1
    assert answers(f"http://{proxy.listen}/")
    assert daemon.active() == []
    proxy.disable()
    assert not answers(f"http://{proxy.listen}/")
    assert Toxiproxy().reset()
    assert answers(f"http://{proxy.listen}/")
    assert Toxiproxy().get_proxy("shop").enabled


@pytest.mark.parametrize(("kind", "attributes"), TOXICS)
def test_the_python_client_adds_every_toxic_and_removes_it(daemon, kind, attributes):
    """As it was given, on the board with a lease, gone after its removal, and the proxy whole again."""
    proxy = Toxiproxy().create(upstream=daemon.upstream, name="shop", listen="127.0.0.1:0")
    proxy.add_toxic(type=kind, stream="upstream", toxicity=0.5, attributes=attributes)
    found = proxy.get_toxic(f"{kind}_upstream")
    assert (found.type, found.stream, found.toxicity, found.attributes) == (kind, "upstream", 0.5, attributes)
    [state] = daemon.active()
    assert (state.kind, state.attributes["type"], state.lease_ms) == ("toxic", kind, 300_000)
    with pytest.raises(ProxyExists):
        proxy.add_toxic(type=kind, stream="upstream", attributes=attributes)
    assert proxy.destroy_toxic(f"{kind}_upstream")
    assert proxy.toxics() == {}
    assert daemon.active() == []
    assert answers(f"http://{proxy.listen}/")
    with pytest.raises(NotFound):
        proxy.destroy_toxic(f"{kind}_upstream")
    with pytest.raises(InvalidToxic, match="invalid toxic type"):
        proxy.add_toxic(type="gravity")
    with pytest.raises(InvalidToxic, match="stream was invalid"):
        proxy.add_toxic(type=kind, stream="sideways")


def test_a_toxic_of_a_client_ends_with_its_lease(daemon, http):
    """`lease_ms` is our one addition; an update renews it."""
    url = f"{daemon.url}/proxies/gateway-orders/toxics"
    http.post(url, json={"type": "timeout", "name": "hole", "lease_ms": 400})
    assert not answers_soon(daemon)
    time.sleep(0.4)
    assert http.patch(f"{url}/hole", json={"toxicity": 0}).status_code == 404
    assert answers(daemon.edge)
    assert http.get(url).json() == []


def answers_soon(daemon):
    try:
        return httpx.get(daemon.edge, timeout=0.2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def test_updates_change_attributes_and_toxicity_and_nothing_else(daemon, http):
    """POST and PATCH; what is not given stays; wrong types are refused; a live connection feels it."""
    url = f"{daemon.url}/proxies/gateway-orders/toxics"
    created = http.post(url, json={"type": "latency", "name": "slow", "attributes": {"latency": 10, "jitter": 5}})
    assert created.status_code == 200
    for method in ("POST", "PATCH"):
        changed = http.request(method, f"{url}/slow", json={"attributes": {"latency": 20}, "name": "x", "type": "y"})
        assert changed.json() == created.json() | {"attributes": {"latency": 20, "jitter": 5}}
    assert http.patch(f"{url}/slow", json={"toxicity": 0.0}).json()["toxicity"] == 0.0
    assert http.patch(f"{url}/slow", json={}).json()["toxicity"] == 0.0
    for bad in ({"attributes": {"latency": "much"}}, {"toxicity": 2}, {"attributes": 5}, []):
        refused = http.patch(f"{url}/slow", json=bad)
        assert refused.status_code == 400
        assert refused.json()["error"].startswith("bad request body")
    assert elapsed_s(http, daemon.edge) < 0.2
    http.patch(f"{url}/slow", json={"toxicity": 1, "attributes": {"latency": 300, "jitter": 0}})
    assert elapsed_s(http, daemon.edge) >= 0.3


def test_a_proxy_that_cannot_move_stays_where_it_was(daemon, http):
    """The port it was to listen on is taken: an error, and the edge goes on."""
    taken = {"listen": f"127.0.0.1:{daemon.port}"}
    assert http.patch(f"{daemon.url}/proxies/gateway-orders", json=taken).status_code == 500
    assert answers(daemon.edge)
    assert http.get(f"{daemon.url}/proxies/gateway-orders").json()["enabled"] is True


def test_faults_of_ours_are_not_toxics_of_the_clients(daemon, http):
    """They are seen on the board; a client cannot change them by name, but its reset ends them."""
    fault = daemon.inject("latency", latency=10)
    assert http.get(f"{daemon.url}/proxies/gateway-orders").json()["toxics"] == []
    assert http.delete(f"{daemon.url}/proxies/gateway-orders/toxics/{fault.id}").status_code == 404
    assert http.post(f"{daemon.url}/reset").status_code == 204
    assert daemon.state(fault.id).ended_by == "reset"


def test_metrics_count_bytes_in_prometheus_text(daemon, http):
    """Toxiproxy's names and labels, and the faults on the board."""

    def sample(name, **labels):
        text = http.get(f"{daemon.url}/metrics").text
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        [line] = [each for each in text.splitlines() if each.startswith(name + "{") and all(w in each for w in wanted)]
        return float(line.rsplit(" ", 1)[1])

    before = sample("toxiproxy_proxy_sent_bytes_total", proxy="gateway-orders", direction="downstream")
    body = http.get(daemon.edge)
    grown = sample("toxiproxy_proxy_sent_bytes_total", proxy="gateway-orders", direction="downstream") - before
    assert grown > len(body.content)
    assert sample("toxiproxy_proxy_received_bytes_total", proxy="gateway-orders", direction="upstream") > 0
    daemon.inject("latency", latency=1)
    assert sample("chaos_faults", kind="latency", phase="active") == 1


def settings(daemon):
    return {"toxiproxy_url": daemon.url}


def test_the_chaos_toolkit_extension_works_action_by_action(daemon):
    """Every action and probe of chaostoxi 0.3."""
    configuration = settings(daemon)
    host, port = daemon.upstream.split(":")
    assert proxy_actions.create_proxy("shop", host, int(port), configuration=configuration)
    edge = f"http://127.0.0.1:{configuration['shop_PORT']}/"
    assert answers(edge)
    assert proxy_probes.get_proxy_attribute("shop", "listen", configuration).startswith("127.0.0.1:")
    assert proxy_probes.proxy_exist("shop", configuration)
    assert proxy_probes.proxy_exist("nobody", configuration) is False
    assert proxy_probes.get_proxy_attribute("shop", "enabled", configuration) is True
    assert proxy_actions.disable_proxy("shop", configuration)
    assert not answers(edge)
    assert proxy_probes.get_proxy_attribute("shop", "enabled", configuration) is False
    assert proxy_actions.enable_proxy("shop", configuration)
    assert answers(edge)
    proxy_actions.modify_proxy("shop", upstream_address="127.0.0.1:1", configuration=configuration)
    assert not answers(edge)
    proxy_actions.modify_proxy("shop", upstream_address=daemon.upstream, configuration=configuration)
    assert answers(edge)
    assert toxic_actions.create_latency_toxic("shop", "slow", 50, 10, configuration)
    assert toxic_actions.create_bandwith_degradation_toxic("shop", "thin", 100, configuration)
    assert toxic_actions.create_slow_connection_close_toxic("shop", "late end", 10, configuration)
    assert toxic_actions.create_slicer_toxic("shop", "sliced", 64, 32, 10, configuration)
    assert toxic_actions.create_limiter_toxic("shop", "short", 10_000, configuration)
    assert toxic_actions.create_toxic("shop", "rst", "reset_peer", toxicity=0.0, configuration=configuration)
    assert answers(edge)
    assert len(daemon.active()) == 6
    assert toxic_actions.create_timeout_toxic("shop", "hole", 50, configuration)
    assert not answers(edge)
    assert toxic_actions.delete_toxic("shop", "hole", configuration)
    assert answers(edge)
    assert proxy_actions.reset(configuration)
    assert daemon.active() == []
    proxy_actions.delete_proxy("shop", configuration)
    assert not proxy_probes.proxy_exist("shop", configuration)


def toxi(kind, module, func, **arguments):
    provider = {"type": "python", "module": f"chaostoxi.{module}", "func": func, "arguments": arguments}
    return {"type": kind, "name": func, "provider": provider}


@pytest.mark.slow
def test_an_experiment_of_theirs_runs_through_chaoslib(daemon, tmp_path):
    """Steady state, a proxy taken down, a probe that sees it, rollback: completed, and nothing stays broken."""
    seen = {"type": "probe", "name": "answers", "tolerance": 200, "provider": {"type": "http", "url": daemon.edge}}
    enabled = {"proxy_name": "gateway-orders", "attribute": "enabled"}
    experiment = {
        "title": "Orders is away",
        "description": "The edge to orders is switched off and late.",
        "configuration": settings(daemon),
        "steady-state-hypothesis": {"title": "orders answers", "probes": [seen]},
        "method": [
            toxi(
                "action",
                "toxic.actions",
                "create_latency_toxic",
                for_proxy="gateway-orders",
                toxic_name="l",
                latency=50,
            ),
            toxi("action", "proxy.actions", "disable_proxy", proxy_name="gateway-orders"),
            toxi("probe", "proxy.probes", "get_proxy_attribute", **enabled),
            toxi("action", "proxy.actions", "enable_proxy", proxy_name="gateway-orders"),
            toxi("action", "toxic.actions", "delete_toxic", for_proxy="gateway-orders", toxic_name="l"),
        ],
        "rollbacks": [toxi("action", "proxy.actions", "reset")],
    }
    path = tmp_path / "experiment.json"
    path.write_text(json.dumps(experiment), encoding="utf-8")
    command = [sys.executable, "-W", "ignore", "-c", ENGINE, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=True)
    journal = json.loads(done.stdout.splitlines()[-1])
    assert (journal["status"], journal["deviated"]) == ("completed", False), done.stderr
    assert [each["status"] for each in journal["run"]] == ["succeeded"] * 5
    assert journal["run"][2]["output"] is False
    assert journal["rollbacks"][0]["status"] == "succeeded"
    assert daemon.active() == []
    assert answers(daemon.edge)
