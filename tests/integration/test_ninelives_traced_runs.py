"""Runs that are known from the spans of Chaos Toolkit's tracing control, shaped as that sends them."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from ninelives.toolkit_runs import TracedRuns, read_journal
from storage.runs import list_runs
from tests.integration.chaos_api import api_over
from tests.unit.chaos_journals import journal

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)
SECOND = 10**9


@pytest.fixture
def traced(database):
    return TracedRuns(database)


def spans_of_a_run(otlp, *, began=NOW - timedelta(minutes=5), met=True, **more):
    """An experiment with its hypothesis, method and activity; the root is exported last, and so it is here."""
    trace_id, start = os.urandom(16), otlp.ns(began)

    def made(name, offset_s, duration_s, parent=b"", **attributes):
        named = {f"chaostoolkit.{key.replace('__', '.')}": value for key, value in attributes.items()}
        return otlp.span(
            trace_id=trace_id, parent=parent, name=name, kind=1, start_ns=start + offset_s * SECOND,
            duration_ns=duration_s * SECOND, attributes=named | (more if not parent else {}),
        )  # fmt: skip

    root = made(
        "experiment", 0, 50,
        experiment__title="Lost cache", experiment__status="completed", experiment__deviated=not met,
    )  # fmt: skip
    below = root.span_id
    method = made("method", 10, 30, below)
    return [
        made("hypothesis", 1, 1, below, hypothesis__phase="before", hypothesis__met=True),
        made("activity: stop", 11, 1, method.span_id, activity__name="stop", activity__status="succeeded"),
        method,
        made("hypothesis", 41, 1, below, hypothesis__phase="after", hypothesis__met=met),
        root,
    ]


def shown(database):
    return [(run.id, run.title, run.verdict, run.source) for run in list_runs(database, limit=10).runs]


def test_a_run_of_the_stock_toolkit_is_on_the_list_without_our_extension(database, store, otlp, traced):
    spans = spans_of_a_run(otlp, met=False)
    store(database, otlp.traces(*spans, service="chaostoolkit"), otlp.traces(otlp.span(), service="shop"))
    run_id = f"trace-{spans[0].trace_id.hex()}"
    assert traced.store(NOW) == [run_id]
    assert shown(database) == [(run_id, "Lost cache", "deviated", "imported")]
    with api_over(database) as api:
        run = api.run(run_id)
    assert [window.phase for window in run.windows] == ["baseline", "fault", "recovery"]
    assert run.ended_at - run.started_at == timedelta(seconds=50)


def test_the_same_spans_are_stored_once_and_again_when_more_of_them_came(database, store, otlp, traced):
    *early, root = spans_of_a_run(otlp, met=False)
    store(database, otlp.traces(early[0], root, service="chaostoolkit"))
    assert len(traced.store(NOW)) == 1
    assert traced.store(NOW) == []
    store(database, otlp.traces(*early[1:], service="chaostoolkit"))
    assert len(traced.store(NOW + timedelta(seconds=60))) == 1
    assert len(TracedRuns(database).store(NOW)) == 1, "a new process stores it again, as the same run"
    assert len(shown(database)) == 1


def test_a_journal_says_more_than_spans_and_is_left_alone(database, store, otlp, traced):
    """Our control gives both the same id."""
    run_id = "chaostoolkit-20260301T100000Z-abc123"
    extension = {"name": "ninelives", "run": {"id": run_id}}
    told = journal()
    told["experiment"]["extensions"] = [extension]
    store(database, otlp.traces(*spans_of_a_run(otlp, **{"chaos.run": run_id}), service="chaos"))
    with api_over(database, read_journal=read_journal) as api:
        assert traced.store(NOW) == [run_id], "until the journal comes, spans are all that is known"
        imported = api.import_journal(json.dumps(told).encode())
        assert TracedRuns(database).store(NOW) == []
        assert api.run(run_id) == imported
        assert imported.journal is not None


def test_what_began_over_an_hour_ago_is_not_looked_for(database, store, otlp, traced):
    store(database, otlp.traces(*spans_of_a_run(otlp, began=NOW - timedelta(minutes=62)), service="chaostoolkit"))
    assert traced.store(NOW) == []
