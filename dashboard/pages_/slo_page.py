import streamlit as st

from api import models as m
from api.client import ApiClient
from dashboard import shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import budgets, charts, slos

SLO_ID = shell.parameter("id")


def _body() -> None:
    if not SLO_ID:
        st.info("No SLO is named in the address. Choose one from the list.", icon=":material/search:")
        st.page_link("pages_/slos_page.py", label="All SLOs")
        return
    slo = fetch(ApiClient.slo, SLO_ID)
    if slo.description:
        st.text(slo.description)
    panel.show(slos.headline(slo), "slo-headline")
    if slo.draft:
        st.write("This is a draft made from the traffic seen. To keep it and change its objective:")
        st.code(slos.adopt_command(slo), language="bash")
    window_s = shell.pick_range("slo_range", "24h", ("1h", "6h", "24h", "7d", "30d"))
    _over_time(slo, window_s)
    st.subheader("Burn rates", anchor=False)
    panel.show(slos.burn_table(slo), "slo-burn")


def _over_time(slo: m.Slo, window_s: int) -> None:
    step_s = budgets.step_seconds(window_s)
    minutes = fetch(ApiClient.slo_minutes, SLO_ID, window_s=window_s, step_s=step_s)
    if not minutes:
        st.info("No minute has been counted in this range.", icon=":material/search:")
        return
    covered = minutes[0].at, shell.now()
    bands = charts.bands_of(fetch(ApiClient.annotations, window_s=window_s), *covered, slo.service)
    markers = budgets.alert_markers(fetch(ApiClient.alerts), SLO_ID, *covered)
    st.subheader("Budget left", anchor=False)
    left = slos.budget_text(slo.error_budget_remaining)
    st.echarts_chart(
        charts.until(budgets.burn_down(minutes, bands, markers), covered[1]),
        height=300,
        key="slo-budget",
        alt=f"Budget left over time, now {left}",
    )
    st.subheader("Events", anchor=False)
    st.echarts_chart(
        charts.until(budgets.events(minutes, bands), covered[1]),
        height=220,
        key="slo-events",
        alt="Good and bad events over time, stacked",
    )
    panel.show(budgets.tally(minutes, slo.objective, step_s), "slo-tally")


shell.page(SLO_ID or "SLO", _body, entity=f"SLO {SLO_ID}" if SLO_ID else "")
