from dataclasses import dataclass

import streamlit as st

from api import models as m
from api.client import ApiClient
from dashboard import guide, shell
from dashboard.api_access import UnreachableError, fetch
from dashboard.components import panel
from dashboard.views import logs, units

ANY = "Any service"
ANY_SEVERITY = next(iter(logs.SEVERITIES))
LIMIT = 100
LATELY_S = 900  # services that sent within it are offered
LONG_S = 31 * 86400


@dataclass(frozen=True, slots=True)
class Search:
    text: str
    service: str
    min_severity: int
    trace_id: str
    window_s: int


def _known_services() -> list[str]:
    try:
        volumes = fetch(ApiClient.ingest, window_s=LATELY_S).services
    except UnreachableError:
        # the list below says so
        return []
    return sorted({volume.service for volume in volumes if volume.signal == "logs"})


def _form() -> Search:
    if trace := st.session_state.pop("logs_of_trace", ""):
        _clear(trace)
    names = _known_services()
    asked = shell.parameter("log_service")
    choices = [ANY, *names] if not asked or asked in names else [ANY, asked, *names]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Text", key="log_text", bind="query-params", width=300, placeholder="in the body")
        service = st.selectbox("Service", choices, key="log_service", bind="query-params", width=200)
        severity = st.selectbox("Severity", list(logs.SEVERITIES), key="log_severity", bind="query-params", width=190)
        trace_id = st.text_input("Trace", key="log_trace", bind="query-params", width=300, placeholder="trace id")
        window_s = shell.pick_range("log_range", choices=("15m", "1h", "6h", "24h", "7d"))
    name = "" if service == ANY else str(service)
    return Search(text.strip(), name, logs.SEVERITIES[str(severity)], trace_id.strip().lower(), window_s)


def _body() -> None:
    search = _form()
    cursor = shell.parameter("log_cursor")
    found = fetch(
        ApiClient.logs,
        text=search.text,
        service=search.service,
        min_severity=search.min_severity,
        trace_id=search.trace_id,
        window_s=search.window_s,
        limit=LIMIT,
        cursor=cursor,
    )
    if found.items:
        _list(found.items, search, more=bool(found.next_cursor) and not cursor)
    elif fetch(ApiClient.logs, window_s=LONG_S, limit=1).items:
        st.info("No record matches this search. Choose a longer range or fewer conditions.", icon=":material/search:")
        st.button("Clear the search", on_click=_clear)
    else:
        guide.pointer("log records", "Point a log exporter at this service: OTEL_LOGS_EXPORTER=otlp.")
    _paging(cursor, found.next_cursor)


def _clear(trace_id: str = "") -> None:
    """Forget every condition but *trace_id*; only before the fields are drawn."""
    st.session_state.update({"log_text": "", "log_service": ANY, "log_severity": ANY_SEVERITY, "log_trace": trace_id})


def _list(records: list[m.LogRecord], search: Search, *, more: bool) -> None:
    st.write(logs.summary(records, more=more))
    opened = st.query_params.get("record", "")
    chosen = panel.show(logs.listing(records, opened, search.text), "logs-list")
    if chosen.startswith(logs.OF_TRACE):
        st.session_state["logs_of_trace"] = chosen.removeprefix(logs.OF_TRACE)
        st.rerun()
    if chosen:
        st.query_params["record"] = "" if chosen == opened else chosen
        st.rerun()


def _paging(cursor: str, next_cursor: str | None) -> None:
    with st.container(horizontal=True):
        if cursor and st.button("Back to the newest", key="logs-newest"):
            del st.query_params["log_cursor"]
            st.rerun()
        if next_cursor and st.button(f"Older records ({units.count(LIMIT)} a page)", key="logs-older"):
            st.query_params["log_cursor"] = next_cursor
            st.rerun()


shell.page("Logs", _body)
