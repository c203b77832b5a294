from datetime import timedelta

import streamlit as st

from api.client import ApiClient
from dashboard import guide, outcomes, shell
from dashboard.api_access import call, fetch
from dashboard.components import panel
from dashboard.views import alert_commands, alert_timeline, alerts, channels, incidents, silences, units

ADDING, ENDING = "add silence", "end silence"


def _body() -> None:
    found = fetch(ApiClient.alerts)
    if not found and not fetch(ApiClient.status).spans_stored:
        guide.pointer("alerts", "They need data first.")
        return
    _channels()
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


def _channels() -> None:
    found = fetch(ApiClient.alert_channels)
    if channels.nobody_is_told(found, shell.now()):
        st.warning(channels.NOBODY_IS_TOLD, icon=":material/notifications_off:")
        st.code(channels.REMEDY, language="yaml")
    for channel in channels.failing(found, shell.now()):
        st.error(channels.failure(channel, shell.now()), icon=":material/error:")


def _silences() -> None:
    st.subheader("Silences", anchor=False)
    found = fetch(ApiClient.silences)
    may_operate = fetch(ApiClient.status).may_operate
    if found:
        used = panel.show(silences.listing(found, shell.now(), may_end=may_operate), "alerts-silences")
        if used.startswith(silences.EXPIRE):
            _expire(used.removeprefix(silences.EXPIRE))
    else:
        st.caption("None is in force. The page of an alert makes one for it; any other is made here.")
    if not may_operate:
        st.caption(alert_commands.READ_ONLY)
        st.code(f"{alert_commands.ADD_SILENCE}\n{alert_commands.END_SILENCE}", language="sh")
        return
    outcomes.show(ENDING)
    with st.expander("Silence alerts by their labels"):
        _add()


def _expire(silence_id: str) -> None:
    def ask() -> str:
        call(ApiClient.expire_silence, silence_id)
        return "The silence is over."

    outcomes.keep(ENDING, ask)
    st.rerun()


def _add() -> None:
    with st.form("silence-add", border=False):
        st.text_input("Labels", placeholder='service_name="checkout", severity="ticket"', key="silence-labels")
        st.number_input("For how many hours", min_value=0.5, max_value=720.0, value=2.0, step=0.5, key="silence-hours")
        st.text_input("Your name", key="silence-by")
        st.text_input("Why", key="silence-why")
        st.form_submit_button("Silence", on_click=_silence)
        outcomes.show(ADDING)


def _silence() -> None:
    matchers, hours, author, why = (st.session_state[f"silence-{name}"] for name in ("labels", "hours", "by", "why"))

    def ask() -> str:
        wanted = silences.by_labels(matchers, author, why, shell.now() + timedelta(hours=hours))
        made = call(ApiClient.add_silence, wanted)
        return f"In force. It matches {units.plural(len(made.alert_ids), 'alert')} now."

    outcomes.keep(ADDING, ask)


shell.page("Alerts", _body)
