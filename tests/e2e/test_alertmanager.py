"""A real Alertmanager as a peer: what it shows of our alerts, and what it does when one side stops."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alertmanager_server import AlertmanagerServer, config_of_the_documentation, documented
from stack import Webhook, free_port, wait_for

from alerts.alertmanager import Alertmanager
from alerts.message import Links
from alerts.peers import PostedAlert, describe_with
from alerts.transition import AlertDetails, Transition
from evaluator.liveness import Liveness
from evaluator.peers import Peers
from evaluator.scheduler import Scheduler

DASHBOARD = "https://nl.example"
PAGE = ("SLOErrorBudgetBurn", "page")
TICKET = ("SLOErrorBudgetBurn", "ticket")
WATCHDOG = ("Watchdog", "none")
INTERVAL_S = 15


def firing(severity="page", slo_id="pay", **changes):
    now = datetime.now(UTC)
    details = AlertDetails("SLOErrorBudgetBurn", slo_id)
    transition = Transition(
        f"{slo_id}-{severity}-1", 1, slo_id, "shop", "prod", severity, "firing", now, now, now, None, "bad", details
    )
    return replace(transition, **changes)


def resolved(last: Transition) -> Transition:
    now = datetime.now(UTC)
    return replace(last, sequence=last.sequence + 1, state="resolved", at=now, resolved_at=now, summary="over")


class Evaluator:
    """Peers over transitions that a test sets; it evaluates for as long as *alive*."""

    def __init__(self, *urls: str, silenced: frozenset[str] = frozenset()) -> None:
        self.transitions: list[Transition] = []
        self.silenced = silenced
        self.last_at: datetime | None = datetime.now(UTC)
        self.peers = Peers(
            lambda: urls,
            lambda _now: self.transitions,
            describe_with(Links(DASHBOARD)),
            Liveness({"evaluation": lambda: self.last_at}),
            silenced=lambda _transitions, _now: self.silenced,
            connect=lambda url: Alertmanager(url, timeout_s=2),
        )

    def tick(self) -> None:
        self.last_at = datetime.now(UTC)
        self.peers.tick(self.last_at)
        assert self.peers.wait(10)


@pytest.fixture
def make_server(tmp_path: Path, webhook: Webhook) -> Iterator[Callable[[], AlertmanagerServer]]:
    made: list[AlertmanagerServer] = []

    def make() -> AlertmanagerServer:
        folder = tmp_path / f"alertmanager-{len(made)}"
        made.append(AlertmanagerServer(folder, config_of_the_documentation(webhook.url)))
        return made[-1].start()

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def evaluator_of() -> Iterator[Callable[..., Evaluator]]:
    made: list[Evaluator] = []

    def make(*urls: str, silenced: frozenset[str] = frozenset()) -> Evaluator:
        made.append(Evaluator(*urls, silenced=silenced))
        return made[-1]

    yield make
    for evaluator in made:
        evaluator.peers.close()


@pytest.fixture
def evaluator(evaluator_of: Callable[..., Evaluator], server: AlertmanagerServer) -> Evaluator:
    return evaluator_of(server.url)


@pytest.fixture
def server(make_server: Callable[[], AlertmanagerServer]) -> AlertmanagerServer:
    return make_server()


def notices(webhook: Webhook, name: str, status: str) -> list[dict[str, object]]:
    return [
        alert
        for payload in webhook.received
        for alert in payload["alerts"]
        if alert["labels"]["alertname"] == name and alert["status"] == status
    ]


def test_the_documented_configuration_is_sound(tmp_path: Path):
    (tmp_path / "alertmanager.yml").write_text(documented("route:"), encoding="utf-8")
    (tmp_path / "rules.yml").write_text(documented("groups:"), encoding="utf-8")
    for command in (["amtool", "check-config", "alertmanager.yml"], ["promtool", "check", "rules", "rules.yml"]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    routes = ["amtool", "config", "routes", "test", "--config.file=alertmanager.yml"]
    wanted = {
        "dead-mans-switch": "alertname=Watchdog severity=none service_name=ninelives",
        "oncall": "alertname=SLOErrorBudgetBurn severity=page slo_id=pay",
        "team": "alertname=SLOErrorBudgetBurn severity=ticket slo_id=pay",
    }
    for receiver, labels in wanted.items():
        command = [*routes, f"--verify.receivers={receiver}", *labels.split()]
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)


def test_alerts_appear_group_are_inhibited_and_resolve(
    server: AlertmanagerServer, evaluator: Evaluator, webhook: Webhook
):
    page, ticket, other = firing(), firing("ticket"), firing("ticket", "search", labels=(("team", "shop"),))
    evaluator.transitions = [page, ticket, other]
    evaluator.tick()
    shown = {alert["annotations"].get("alert_id", "watchdog"): alert for alert in server.ask("alerts")}
    assert set(shown) == {"pay-page-1", "pay-ticket-1", "search-ticket-1", "watchdog"}
    found = shown["pay-page-1"]
    assert found["labels"] == {
        "alertname": "SLOErrorBudgetBurn",
        "slo_id": "pay",
        "slo_name": "pay",
        "service_name": "shop",
        "environment": "prod",
        "severity": "page",
    }
    alert_url = f"{DASHBOARD}/alert?id=pay-page-1"
    assert found["annotations"] == {"summary": "bad", "alert_id": "pay-page-1", "alert_url": alert_url}
    assert found["generatorURL"] == alert_url
    assert shown["search-ticket-1"]["labels"]["team"] == "shop"
    assert datetime.fromisoformat(found["endsAt"]) - evaluator.last_at == pytest.approx(
        timedelta(seconds=60), abs=timedelta(milliseconds=2)
    )
    groups = {group["receiver"]["name"]: group for group in server.ask("alerts/groups")}
    assert groups["team"]["labels"] == groups["oncall"]["labels"] == {"service_name": "shop", "environment": "prod"}
    assert len(groups["team"]["alerts"]) == 2
    assert groups["dead-mans-switch"]["labels"] == {"alertname": "Watchdog", "service_name": "ninelives"}

    def inhibited_by(name: str) -> list[str]:
        (alert,) = [alert for alert in server.ask("alerts") if alert["annotations"].get("alert_id") == name]
        return alert["status"]["inhibitedBy"]

    wait_for(lambda: inhibited_by("pay-ticket-1") == [found["fingerprint"]], 10, "the page to inhibit its ticket")
    assert inhibited_by("search-ticket-1") == inhibited_by("pay-page-1") == []
    evaluator.transitions = [resolved(page), ticket, other]
    evaluator.tick()
    assert PAGE not in server.alerts()
    assert inhibited_by("pay-ticket-1") == []
    wait_for(lambda: notices(webhook, "SLOErrorBudgetBurn", "resolved"), 20, "the notice of its end")


def test_what_a_peer_has_seen_end_and_begin_again_fires(server: AlertmanagerServer, evaluator: Evaluator):
    first = firing()
    evaluator.transitions = [first]
    evaluator.tick()
    over = resolved(first)
    evaluator.transitions = [first, over]
    evaluator.tick()
    assert PAGE not in server.alerts()
    evaluator.transitions = [first, over, firing(alert_id="pay-page-2")]
    for _ in range(2):
        evaluator.tick()
        assert server.alerts()[PAGE]["annotations"]["alert_id"] == "pay-page-2"


def test_a_bad_alert_hides_no_other(server: AlertmanagerServer):
    now = datetime.now(UTC)
    names = [{"alertname": "first"}, {"alertname": "second", "service.name": "x"}, {"alertname": "third"}]
    alerts = [PostedAlert({**labels, "severity": "page"}, {}, now, now + timedelta(minutes=1)) for labels in names]
    alerts.append(replace(alerts[0], labels={"alertname": "fourth"}, generator_url="::bad://x"))
    sender = Alertmanager(server.url)
    for _ in range(2):
        assert [(refusal.alert, refusal.reason) for refusal in sender.post(alerts)] == [
            (alerts[1], '400 invalid label set: invalid name "service.name"'),
            (alerts[3], '422 0.generatorURL in body must be of type uri: "::bad://x"'),
        ]
    assert {name for name, _ in server.alerts()} == {"first", "third"}
    sender.close()


def test_a_label_with_a_dot_is_never_sent_and_long_and_broken_values_are(
    server: AlertmanagerServer, evaluator: Evaluator
):
    long = "x" * 10_000
    labels = (("note", "two\nlines"), ("long", long))
    evaluator.transitions = [firing(labels=labels), firing("ticket", labels=(("service.name", "x"),))]
    evaluator.tick()
    assert set(server.alerts()) == {PAGE, WATCHDOG}
    assert (server.alerts()[PAGE]["labels"]["note"], server.alerts()[PAGE]["labels"]["long"]) == ("two\nlines", long)
    assert "invalid" not in server.log
    assert evaluator.peers.states[0].refused == ()


def test_two_peers_are_told_and_one_that_is_down_learns_all_when_it_is_back(
    make_server: Callable[[], AlertmanagerServer], evaluator_of: Callable[..., Evaluator]
):
    first, second = make_server(), make_server()
    evaluator = evaluator_of(first.url, second.url, f"http://127.0.0.1:{free_port()}")
    evaluator.transitions = [firing()]
    second.stop()
    evaluator.tick()
    assert PAGE in first.alerts()
    assert [bool(state.last_ok) for state in evaluator.peers.states] == [True, False, False]
    second.start()
    evaluator.tick()
    assert PAGE in first.alerts()
    assert PAGE in second.alerts()


def test_silences_begin_no_alert_and_end_none(
    server: AlertmanagerServer, evaluator: Evaluator, evaluator_of: Callable[..., Evaluator]
):
    evaluator.transitions = [firing()]
    evaluator.tick()
    # the evaluator that begins anew finds both silenced, of which the peer knows one
    again = evaluator_of(server.url, silenced=frozenset({"pay-page-1", "search-ticket-1"}))
    again.transitions = [*evaluator.transitions, firing("ticket", "search")]
    before = server.alerts()[PAGE]["endsAt"]
    again.tick()
    assert set(server.alerts()) == {PAGE, WATCHDOG}
    assert server.alerts()[PAGE]["endsAt"] > before
    again.transitions = [resolved(again.transitions[0])]
    again.tick()
    assert set(server.alerts()) == {WATCHDOG}
    server.stop()
    server.start()  # it has lost its state, and is not told anew of what is silenced
    again.transitions = [firing()]
    again.tick()
    assert set(server.alerts()) == {WATCHDOG}


def test_the_watchdog_ends_within_two_minutes_of_a_tick_that_hangs_and_then_somebody_is_paged(
    server: AlertmanagerServer, evaluator: Evaluator, webhook: Webhook
):
    """The alert that the Watchdog inhibits comes from a Prometheus; the evaluator's other threads go on."""
    evaluator.last_at = None
    evaluator.transitions = [firing()]
    hang, hung_at = threading.Event(), [0.0]
    ticks = iter((False, False, True))

    def tick(now: datetime) -> None:
        if next(ticks):
            hung_at[0] = time.monotonic()
            hang.wait(150)
        evaluator.last_at = now

    scheduler = Scheduler(tick, nothing, nothing, peers=evaluator.peers.tick)
    prometheus = Alertmanager(server.url)
    stopped = PostedAlert({"alertname": "NinelivesStopped", "severity": "page"}, {}, *from_now_on())
    scheduler.start()
    try:
        wait_for(lambda: WATCHDOG in server.alerts(), 2 * INTERVAL_S, "the watchdog")
        signs = len(notices(webhook, "Watchdog", "firing"))
        prometheus.post([stopped])
        wait_for(lambda: hung_at[0], 3 * INTERVAL_S, "the tick that hangs")
        assert not notices(webhook, "NinelivesStopped", "firing")
        wait_for(lambda: WATCHDOG not in server.alerts(), 120, "the watchdog to end", pause_s=1)
        assert time.monotonic() - hung_at[0] < 120
        assert PAGE in server.alerts(), "what fires goes on firing"
        assert len(notices(webhook, "Watchdog", "firing")) > signs, "the service outside hears of it each minute"
        wait_for(lambda: notices(webhook, "NinelivesStopped", "firing"), 30, "the page")
    finally:
        hang.set()
        scheduler.stop(5)
        prometheus.close()


def from_now_on() -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return now, now + timedelta(hours=1)


def nothing(_now: datetime) -> None:
    """Do nothing."""
