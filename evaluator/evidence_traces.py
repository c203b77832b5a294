"""The parts of an alert's evidence that people read: traces, log records, experiments."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from alerts import evidence as e
from alerts.evidence import Evidence, EvidenceTrace
from alerts.trace_rows import choose_rows
from evaluator.evidence_parts import Case, cut
from storage.annotations import annotations
from storage.client import Database
from storage.exemplar_traces import exemplar_traces
from storage.logs import LogRecord, LogSearch, search_logs
from storage.pins import pin_trace
from storage.runs import RunRow, list_runs
from storage.sli_count import cache_misses
from storage.trace_outline import TraceOutline, trace_outline

TRACES: Final = 3
LOG_LINES: Final = 20
LINES_A_TRACE: Final = 5
LOG_TEXT: Final = 500
ERROR: Final = 17  # the lowest severity number that OpenTelemetry calls ERROR
AROUND: Final = timedelta(minutes=1)
MOST_RUNS: Final = 20
SILENT_AFTER: Final = timedelta(seconds=30)  # a runner that says nothing for longer is gone, and its run over
EXPERIMENTS: Final = 10


def traces(database: Database, case: Case, found: Evidence) -> Evidence:
    if case.cache is not None:
        missed = cache_misses(database, case.cache, start=case.start, end=case.end, limit=TRACES)
        outlines = (trace_outline(database, trace_id) for trace_id in missed)
        return replace(found, traces=tuple(_of_outline(outline) for outline in outlines if outline))
    if case.shown is None:
        return found
    picked = exemplar_traces(database, case.shown, start=case.start, end=case.end, limit=TRACES)
    return replace(
        found,
        traces=tuple(
            EvidenceTrace(
                trace_id=each.trace_id,
                route=cut(each.route),
                started_at=each.started_at,
                duration_ms=each.duration_ms,
                error=each.error,
                guilty_span_id=each.charge.span_id,
                guilty_service=cut(each.charge.service),
                guilty_operation=cut(each.charge.operation),
            )
            for each in picked
        ),
    )


def pins(database: Database, case: Case, found: Evidence) -> Evidence:
    """Keep the traces for as long as the alert, draw the first, and tell what each guilty span said of its error."""
    told: list[EvidenceTrace] = []
    drawn: list[e.TraceSpan] = []
    for each in found.traces:
        outline = trace_outline(database, each.trace_id)
        if outline is None:
            told.append(each)
            continue
        pin_trace(database, outline, now=case.now, guilty=each.guilty_span_id)
        told.append(replace(each, guilty_message=cut(outline.messages.get(each.guilty_span_id, ""))))
        drawn = drawn or _spans(outline, each.guilty_span_id)
    return replace(found, traces=tuple(told), trace_spans=choose_rows(drawn), trace_span_count=len(drawn))


def logs(database: Database, case: Case, found: Evidence) -> Evidence:
    """Show what was logged in the traces, and the newest errors of the guilty service."""
    records: list[LogRecord] = []
    for each in found.traces:
        until = each.started_at + timedelta(milliseconds=each.duration_ms) + AROUND
        search = LogSearch(each.started_at - AROUND, until, trace_id=each.trace_id)
        records += search_logs(database, search, limit=LINES_A_TRACE).records
    guilty = next(iter([*case.services(found)[1:], *case.services(found)]), "")
    if guilty:
        errors = LogSearch(case.start, case.end, service=guilty, environment=case.environment or "", min_severity=ERROR)
        records += search_logs(database, errors, limit=LOG_LINES).records
    lines = dict.fromkeys(map(_line, records))
    return replace(found, logs=tuple(sorted([*lines][:LOG_LINES], key=lambda line: line.at)))


def experiments(database: Database, case: Case, found: Evidence) -> Evidence:
    """Tell of runs and of noted events that touch the window; those of the services at hand first."""
    concerned = set(case.services(found))
    noted = (
        (set(each.services), e.Experiment(each.id, cut(each.title), each.started_at, each.ended_at))
        for each in annotations(database, start=case.start, end=case.end)
        if each.kind != "retention"
    )
    runs = list_runs(database, since=case.start, until=case.end, limit=MOST_RUNS).runs
    ran = (_run(row, case.now) for row in runs)
    touching = (
        (services, run)
        for services, run, environment in ran
        if environment in {"", case.environment or environment} and (run.ended_at or case.end) >= case.start
    )
    every = sorted((*noted, *touching), key=lambda item: (not (item[0] & concerned), item[1].started_at))
    return replace(found, experiments=tuple(each for _, each in every[:EXPERIMENTS]))


def _run(row: RunRow, now: datetime) -> tuple[set[str], e.Experiment, str]:
    """Return the services, the time and the environment of a run, as its runner last described it."""
    silent = row.ended_at is None and now - row.heartbeat_at > SILENT_AFTER
    run = e.Experiment(row.id, cut(row.title), row.started_at, row.heartbeat_at if silent else row.ended_at)
    return set(row.services), run, row.environment


def _line(record: LogRecord) -> e.LogLine:
    body = record.body if isinstance(record.body, str) else json.dumps(record.body, ensure_ascii=False, default=str)
    text = cut(body if record.body is not None else record.event_name, LOG_TEXT)
    severity = record.severity_text or str(record.severity_number or "")
    return e.LogLine(record.at, cut(severity, 20), cut(record.service), text, record.trace_id)


def _of_outline(outline: TraceOutline) -> EvidenceTrace:
    """Return a trace by its shape alone: nobody is to blame but the span that it begins with."""
    root = min(outline.spans, key=lambda span: (bool(span.parent_id), span.start_ns, span.span_id))
    return EvidenceTrace(
        trace_id=outline.trace_id,
        route=cut(root.operation),
        started_at=outline.start,
        duration_ms=(outline.end - outline.start) / timedelta(milliseconds=1),
        error=any(span.error for span in outline.spans),
        guilty_span_id=root.span_id,
        guilty_service=cut(root.service),
        guilty_operation=cut(root.operation),
    )


def _spans(outline: TraceOutline, guilty: str) -> list[e.TraceSpan]:
    first = min(span.start_ns for span in outline.spans)
    return [
        e.TraceSpan(
            span_id=span.span_id,
            parent_span_id=span.parent_id,
            service=cut(span.service),
            operation=cut(span.operation),
            offset_ms=(span.start_ns - first) / 1e6,
            duration_ms=span.duration_ns / 1e6,
            error=span.error,
            guilty=span.span_id == guilty,
        )
        for span in outline.spans
    ]
