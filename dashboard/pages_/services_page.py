import streamlit as st

from api.client import ApiClient
from dashboard import guide, shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import services


def _body() -> None:
    window_s = shell.pick_range("services_range", "15m")
    found = fetch(ApiClient.services, window_s=window_s)
    if found:
        panel.show(services.listing(found, fetch(ApiClient.slos), shell.now()), "services-table")
    elif fetch(ApiClient.status).spans_stored:
        st.info("No request arrived in this range. Choose a longer one.", icon=":material/search:")
    else:
        guide.pointer("services", "They appear here with their first request span.")


shell.page("Services", _body)
