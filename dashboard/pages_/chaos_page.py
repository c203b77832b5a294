import streamlit as st

from api.client import ApiClient
from dashboard import shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import runs


def _body() -> None:
    found = fetch(ApiClient.runs)
    if found:
        panel.show(runs.listing(found, shell.now()), "chaos-table")
        return
    st.info(
        "No experiment has run yet. An experiment injects a fault, and is judged against its hypothesis.",
        icon=":material/science:",
    )
    st.code("ninelives chaos init\nninelives chaos run experiment.yaml\n", language="bash")


shell.page("Chaos", _body)
