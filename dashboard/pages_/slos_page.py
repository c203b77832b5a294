from collections.abc import Sequence

import streamlit as st

from api import models as m
from api.client import ApiClient
from dashboard import guide, shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import looks, overview, slos

ANY_SERVICE = "Any service"
ANY_STATE = "Any state"


def _body() -> None:
    status = fetch(ApiClient.status)
    notices = overview.notices(status)
    if notices:
        panel.show(notices, "slos-notices")
    found = fetch(ApiClient.slos)
    if found:
        _list(found)
    elif status.spans_stored:
        st.info(
            "No SLO yet: drafts appear within a minute of a service's first request spans.",
            icon=":material/hourglass_empty:",
        )
    else:
        guide.pointer("SLOs", "Each service that sends request spans gets draft SLOs within a minute.")


def _list(found: Sequence[m.Slo]) -> None:
    chosen = _chosen(found)
    panel.show(slos.states(found), "slos-states")
    if chosen:
        panel.show(slos.listing(chosen), "slos-table")
    else:
        st.info("No SLO matches. Choose fewer conditions.", icon=":material/search:")
        st.button("Clear the search", on_click=_clear)


def _chosen(found: Sequence[m.Slo]) -> list[m.Slo]:
    services = sorted({item.service for item in found})
    states = {look.word: state for state, look in looks.SLO_STATES.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Search", key="slo_text", bind="query-params", width=260, placeholder="name, owner")
        service = st.selectbox("Service", [ANY_SERVICE, *services], key="slo_service", bind="query-params", width=220)
        state = st.selectbox("State", [ANY_STATE, *states], key="slo_state", bind="query-params", width=180)
    return slos.matching(
        found,
        text=text.strip(),
        service="" if service == ANY_SERVICE else str(service),
        state=states.get(str(state)),
    )


def _clear() -> None:
    st.session_state.update({"slo_text": "", "slo_service": ANY_SERVICE, "slo_state": ANY_STATE})


shell.page("SLOs", _body)
