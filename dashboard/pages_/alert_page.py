import streamlit as st

from api import models as m
from api.client import ApiClient
from dashboard import shell
from dashboard.api_access import NotFoundError, fetch
from dashboard.components import panel
from dashboard.views import alerts

ALERT_ID = shell.parameter("id")


def _slo_of(alert: m.Alert) -> m.Slo | None:
    try:
        return fetch(ApiClient.slo, alert.slo_id)
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
    st.subheader("Traces to look at", anchor=False)
    panel.show(alerts.exemplars(alert), "alert-traces")
    st.subheader("Why", anchor=False)
    panel.show(alerts.why(alert, _slo_of(alert)), "alert-why")
    evidence = alerts.evidence(alert.details)
    if evidence:
        st.subheader("Evidence, gathered when it fired", anchor=False)
        panel.show(evidence, "alert-evidence")


shell.page("Alert", _body, entity=f"Alert {ALERT_ID}" if ALERT_ID else "")
