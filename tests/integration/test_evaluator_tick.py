"""Ticks over a real database, delivered to a real receiver."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest

from alerts.address_guard import AddressGuard
from alerts.channels.webhook import WebhookChannel
from alerts.courier import Courier
from alerts.message import Links
from alerts.route import GroupTiming, Route
from alerts.transition import Transition
from evaluator.alert_store import AlertStore
from evaluator.delivery_store import DeliveryStore
from evaluator.dispatcher import Dispatcher
from evaluator.evidence import EvidenceGatherer
from evaluator.evidence_queue import EvidenceQueue
from evaluator.evidence_store import EvidenceStore
from evaluator.live_routing import Routing
from evaluator.revisions import RevisionKeeper
from evaluator.scheduler import Scheduler, next_tick
from evaluator.tick import Evaluator
from storage.delivery_attempts import delivery_log
from storage.errors import DatabaseError
from storage.slo_catalog import SloCatalog
from storage.slo_revisions import load_revisions
from storage.transitions import transitions

pytestmark = pytest.mark.slow

OBJECTIVE = """
apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}
  annotations:
    ninelives/alert-policy: objective-breach
    ninelives/alert-windows: "5m/1m page"
spec:
  service: shop
  indicator:
    metadata: {{name: {name}}}
    spec:
      ratioMetric:
        counter: false
        good: {{metricSource: {{type: spans, spec: {{service: shop, kind: server, good: {good}}}}}}}
        total: {{metricSource: {{type: spans, spec: {{service: shop, kind: server}}}}}}
  timeWindow: [{{duration: 30d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{displayName: a, target: 0.99}}]
"""
MINUTE = timedelta(minutes=1)


class Inbox:
    """A webhook receiver; `status` is what it answers."""

    def __init__(self):
        self.status, self.messages = 200, []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                inbox.messages += [(body, self.headers["Idempotency-Key"])] if inbox.status == 200 else []
                self.send_response(inbox.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def told(self):
        return [body["status"] for body, _ in self.messages]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class World:
    """A service's traffic minute by minute, half an hour ago, and evaluators that look at it."""

    def __init__(self, database, store, otlp, folder):
        self.database, self._store, self._otlp, self.folder = database, store, otlp, folder
        self.start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)
        self.inbox = Inbox()
        self._channels, self._couriers = [], []

    def write(self, name="shop-availability", good="not error"):
        (self.folder / f"{name}.yaml").write_text(OBJECTIVE.format(name=name, good=good), "utf-8")

    def traffic(self, minute, *, good=20, bad=0):
        """Store requests of the minute number *minute* and return the trace ids of the bad ones."""
        at = self._otlp.ns(self.start + minute * MINUTE)
        spans = [
            self._otlp.span(start_ns=at + n * 10**9, status=2 if n < bad else 0, duration_ns=10**6)
            for n in range(good + bad)
        ]
        self._store(self.database, self._otlp.traces(*spans))
        return [span.trace_id.hex() for span in spans[:bad]]

    def evaluator(self, *, writer="one", database=None, revisions=None, evidence=None):
        used = database or self.database
        channel = WebhookChannel("hook", self.inbox.url, guard=AddressGuard(allow_private=True))
        courier = Courier([channel], DeliveryStore(used), wait=lambda _attempt, _key: timedelta(seconds=0.1))
        self._channels.append(channel)
        self._couriers.append(courier)
        route = Route("team", group_by=("service_name",), timing=GroupTiming(group_interval=timedelta(0)))
        routing = Routing(route, {"team": ["hook"]})
        links = Links("http://dashboard")
        store = EvidenceStore(used, links)
        if evidence is None:
            evidence = EvidenceQueue(EvidenceGatherer(used), store.keep, patience=timedelta(seconds=30))
        dispatcher = Dispatcher(
            used, courier, lambda: routing, writer=writer, links=links, evidence=store.find, alone=True
        )
        return Evaluator(
            used,
            SloCatalog([self.folder]),
            AlertStore(used, writer),
            raw_retention=timedelta(days=14),
            dispatcher=dispatcher,
            evidence=evidence,
            revisions=revisions,
        )

    def told(self):
        """Return what the receiver was told, once everything is delivered."""
        deadline = time.monotonic() + 10
        while any(courier.holds() for courier in self._couriers):
            assert time.monotonic() < deadline, "not everything is delivered"
            time.sleep(0.01)
        return self.inbox.told()

    def after(self, minute):
        """Return the moment at which the minute number *minute* is complete, lateness included."""
        return self.start + (minute + 1) * MINUTE + timedelta(seconds=11)

    def history(self):
        bodies = transitions(self.database, since=self.start - timedelta(days=1))
        return [Transition.from_json(body) for body in bodies]

    def close(self):
        for courier in self._couriers:
            courier.stop(5)
        self.inbox.close()
        for channel in self._channels:
            channel.close()


@pytest.fixture
def world(database, store, otlp, tmp_path):
    found = World(database, store, otlp, tmp_path)
    yield found
    found.close()


def test_errors_fire_an_alert_with_evidence_and_recovery_resolves_it(world):
    world.write()
    world.traffic(0)
    evaluator = world.evaluator()
    evaluator.tick(world.after(0))
    assert evaluator.state.last_error == ""
    assert world.history() == []
    bad = world.traffic(1, bad=5)
    evaluator.tick(world.after(1))
    (fired,) = world.history()
    assert (fired.state, fired.slo_id, fired.severity, fired.sequence) == ("firing", "shop-availability", "page", 1)
    assert fired.started_at == fired.at == world.after(1)
    found = EvidenceStore(world.database, Links()).find([fired.alert_id])[fired.alert_id]
    assert [trace.trace_id for trace in found.traces] == bad[:1:-1]
    assert world.told() == ["firing"]
    world.traffic(2)
    evaluator.tick(world.after(2))
    _, resolved = world.history()
    assert (resolved.state, resolved.sequence, resolved.alert_id) == ("resolved", 2, fired.alert_id)
    assert resolved.resolved_at == world.after(2)
    assert world.told() == ["firing", "resolved"]
    assert len({key for _, key in world.inbox.messages}) == 2


def test_no_traffic_freezes_a_firing_alert(world):
    world.write()
    world.traffic(0, bad=5)
    evaluator = world.evaluator()
    for minute in (0, 1, 2, 7):
        evaluator.tick(world.after(minute))
    assert [item.state for item in world.history()] == ["firing"]


def test_a_restart_in_the_middle_goes_on_with_the_same_episode(world):
    world.write()
    world.traffic(0, bad=5)
    world.evaluator(writer="first").tick(world.after(0))
    world.traffic(1)
    world.evaluator(writer="second").tick(world.after(1))
    first, second = world.history()
    assert (first.alert_id, first.sequence + 1) == (second.alert_id, second.sequence)
    assert (first.state, second.state) == ("firing", "resolved")
    assert world.told() == ["firing", "resolved"]


def test_a_tick_that_is_repeated_changes_and_tells_nothing(world):
    world.write()
    world.traffic(0, bad=5)
    evaluator = world.evaluator()
    evaluator.tick(world.after(0))
    before = world.history(), world.told()
    evaluator.tick(world.after(0))
    world.evaluator(writer="restarted").tick(world.after(0))
    assert (world.history(), world.told()) == before


def test_two_evaluators_store_each_transition_once(world):
    world.write()
    world.traffic(0, bad=5)
    pair = [world.evaluator(writer=name) for name in ("left", "right")]
    for minute, bad in ((0, None), (1, 0)):
        if bad is not None:
            world.traffic(minute, bad=bad)
        threads = [threading.Thread(target=item.tick, args=(world.after(minute),)) for item in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for item in pair:
            item.tick(world.after(minute) + timedelta(seconds=1))
    assert [(item.state, item.sequence) for item in world.history()] == [("firing", 1), ("resolved", 2)]
    assert [item.state.last_error for item in pair] == ["", ""]


def test_the_alert_of_a_removed_objective_is_closed(world):
    world.write()
    world.traffic(0, bad=5)
    evaluator = world.evaluator()
    evaluator.tick(world.after(0))
    (world.folder / "shop-availability.yaml").unlink()
    evaluator.tick(world.after(0) + timedelta(seconds=15))
    _, closed = world.history()
    assert (closed.state, closed.sequence) == ("resolved", 2)
    assert "removed" in closed.summary
    evaluator.tick(world.after(0) + timedelta(seconds=30))
    assert len(world.history()) == 2
    assert world.told() == ["firing", "resolved"]


def test_a_failing_delivery_is_retried_in_order_and_stops_no_evaluation(world):
    world.write()
    world.traffic(0, bad=5)
    world.inbox.status = 503
    evaluator = world.evaluator()
    evaluator.tick(world.after(0))
    world.traffic(1)
    evaluator.tick(world.after(1))
    assert [item.state for item in world.history()] == ["firing", "resolved"]
    assert evaluator.state.last_at == world.after(1)
    assert world.inbox.messages == []
    world.inbox.status = 200
    assert world.told() == ["firing", "resolved"]
    log = delivery_log(world.database, since=world.start, channel="hook")
    assert [(item.number, item.status) for item in log if item.status == "sent"] == [(2, "sent"), (1, "sent")]
    assert {item.number for item in log if item.status == "failed"} == {1}


def test_a_receiver_that_nobody_runs_does_not_stop_evaluation(world):
    world.write()
    world.traffic(0, bad=5)
    world.inbox.close()
    evaluator = world.evaluator()
    evaluator.tick(world.after(0))
    assert [item.state for item in world.history()] == ["firing"]
    assert evaluator.state.last_at == world.after(0)
    world.inbox = Inbox()


def test_a_broken_file_stops_no_other_objective(world):
    world.write()
    (world.folder / "broken.yaml").write_text("kind: SLO\nspec: [", "utf-8")
    world.traffic(0, bad=5)
    evaluator = world.evaluator()
    evaluator.tick(world.after(0))
    assert [item.slo_id for item in world.history()] == ["shop-availability"]
    assert evaluator.state.last_error == ""


def test_drafts_stand_beside_written_objectives_and_never_alert(world):
    world.traffic(0, good=0, bad=20)
    evaluator = world.evaluator()
    evaluator.tick(world.after(0))
    found = {item.slo.id: item.evaluation.counts for item in evaluator.state.standings}
    assert set(found) == {"shop-prod-availability", "shop-prod-latency"}
    assert (found["shop-prod-availability"].good, found["shop-prod-availability"].total) == (0, 20)
    assert (found["shop-prod-latency"].good, found["shop-prod-latency"].total) == (20, 20)
    assert world.history() == []


def test_an_objective_that_comes_back_is_counted_for_the_time_that_it_was_gone(world):
    world.write()
    world.traffic(0)
    evaluator = world.evaluator()
    evaluator.tick(world.after(0))
    (world.folder / "shop-availability.yaml").unlink()
    world.traffic(1, bad=5)
    long_after = datetime.now(UTC) + 5 * MINUTE  # what arrived until now lies too far back to be counted again
    evaluator.tick(long_after)
    world.write()
    evaluator.tick(long_after + MINUTE)
    counts = next(s.evaluation.counts for s in evaluator.state.standings if s.slo.id == "shop-availability")
    assert (counts.good, counts.bad) == (40, 5)


def test_late_errors_are_seen_by_the_next_tick(world):
    world.write()
    world.traffic(0)
    world.traffic(1)
    evaluator = world.evaluator()
    evaluator.tick(world.after(1))
    world.traffic(1, good=0, bad=5)
    evaluator.tick(world.after(1) + timedelta(seconds=15))
    assert [item.state for item in world.history()] == ["firing"]


class Unreachable:
    """A database that refuses everything until it is mended."""

    def __init__(self, database):
        self._database, self.broken = database, False

    def __getattr__(self, name):
        if self.broken:
            raise DatabaseError("Code: 210. DB::NetException: Connection refused")
        return getattr(self._database, name)


def test_a_database_that_is_gone_is_noted_and_the_next_tick_goes_on(world):
    world.write()
    world.traffic(0)
    world.traffic(1, bad=5)
    faulty = Unreachable(world.database)
    evaluator = world.evaluator(database=faulty)
    evaluator.tick(world.after(0))
    faulty.broken = True
    evaluator.tick(world.after(1))
    assert "Connection refused" in evaluator.state.last_error
    assert evaluator.state.last_at == world.after(0)
    faulty.broken = False
    evaluator.tick(world.after(1) + timedelta(seconds=15))
    assert evaluator.state.last_error == ""
    assert world.told() == ["firing"]


def test_the_past_of_a_new_objective_is_counted_in_the_background_and_its_problems_are_told(world):
    world.write()
    world.traffic(0)
    world.traffic(-3 * 24 * 60, bad=7)
    world.database.command("TRUNCATE TABLE arrivals")  # long ago
    faulty = Unreachable(world.database)
    evaluator = world.evaluator(database=faulty)

    def counts():
        evaluator.tick(world.after(1))
        return next(s.evaluation.counts for s in evaluator.state.standings if s.slo.id == "shop-availability")

    assert counts().total == 20
    faulty.broken = True
    evaluator.backfill(world.after(1))
    faulty.broken = False
    assert counts().total == 20, "a failure is tried again"
    evaluator.backfill(world.after(1))
    assert (counts().good, counts().bad) == (40, 7)
    assert evaluator.state.problems == {}


def test_the_scheduler_runs_its_jobs_in_utc_and_waits_for_the_running_one():
    seen, done, entered = [], [], threading.Event()

    def slow(now):
        entered.set()
        threading.Event().wait(0.3)
        done.append(now)

    scheduler = Scheduler(seen.append, lambda _now: None, slow)
    scheduler.start()
    assert entered.wait(10)
    assert scheduler.stop(5)
    assert len(done) == 1
    assert seen
    assert all(moment.tzinfo is UTC for moment in seen)
    assert all(a < b for a, b in pairwise(seen))


def test_the_first_tick_is_at_once_and_the_next_when_it_is_due():
    ticks, second = [], threading.Event()

    def tick(now):
        ticks.append(now)
        if len(ticks) == 2:
            second.set()

    scheduler = Scheduler(tick, lambda _now: None, lambda _now: None)
    began = datetime.now(UTC)
    scheduler.start()
    assert second.wait(20)
    assert scheduler.stop(5)
    assert ticks[0] - began < timedelta(seconds=1)
    assert timedelta(0) <= ticks[1] - next_tick(ticks[0]) < timedelta(seconds=1)


def test_a_job_that_hangs_does_not_keep_the_scheduler_from_stopping():
    began, release = threading.Event(), threading.Event()

    def hang(_now):
        began.set()
        release.wait(30)

    scheduler = Scheduler(hang, lambda _now: None, lambda _now: None)
    scheduler.start()
    assert began.wait(5)
    started = time.monotonic()
    try:
        assert not scheduler.stop(0.2)
        assert time.monotonic() - started < 2
    finally:
        release.set()


def test_a_tick_notes_a_changed_objective_as_a_revision(world):
    world.write()
    world.traffic(0)
    keeper = RevisionKeeper(world.database, writer="one", author="ada")
    evaluator = world.evaluator(revisions=keeper)
    evaluator.tick(world.after(0))
    world.write(good="duration_ms <= 5")
    evaluator.tick(world.after(1))
    evaluator.tick(world.after(2))
    made = load_revisions(world.database)
    assert [(item.number, item.at, item.author) for item in made["shop-availability"]] == [
        (1, world.after(0), "ada"),
        (2, world.after(1), "ada"),
    ]
    assert set(made) == {"shop-availability"}


class SlowEvidence:
    """Gathers nothing until it may."""

    def __init__(self):
        self.asked, self.may = [], threading.Event()

    def gather(self, alert, slo, evaluation, end, *, now):
        self.asked.append((alert.alert_id, slo.id, end))
        assert self.may.wait(10)
        raise RuntimeError("nothing is known")


def test_evidence_that_takes_long_holds_up_neither_messages_nor_the_next_tick(world):
    world.write()
    world.traffic(0, bad=5)
    slow = SlowEvidence()
    queue = EvidenceQueue(slow, lambda *_: None, patience=timedelta(seconds=0.1))
    evaluator = world.evaluator(evidence=queue)
    evaluator.tick(world.after(0))
    assert world.told() == ["firing"]
    (fired,) = world.history()
    assert slow.asked == [(fired.alert_id, "shop-availability", world.start + MINUTE)]
    world.traffic(1)
    evaluator.tick(world.after(1))
    assert world.told() == ["firing", "resolved"]
    assert not evaluator.stop(0.1), "the evidence is still being gathered"
    slow.may.set()
    assert evaluator.stop(10)
    assert evaluator.state.last_error == ""


class Diary:
    """A source of signals and a delivery that note when they are asked."""

    def __init__(self):
        self.lines = []

    def signals(self, _now):
        self.lines.append("evaluate")
        return []

    def resume(self, _now):
        self.lines.append("resume")

    def run(self, _now):
        self.lines.append("tell")

    @staticmethod
    def stop(_timeout_s):
        return True


def test_after_a_start_what_was_left_unsent_does_not_wait_for_the_evaluation(database, tmp_path):
    diary = Diary()
    catalog, store = SloCatalog([tmp_path]), AlertStore(database, "one")
    retention = timedelta(days=14)
    evaluator = Evaluator(database, catalog, store, raw_retention=retention, dispatcher=diary, sources=[diary])
    for minute in range(2):
        evaluator.tick(datetime.now(UTC) + minute * MINUTE)
    assert diary.lines == ["resume", "evaluate", "tell", "evaluate", "tell"]
