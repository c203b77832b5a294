from datetime import timedelta

import streamlit as st

from api import models as m
from api.client import ApiClient
from dashboard import outcomes, shell
from dashboard.api_access import NotFoundError, api_url, call, fetch
from dashboard.components import panel
from dashboard.views import alert_commands, alert_evidence, alert_timeline, alerts, budgets, charts, incidents, silences

ALERT_ID = shell.parameter("id")
TAKING, SILENCING, NOTING = (f"{what} {ALERT_ID}" for what in ("acknowledge", "silence", "note"))
MOST_S = 7 * 86400  # an older alert's minutes would be a few points of the chart


def _slo_of(alert: m.Alert) -> m.Slo | None:
    try:
        return fetch(ApiClient.slo, alert.slo_id) if alert.slo_id else None
    except NotFoundError:
        # an alert outlives its SLO
        return None


def _body() -> None:
    if not ALERT_ID:
        st.info("No alert is named in the address. Choose one from the list.", icon=":material/search:")
        st.page_link("pages_/alerts_page.py", label="All alerts")
        return
    alert = fetch(ApiClient.alert, ALERT_ID)
    panel.show(alerts.summary(alert), "alert-summary")
    panel.show(alerts.headline(alert, shell.now()), "alert-headline")
    _actions(alert)
    st.subheader("Traces to look at", anchor=False)
    panel.show(alerts.exemplars(alert), "alert-traces")
    st.subheader("Why", anchor=False)
    slo = _slo_of(alert)
    panel.show(alerts.why(alert, slo), "alert-why")
    if slo is not None:
        _minutes(alert)
    if alert.evidence is not None:
        _evidence(alert.evidence)
    _incident(alert)
    if alert.timeline:
        st.subheader("Timeline", anchor=False)
        panel.show(alert_timeline.events(alert.timeline), "alert-timeline")


def _may_operate() -> bool:
    return fetch(ApiClient.status).may_operate


def _actions(alert: m.AlertRecord) -> None:
    may_operate = _may_operate()
    with st.container(horizontal=True):
        if may_operate and alert.state == "firing":
            with st.popover(
                "Acknowledge", type="secondary" if alert.acknowledgements else "primary", key=TAKING, on_change="rerun"
            ):
                _take_on(alert)
        if may_operate and alert.state != "resolved":
            with st.popover("Silence", key=SILENCING, on_change="rerun"):
                _be_silent(alert)
        if alert.evidence_url:
            page = alert.evidence_url
            address = api_url() + page if page.startswith("/") else page
            st.link_button("Evidence on one page", address, help="It opens with the dashboard down")
    commands = alert_commands.of_alert(alert)
    if commands and not may_operate:
        st.caption(alert_commands.READ_ONLY)
        st.code("\n".join(commands), language="sh", wrap_lines=True)


def _take_on(alert: m.AlertRecord) -> None:
    with st.form("alert-acknowledge", border=False):
        st.markdown("Say that you have it: it is not repeated any more.")
        st.text_input("Your name", key="acknowledge-author")
        st.text_input("What you know already", key="acknowledge-comment")
        st.form_submit_button("I have it", type="primary", on_click=_acknowledge, args=(alert,))
        outcomes.show(TAKING)


def _be_silent(alert: m.AlertRecord) -> None:
    with st.form("alert-silence", border=False):
        st.markdown("Nobody is told of it; the budget counts on.")
        st.selectbox("For", list(silences.LENGTHS), index=1, key="silence-length")
        st.text_input("Your name", key="silence-author")
        st.text_input("Why", key="silence-comment")
        st.form_submit_button("Silence it", type="primary", on_click=_silence, args=(alert,))
        outcomes.show(SILENCING)


def _acknowledge(alert: m.Alert) -> None:
    author, comment = (st.session_state[f"acknowledge-{name}"] for name in ("author", "comment"))

    def ask() -> str:
        call(ApiClient.acknowledge_alert, alert.id, m.NewAcknowledgement(author=author, comment=comment, via="page"))
        return f"{author} has it."

    outcomes.keep(TAKING, ask)


def _silence(alert: m.Alert) -> None:
    length, author, comment = (st.session_state[f"silence-{name}"] for name in ("length", "author", "comment"))

    def ask() -> str:
        made = call(ApiClient.add_silence, silences.of_alert(alert, author, comment, length, shell.now()))
        return f"Silenced until {made.ends_at:%d %b %H:%M} UTC."

    outcomes.keep(SILENCING, ask)


def _minutes(alert: m.Alert) -> None:
    """Draw the objective's events around the alert, the time that it was on shaded."""
    now = shell.now()
    window_s = int((now - alert.started_at + timedelta(hours=1)).total_seconds())
    if window_s > MOST_S:
        return
    found = fetch(ApiClient.slo_minutes, alert.slo_id, window_s=window_s, step_s=budgets.step_seconds(window_s))
    if found:
        band = charts.Band("alert", alert.started_at, alert.resolved_at or now)
        option = charts.until(budgets.events(found, [band]), now)
        st.echarts_chart(
            option, height=220, key="alert-events", alt="Good and bad events, the time of the alert shaded"
        )


def _evidence(found: m.AlertEvidence) -> None:
    st.subheader("Evidence, gathered when it fired", anchor=False)
    panel.show(alert_evidence.in_short(found), "alert-evidence")
    parts = (
        ("Who spent it", found.spenders, alert_evidence.spenders),
        ("What differs in bad requests", found.differences, alert_evidence.differences),
        ("At the same time", [*found.deployments, *found.experiments], alert_evidence.same_time),
        ("Log records", found.logs, alert_evidence.logs),
        ("The same alert before", found.past, alert_evidence.past),
        ("What could not be gathered", found.missing, alert_evidence.missing),
    )
    for title, items, view in parts:
        if items:
            st.subheader(title, anchor=False)
            panel.show(view(found), f"alert-{title.lower().replace(' ', '-')}")


def _incident(alert: m.Alert) -> None:
    if not alert.incident_id:
        return
    try:
        found = fetch(ApiClient.incident, alert.incident_id)
    except NotFoundError:
        return  # older than what is kept
    st.subheader("Incident", anchor=False)
    panel.show(incidents.listing([found], shell.now()), "alert-incident")
    if len(found.alerts) > 1:
        panel.show(
            alerts.listing([item for item in found.alerts if item.id != alert.id], shell.now()), "alert-siblings"
        )
    if found.notes:
        panel.show(incidents.notes(found.notes), "alert-notes")
    if _may_operate():
        _add_note(found.id)
    st.download_button(
        "Post-mortem (Markdown)",
        lambda: call(ApiClient.postmortem, found.id),
        file_name=f"postmortem-{found.id}.md",
        mime="text/markdown",
    )


def _add_note(incident_id: str) -> None:
    with st.form("incident-note"):
        st.text_area("Add a note", height=80, key="note-text")
        st.text_input("Your name", key="note-author")
        st.form_submit_button("Add", on_click=_note, args=(incident_id,))
        outcomes.show(NOTING)


def _note(incident_id: str) -> None:
    author, text = (st.session_state[f"note-{name}"] for name in ("author", "text"))

    def ask() -> str:
        call(ApiClient.add_incident_note, incident_id, m.NewIncidentNote(author=author, text=text))
        st.session_state["note-text"] = ""  # what was refused stays, to be mended
        return "Noted."

    outcomes.keep(NOTING, ask)


shell.page("Alert", _body, entity=f"Alert {ALERT_ID}" if ALERT_ID else "")
