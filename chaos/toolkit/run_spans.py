"""Runs of Chaos Toolkit as the spans of its tracing control, or of ours, tell of them. Pure."""

import re
from datetime import timedelta

from api.models import Run, RunEvent, RunStatus, RunWindow, Span, Trace, Verdict

TITLE = "chaostoolkit.experiment.title"
STATUS = "chaostoolkit.experiment.status"
DEVIATED = "chaostoolkit.experiment.deviated"
PHASE = "chaostoolkit.hypothesis.phase"
MET = "chaostoolkit.hypothesis.met"
ACTIVITY = "chaostoolkit.activity.name"
ACTIVITY_STATUS = "chaostoolkit.activity.status"
INJECTED = "fault.injected"


def run_from_spans(trace: Trace) -> Run | None:
    """Return the run that *trace* is of, None if it is of none.

    Spans do not say which activities were actions, unless our control noted `fault.injected`: without that, a run
    that did not deviate is inconclusive. The stock control's `error` attribute is left alone, as it is set on success.
    """
    root = next((span for span in trace.spans if TITLE in span.attributes), None)
    if root is None:
        return None
    title = str(root.attributes[TITLE])
    end = root.started_at + timedelta(milliseconds=root.duration_ms)
    verdict, reason = _verdict(root, trace.spans)
    run_id = str(root.attributes.get("chaos.run") or f"trace-{trace.trace_id}")
    return Run(
        id=run_id,
        experiment=re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "untitled",
        title=title,
        status=_status(root),
        verdict=verdict,
        started_at=root.started_at,
        ended_at=end,
        heartbeat_at=end,
        environment=root.environment,
        source="imported",
        windows=_windows(root, trace.spans),
        events=_events(root, trace.spans),
        summary=f"{verdict.replace('_', ' ').capitalize()}: {reason}. Known from the spans of trace {trace.trace_id}.",
    )


def _status(root: Span) -> RunStatus:
    return "finished" if str(root.attributes.get(STATUS)) in {"completed", "failed"} else "aborted"


def _verdict(root: Span, spans: list[Span]) -> tuple[Verdict, str]:
    if _status(root) == "aborted":
        return "aborted", f"the run was {root.attributes.get(STATUS, 'not ended')}"
    if _is_true(root.attributes.get(DEVIATED)):
        return "deviated", "the toolkit says that the steady state deviated"
    if not all(_checks(spans, "before")):
        return "inconclusive", "the steady state was not met before the method, so nothing was broken"
    return _undeviated(root, [*_checks(spans, "continuous"), *_checks(spans, "after")])


def _undeviated(root: Span, later: list[bool]) -> tuple[Verdict, str]:
    if not all(later):
        return "deviated", "the steady state was not met under or after the faults"
    if not later:
        return "inconclusive", "no check of the steady state under or after the faults is on record"
    if not any(event.name == INJECTED for event in root.events):
        return "inconclusive", "the steady state was met, but no span says that a fault was injected"
    return "held", f"the steady state was met in {len(later)} checks under and after the faults"


def _checks(spans: list[Span], phase: str) -> list[bool]:
    """Whether each check was met; the span that encloses all continuous checks has no answer of its own."""
    return [
        _is_true(span.attributes[MET])
        for span in spans
        if span.attributes.get(PHASE) == phase and MET in span.attributes
    ]


def _windows(root: Span, spans: list[Span]) -> list[RunWindow]:
    method = next((span for span in spans if span.name == "method"), None)
    if method is None or not method.duration_ms:
        return []
    end = root.started_at + timedelta(milliseconds=root.duration_ms)
    method_end = method.started_at + timedelta(milliseconds=method.duration_ms)
    bounds = [
        ("baseline", root.started_at, method.started_at),
        ("fault", method.started_at, method_end),
        ("recovery", method_end, end),
    ]
    return [RunWindow(phase=phase, started_at=since, ended_at=until) for phase, since, until in bounds if since < until]


def _events(root: Span, spans: list[Span]) -> list[RunEvent]:
    found = [
        RunEvent(
            at=root.started_at + timedelta(milliseconds=event.offset_ms - root.offset_ms),
            step=event.name,
            message=str(event.attributes.get(ACTIVITY, "")),
        )
        for event in root.events
    ]
    found += [
        RunEvent(
            at=span.started_at,
            step="activity",
            message=f"{span.attributes[ACTIVITY]}: {span.attributes.get(ACTIVITY_STATUS, '?')}",
        )
        for span in spans
        if ACTIVITY in span.attributes
    ]
    return sorted(found, key=lambda event: event.at)


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"
