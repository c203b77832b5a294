import streamlit as st

from api.client import ApiClient
from dashboard import shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import waterfall

TRACE_ID = shell.parameter("trace")


def _body() -> None:
    if not TRACE_ID:
        st.info("No trace is named in the address. Search for one.", icon=":material/search:")
        st.page_link("pages_/traces_page.py", label="Search traces")
        return
    trace = fetch(ApiClient.trace, TRACE_ID)
    panel.show(waterfall.headline(trace), "trace-headline")
    guilty = waterfall.first_error(trace)
    selected = st.query_params.get("span", guilty)
    if guilty and selected != guilty and st.button("Show the first error", key="trace-first-error"):
        st.query_params["span"] = guilty
        st.rerun()
    chosen = panel.show(
        waterfall.render(trace, selected), "trace-spans", scroll_to=f"span-{selected}" if selected else ""
    )
    if chosen:
        # choosing the open span again closes it; an empty value keeps the first error from opening by itself.
        # In a cut trace the open span holds the place, so there it stays open
        closes = chosen == selected and len(trace.spans) <= waterfall.MAX_ROWS
        st.query_params["span"] = "" if closes else chosen
        st.rerun()


shell.page("Trace", _body, entity=f"Trace {TRACE_ID[:8]}", refreshes=False)
