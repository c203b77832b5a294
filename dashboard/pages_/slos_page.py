import streamlit as st

from api.client import ApiClient
from dashboard import guide, shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import overview, slos


def _body() -> None:
    status = fetch(ApiClient.status)
    notices = overview.notices(status)
    if notices:
        panel.show(notices, "slos-notices")
    found = fetch(ApiClient.slos)
    if found:
        panel.show(slos.listing(found), "slos-table")
    elif status.spans_stored:
        st.info(
            "No SLO yet: drafts appear within a minute of a service's first request spans.",
            icon=":material/hourglass_empty:",
        )
    else:
        guide.pointer("SLOs", "Each service that sends request spans gets draft SLOs within a minute.")


shell.page("SLOs", _body)
