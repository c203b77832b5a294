from dataclasses import dataclass

import streamlit as st

from api.client import ApiClient
from dashboard import guide, shell
from dashboard.api_access import UnreachableError, fetch
from dashboard.components import panel
from dashboard.views import traces, units

ANY = "Any service"
LIMIT = 100


@dataclass(frozen=True, slots=True)
class Search:
    service: str
    operation: str
    errors_only: bool
    min_duration_ms: float
    window_s: int


def _known_services() -> list[str]:
    try:
        return sorted({service.name for service in fetch(ApiClient.services, window_s=86400)})
    except UnreachableError:
        # the list below says so
        return []


def _form() -> Search:
    names = _known_services()
    asked = shell.parameter("service")
    choices = [ANY, *names] if not asked or asked in names else [ANY, asked, *names]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        service = st.selectbox("Service", choices, key="service", bind="query-params", width=220)
        operation = st.text_input("Operation", key="operation", bind="query-params", width=220)
        slower = st.number_input("Slower than, ms", min_value=0, step=100, key="min_ms", bind="query-params", width=180)
        errors = st.toggle("Only with errors", key="errors", bind="query-params")
        window_s = shell.pick_range("range")
    return Search("" if service == ANY else str(service), operation, errors, float(slower), window_s)


def _body() -> None:
    search = _form()
    found = fetch(
        ApiClient.traces,
        service=search.service,
        operation=search.operation,
        errors_only=search.errors_only,
        min_duration_ms=search.min_duration_ms,
        window_s=search.window_s,
        limit=LIMIT,
    )
    if found:
        note = f"The newest {LIMIT} traces; narrow the search for others." if len(found) == LIMIT else ""
        st.write(note or f"{units.plural(len(found), 'trace')} found.")
        panel.show(traces.listing(found, shell.now()), "traces-table")
    elif fetch(ApiClient.status).spans_stored:
        st.info("No trace matches this search. Choose a longer range or fewer conditions.", icon=":material/search:")
        st.page_link("pages_/traces_page.py", label="Clear the search")
    else:
        guide.pointer("traces", "They appear here with the first span.")


shell.page("Traces", _body)
