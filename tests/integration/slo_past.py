"""The API over a real database in a thread of this process, and a past for it: minutes, alerts, revisions."""

import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import uvicorn
from prometheus_client import CollectorRegistry

from alerts.transition import AlertDetails, Transition, WindowDetails
from api.app import build_app
from api.context import Context
from evaluator.alert_store import AlertStore
from slo.openslo import read_openslo
from storage import sli_count
from storage.sli_minutes import SliMinute, write_minutes
from storage.slo_catalog import SloCatalog

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
OBJECTIVE = """
apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}
  annotations:
    ninelives/alert-policy: objective-breach
    ninelives/alert-windows: "{windows}"
spec:
  service: shop
  indicator:
    metadata: {{name: {name}}}
    spec:
      ratioMetric:
        counter: false
        good: {{metricSource: {{type: spans, spec: {{service: shop, environment: prod, kind: server, good: {good}}}}}}}
        total: {{metricSource: {{type: spans, spec: {{service: shop, environment: prod, kind: server}}}}}}
  timeWindow: [{{duration: {window}, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{displayName: a, target: {target}}}]
"""


def objective(name="shop-availability", *, target="0.9", window="30d", windows="5m/1m page", good="not error"):
    """Return the text of an objective."""
    return OBJECTIVE.format(name=name, target=target, window=window, windows=windows, good=good)


def slo_of_text(text):
    (slo,), problems = read_openslo(text, "slos/shop.yaml")
    assert problems == []
    return slo


def last_minute():
    """Return the end of the last minute that an evaluation now looks at."""
    return (datetime.now(UTC) - timedelta(seconds=10)).replace(second=0, microsecond=0)


def count(database, slo, minutes):
    """Store *minutes*, from moments to (good, bad), as counted."""
    rows = [SliMinute(slo.indicator.series_id, at, good, good + bad, good + bad) for at, (good, bad) in minutes.items()]
    now = datetime.now(UTC)
    write_minutes(database, rows, revision=int(now.timestamp() * 1000))
    sli_count.mark_counted(database, [slo.indicator], since=now - 400 * DAY, now=now)


def alert(database, slo_id, start, end, *, severity="page", service="shop"):
    """Store an alert that fired at *start* and was resolved at *end* (None: fires still)."""
    window = WindowDetails("30d", 1, 1, 2, 1.0)
    details = AlertDetails("SLOObjectiveBreach", slo_id, Decimal("0.9"), None, window, 0.5, ())
    fired = Transition(
        f"{slo_id}-{severity}-{int(start.timestamp()) // 60}", 1, slo_id, service, "prod", severity, "firing",
        start, start, start, None, f"<b>{slo_id}</b> broke | badly", details,
    )  # fmt: skip
    store = AlertStore(database, "test")
    assert store.append([fired], fired.at)
    if end is not None:
        resolved = {"sequence": 2, "state": "resolved", "at": end, "resolved_at": end, "summary": "over"}
        ended = Transition(**{name: getattr(fired, name) for name in fired.__slots__} | resolved)
        assert store.append([ended], end)
    return fired


@contextmanager
def serving(database, folder, **options):
    """Yield the host and port of an API over *database* and the objectives in *folder*; *options* of its context."""
    context = Context(database, SloCatalog([folder]), CollectorRegistry(), "1.2.3", {}, **options)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(context), log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        assert not thread.is_alive()
