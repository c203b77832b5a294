import streamlit as st

from api.client import ApiClient
from dashboard import shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import runs

RUN_ID = shell.parameter("id")


def _body() -> None:
    if not RUN_ID:
        st.info("No run is named in the address. Choose one from the list.", icon=":material/search:")
        st.page_link("pages_/chaos_page.py", label="All runs")
        return
    run = fetch(ApiClient.run, RUN_ID)
    panel.show(runs.headline(run, shell.now()), "run-headline")
    panel.show(runs.report(run), "run-report")


shell.page("Chaos run", _body, entity=f"Run {RUN_ID}" if RUN_ID else "")
