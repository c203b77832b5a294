import streamlit as st

from api.client import ApiClient
from dashboard import guide, shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import alerts

STATES = ("All", "Firing", "Pending", "Resolved")


def _body() -> None:
    chosen = st.segmented_control(
        "State", STATES, default="All", key="state", bind="query-params", required=True, label_visibility="collapsed"
    )
    state = "" if chosen in (None, "All") else str(chosen).lower()
    found = fetch(ApiClient.alerts, state=state)
    if found:
        panel.show(alerts.listing(found, shell.now()), "alerts-table")
    elif not fetch(ApiClient.status).spans_stored:
        guide.pointer("alerts", "They need data first.")
    elif state:
        st.info(f"No alert is {state}.", icon=":material/search:")
    else:
        st.info("No alert has fired. Each SLO's burn rates are watched.", icon=":material/check_circle:")


shell.page("Alerts", _body)
