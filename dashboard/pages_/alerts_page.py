from datetime import timedelta

import streamlit as st

from api.client import ApiClient, ApiError
from dashboard import guide, shell
from dashboard.api_access import call, fetch
from dashboard.components import panel
from dashboard.views import alert_timeline, alerts, incidents, silences


def _body() -> None:
    found = fetch(ApiClient.alerts)
    if not found and not fetch(ApiClient.status).spans_stored:
        guide.pointer("alerts", "They need data first.")
        return
    known = fetch(ApiClient.incidents)
    panel.show(alerts.tiles(found, known), "alerts-tiles")
    lanes = alert_timeline.lanes(found, shell.now())
    if lanes:
        panel.show(lanes, "alerts-lanes")
    choice = st.segmented_control(
        "State",
        alerts.CHOICES,
        default="All",
        key="state",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    chosen = alerts.chosen(found, str(choice or "All"))
    if chosen:
        panel.show(alerts.listing(chosen, shell.now()), "alerts-table")
    elif found:
        st.info(f"No alert is {str(choice).lower()}.", icon=":material/search:")
    else:
        st.info("No alert has fired in 30 days. Each SLO's burn rates are watched.", icon=":material/check_circle:")
    _silences()
    if known:
        st.subheader("Incidents", anchor=False)
        panel.show(incidents.listing(known, shell.now()), "alerts-incidents")
        panel.show(incidents.metrics(fetch(ApiClient.incident_metrics)), "alerts-incident-metrics")


def _silences() -> None:
    st.subheader("Silences", anchor=False)
    found = fetch(ApiClient.silences)
    if found:
        used = panel.show(silences.listing(found, shell.now()), "alerts-silences")
        if used.startswith(silences.EXPIRE):
            _expire(used.removeprefix(silences.EXPIRE))
    else:
        st.caption("None is in force. The page of an alert makes one for it; any other is made here.")
    with st.expander("Silence alerts by their labels"):
        _add()


def _expire(silence_id: str) -> None:
    try:
        call(ApiClient.expire_silence, silence_id)
    except ApiError as error:
        st.error(str(error), icon=":material/block:")
    else:
        st.success("The silence is over.", icon=":material/check:")


def _add() -> None:
    with st.form("silence-add", border=False):
        matchers = st.text_input("Labels", placeholder='service_name="checkout", severity="ticket"')
        hours = st.number_input("For how many hours", min_value=0.5, max_value=720.0, value=2.0, step=0.5)
        author = st.text_input("Your name", key="author")
        comment = st.text_input("Why")
        pressed = st.form_submit_button("Silence")
    if not pressed:
        return
    wanted = silences.by_labels(matchers, author, comment, shell.now() + timedelta(hours=hours))
    try:
        made = call(ApiClient.add_silence, wanted)
    except ApiError as error:
        st.error(str(error), icon=":material/block:")
    else:
        st.success(f"In force. It matches {len(made.alert_ids)} alerts now.", icon=":material/check:")


shell.page("Alerts", _body)
