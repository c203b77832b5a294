"""What the API answers, and what it has to answer when clients sent the items of client_items.py."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx

Item = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOGS_A_PAGE = 50  # several pages, so that none is lost or shown twice between them
LOG_FIELDS = ("severity_number", "severity_text", "body", "event_name", "trace_id", "span_id", "attributes")
LOG_FIELDS += ("dropped_attributes", "resource", "scope")


class Api:
    """The API's answers as they are: the typed client would give values types of ours."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=f"{base_url}/api/v1/", trust_env=False, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **options: str) -> Item:
        return self._http.get(path, params=options or None).raise_for_status().json()

    def logs(self) -> list[Item]:
        """Return all log records, page by page."""
        found, end, cursor = [], datetime.now(UTC).isoformat(), ""
        while True:
            page = self.get("logs", end=end, cursor=cursor, limit=str(LOGS_A_PAGE))
            found += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return found


def expected_spans(sent: Iterable[Item]) -> dict[str, Item]:
    """Return, by span id, what the API has to say of *sent*, which is all of one trace."""
    spans = list(sent)
    first_ns = min(span["start_ns"] for span in spans)
    return {span["span_id"]: _expected(span, first_ns) for span in spans}


def expected_log(log: Item) -> Item:
    """Return what the API has to say of one record."""
    return {name: log[name] for name in LOG_FIELDS} | {
        "at": _moment(log["time_ns"]),
        "observed_at": _moment(log["observed_ns"]),
        "service": log["resource"]["service.name"],
        "environment": log["resource"].get("deployment.environment.name", ""),
    }


def _moment(ns: int) -> str:
    """Return a time as the API writes it, which is to the microsecond."""
    return (EPOCH + timedelta(microseconds=ns // 1000)).isoformat().replace("+00:00", "Z")


def _expected(span: Item, first_ns: int) -> Item:
    events = [
        {key: value for key, value in event.items() if key != "time_ns"}
        | {"offset_ms": (event["time_ns"] - first_ns) / 1e6}
        for event in span["events"]
    ]
    found = {key: value for key, value in span.items() if key not in {"trace_id", "start_ns", "end_ns"}}
    return found | {
        "service": span["resource"]["service.name"],
        "environment": span["resource"].get("deployment.environment.name", ""),
        "version": span["resource"].get("service.version", ""),
        "started_at": _moment(span["start_ns"]),
        "offset_ms": (span["start_ns"] - first_ns) / 1e6,
        "duration_ms": (span["end_ns"] - span["start_ns"]) / 1e6,
        "events": events,
        "quarantined": False,
        "weight": 1,
    }
