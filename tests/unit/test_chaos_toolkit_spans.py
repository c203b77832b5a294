"""Runs known from the spans of Chaos Toolkit's tracing control."""

from datetime import UTC, datetime, timedelta

import pytest

from api.models import Span, SpanEvent, Trace
from chaos.toolkit.run_spans import run_from_spans

START = datetime(2026, 3, 1, tzinfo=UTC)


def span(name, offset_s, duration_s, events=(), **attributes):
    return Span(
        span_id=name, parent_span_id="", service="chaostoolkit", environment="demo", version="", name=name,
        kind="internal", started_at=START + timedelta(seconds=offset_s), offset_ms=offset_s * 1000,
        duration_ms=duration_s * 1000, depth=0, status="unset", status_message="", error=False, events=list(events),
        attributes={f"chaostoolkit.{key.replace('__', '.')}": value for key, value in attributes.items()},
        links=[], resource={}, scope="",
    )  # fmt: skip


def trace(*spans, status="completed", deviated=False, events=()):
    root = span("experiment", 0, 50, events, experiment__title="Lost cache", experiment__status=status,
                experiment__deviated=deviated)  # fmt: skip
    return Trace(trace_id="a" * 32, started_at=START, duration_ms=50_000, services=[], errors=0, spans=[root, *spans])


BEFORE = span("hypothesis", 1, 1, hypothesis__phase="before", hypothesis__met=True)
METHOD = span("method", 10, 30)
STOP = span("activity: stop", 10, 1, activity__name="stop", activity__status="succeeded", activity__error=True)
AFTER = span("hypothesis", 41, 1, hypothesis__phase="after", hypothesis__met=True)
UNMET = span("hypothesis", 41, 1, hypothesis__phase="after", hypothesis__met="False")
ALL_THE_TIME = span("hypothesis", 10, 30, hypothesis__phase="continuous")
ONCE = span("hypothesis", 12, 1, hypothesis__phase="continuous", hypothesis__met=True, hypothesis__iteration=1)
ONCE_UNMET = span("hypothesis", 12, 1, hypothesis__phase="continuous", hypothesis__met=False)
INJECTED = SpanEvent(name="fault.injected", offset_ms=10_000, attributes={"chaostoolkit.activity.name": "stop"})


def test_a_run_has_the_title_the_windows_and_the_timeline_of_its_spans():
    run = run_from_spans(trace(BEFORE, METHOD, STOP, AFTER))
    assert (run.title, run.source, run.status, run.environment) == ("Lost cache", "imported", "finished", "demo")
    assert [(each.phase, each.started_at.second, each.ended_at.second) for each in run.windows] == [
        ("baseline", 0, 10), ("fault", 10, 40), ("recovery", 40, 50)
    ]  # fmt: skip
    assert [(event.at.second, event.message) for event in run.events] == [(10, "stop: succeeded")]


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        (trace(BEFORE, METHOD, STOP, AFTER, events=[INJECTED]), "held"),
        (trace(BEFORE, METHOD, STOP, AFTER), "inconclusive"),
        (trace(BEFORE, METHOD, STOP, UNMET), "deviated"),
        (trace(ALL_THE_TIME, BEFORE, METHOD, STOP, ONCE, AFTER, events=[INJECTED]), "held"),
        (trace(ALL_THE_TIME, BEFORE, METHOD, STOP, ONCE_UNMET, AFTER, events=[INJECTED]), "deviated"),
        (trace(BEFORE, METHOD, STOP, deviated=True), "deviated"),
        (trace(BEFORE, METHOD, STOP, deviated="true"), "deviated"),
        (trace(BEFORE, METHOD, STOP, events=[INJECTED]), "inconclusive"),
        (trace(span("hypothesis", 1, 1, hypothesis__phase="before", hypothesis__met=False)), "inconclusive"),
        (trace(BEFORE, METHOD, STOP, AFTER, status="interrupted", events=[INJECTED]), "aborted"),
    ],
)
def test_spans_are_believed_as_far_as_they_go(told, verdict):
    """Which activities were actions they do not say, and the stock control's error attribute is set on success."""
    assert run_from_spans(told).verdict == verdict


def test_our_controls_span_carries_the_id_of_the_run():
    """So that the journal and the spans are one run."""
    told = trace(AFTER, events=[INJECTED])
    told.spans[0].attributes["chaos.run"] = "chaostoolkit-1"
    run = run_from_spans(told)
    assert (run.id, run.events[0].step, run.events[0].at) == (
        "chaostoolkit-1", "fault.injected", START + timedelta(seconds=10)
    )  # fmt: skip


def test_a_trace_of_anything_else_is_no_run():
    assert run_from_spans(Trace(**{**trace().model_dump(), "spans": [METHOD]})) is None
