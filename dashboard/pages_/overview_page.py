import streamlit as st

from api.client import ApiClient
from dashboard import guide, shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import first_run, overview, services


def _body() -> None:
    status = fetch(ApiClient.status)
    notices = overview.notices(status)
    if notices:
        panel.show(notices, "overview-notices")
    if not first_run.has_data(status):
        guide.show(status)
        return
    slos, alerts, runs = fetch(ApiClient.slos), fetch(ApiClient.alerts), fetch(ApiClient.runs)
    found = fetch(ApiClient.services)
    panel.show(overview.tiles(status, slos, alerts, runs, shell.now()), "overview-tiles")
    st.subheader("Needs attention", anchor=False)
    panel.show(overview.attention(slos, alerts, shell.now()), "overview-attention")
    st.subheader("Services, last 15 minutes", anchor=False)
    if found:
        panel.show(services.wall(found, slos), "overview-wall")
    else:
        st.write("No request arrived in the last 15 minutes.")


shell.page("Overview", _body)
