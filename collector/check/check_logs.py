"""The look at a logs request: the ids that lead from a record to its trace."""

from operator import attrgetter
from typing import Any

from collector.check.findings import Findings, counted

LOOKED_AT = attrgetter("trace_id", "span_id", "time_unix_nano", "observed_time_unix_nano")


def check_logs(request: Any, _body: bytes) -> Findings:
    """Clear ids of a wrong length in *request* and return what was found: no record is invalid by itself."""
    records = [record for group in request.resource_logs for scope in group.scope_logs for record in scope.log_records]
    found = Findings("log records", len(records))
    if not records:
        return found
    trace_ids, span_ids, times, observed_times = zip(*map(LOOKED_AT, records), strict=True)
    if not (set(map(len, trace_ids)) <= {0, 16} and set(map(len, span_ids)) <= {0, 8}):
        _clear_bad_ids(records, found)
    found.doubtful = not any(times) and not any(observed_times)
    return found


def _clear_bad_ids(records: list[Any], found: Findings) -> None:
    cleared = 0
    for record in records:
        bad_trace_id, bad_span_id = len(record.trace_id) not in {0, 16}, len(record.span_id) not in {0, 8}
        if bad_trace_id:
            record.trace_id = b""
        if bad_span_id:
            record.span_id = b""
        cleared += bad_trace_id or bad_span_id
    found.warnings.append(
        f"{counted(cleared, 'log record')} with a trace id of not 16 or a span id of not 8 bytes, which was cleared"
    )
    found.changed = True
