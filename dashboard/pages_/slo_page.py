from datetime import timedelta
from decimal import Decimal

import streamlit as st

from api import models as m
from api.client import ApiClient, ApiError
from dashboard import shell
from dashboard.api_access import NotFoundError, call, fetch
from dashboard.components import panel
from dashboard.views import backtests, budgets, charts, slo_explanations, slo_headline, slos
from dashboard.views.markup import escape_markdown

SLO_ID = shell.parameter("id")


def _body() -> None:
    if not SLO_ID:
        st.info("No SLO is named in the address. Choose one from the list.", icon=":material/search:")
        st.page_link("pages_/slos_page.py", label="All SLOs")
        return
    try:
        slo = fetch(ApiClient.slo, SLO_ID)
    except NotFoundError:
        st.warning(f"No SLO is called {escape_markdown(SLO_ID)}. It may have been removed.", icon=":material/help:")
        st.page_link("pages_/slos_page.py", label="All SLOs")
        return
    if slo.description:
        st.text(slo.description)
    for problem in slo.problems:
        st.warning(problem, icon=":material/warning:")
    for text in slo_explanations.counting(fetch(ApiClient.backfills), slo.id):
        st.info(text, icon=":material/hourglass_empty:")
    top = st.container()
    window_s = shell.pick_range("slo_range", "24h", ("1h", "6h", "24h", "7d", "30d"))
    found = fetch(ApiClient.slo_explanation, SLO_ID, window_s=window_s)
    forecasts = fetch(ApiClient.slo_forecast, SLO_ID)
    with top:
        told = slo_headline.as_forecast(slo, forecasts)
        panel.show(slo_headline.headline(told, fetch(ApiClient.alerts), found), "slo-headline")
        if slo.draft:
            _adopt(slo)
    _over_time(slo, window_s)
    _explained(found)
    if slo.conditions:
        st.subheader("Alert conditions", anchor=False)
        panel.show(slo_explanations.conditions(slo), "slo-conditions")
    else:
        st.subheader("Burn rates", anchor=False)
        panel.show(slos.burn_table(slo), "slo-burn")
    if slo.groups:
        st.subheader("Groups", anchor=False)
        panel.show(slo_explanations.groups(slo), "slo-groups")
    _corrected(window_s)
    _backtest(slo)
    st.subheader("Definition", anchor=False)
    panel.show(slo_headline.definition(slo), "slo-definition")


def _adopt(slo: m.Slo) -> None:
    st.write("This is a draft made from the traffic seen. Adopt it to keep it, change it, and be paged by it:")
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Adopt this SLO", key="slo-adopt", type="primary")
        st.code(slos.adopt_command(slo), language="bash")
    if not pressed:
        return
    try:
        adopted = call(ApiClient.adopt_slo, slo.id)
    except ApiError as error:
        st.error(f"{error}. The command above does the same.", icon=":material/block:")
    else:
        st.success(f"Written to {adopted.path}. It is in force with the next evaluation.", icon=":material/check:")
        st.code(adopted.text, language="yaml")


def _over_time(slo: m.Slo, window_s: int) -> None:
    step_s = budgets.step_seconds(window_s)
    minutes = fetch(ApiClient.slo_minutes, SLO_ID, window_s=window_s, step_s=step_s)
    if not minutes:
        st.info(
            "No event was counted in this range: its service sent none, or none that this SLO counts.",
            icon=":material/search:",
        )
        return
    start, now = minutes[0].at, shell.now()
    annotations = fetch(ApiClient.annotations, window_s=window_s)
    bands = charts.bands_of(annotations, start, now, slo.service)
    events = budgets.Events(
        bands,
        charts.deployments_of(annotations, start, now, slo.service),
        budgets.alert_markers(fetch(ApiClient.alerts), SLO_ID, start, now),
    )
    forecasts = fetch(ApiClient.slo_forecast, SLO_ID)
    until = now + timedelta(seconds=window_s / 3)
    drawn = budgets.in_sight(forecasts, until)
    until = until if drawn else now
    st.subheader("Budget left", anchor=False)
    left = slos.budget_text(slo.error_budget_remaining)
    st.echarts_chart(
        charts.until(budgets.burn_down(minutes, events, drawn, until=until), until),
        height=320,
        key="slo-budget",
        alt=f"Budget left over time, now {left}",
    )
    if forecasts:
        panel.show(slo_explanations.forecast(forecasts), "slo-forecast")
    st.subheader("Events", anchor=False)
    st.echarts_chart(
        charts.until(budgets.events(minutes, bands), now),
        height=220,
        key="slo-events",
        alt="Good and bad events over time, stacked",
    )
    panel.show(budgets.tally(minutes, slo.objective, step_s), "slo-tally")


def _explained(found: m.SloExplanation) -> None:
    if not found.total:
        return  # the missing chart has said so
    st.subheader("Who spent it", anchor=False)
    if not found.bad:
        st.info("No bad event in this range.", icon=":material/check:")
        return
    st.write(slo_explanations.looked_at(found))
    if found.spenders:
        panel.show(slo_explanations.spenders(found), "slo-spenders")
    if found.differences:
        st.subheader("What differs in bad events", anchor=False)
        panel.show(slo_explanations.differences(found), "slo-differences")
    if found.traces:
        st.subheader("Traces of bad events", anchor=False)
        panel.show(slo_explanations.traces(found), "slo-traces")


def _corrected(window_s: int) -> None:
    found = fetch(ApiClient.slo_corrections, SLO_ID, window_s=window_s)
    if found:
        st.subheader("Corrected by late data", anchor=False)
        st.write(slo_explanations.corrected(found))
        panel.show(slo_explanations.corrections(found), "slo-corrections")


def _backtest(slo: m.Slo) -> None:
    st.subheader("Backtest", anchor=False)
    st.write("What would another target have alerted on?")
    form = st.form("slo-backtest", border=False)
    with form, st.container(horizontal=True, vertical_alignment="bottom"):
        target = st.number_input(
            "Target, %", min_value=1.0, max_value=99.999, value=slo.objective * 100, step=0.1, format="%.3f"
        )
        days = st.number_input("Days of history", min_value=1, max_value=90, value=7)
        pressed = st.form_submit_button("Backtest")
    if pressed:
        _replay(slo, Decimal(f"{target:.3f}") / 100, int(days))
    # kept for as long as the page is open: it is not made anew with each refresh
    found = st.session_state.get(f"backtest of {slo.id}")
    if found is not None:
        panel.show(backtests.result(found), "slo-backtest-result")


def _replay(slo: m.Slo, target: Decimal, days: int) -> None:
    start = shell.now().replace(second=0, microsecond=0) - timedelta(days=days)
    try:
        (found,) = call(ApiClient.backtest, m.BacktestRequest(slo_id=slo.id, target=target, start=start))
    except ApiError as error:
        st.error(str(error), icon=":material/block:")
    else:
        st.session_state[f"backtest of {slo.id}"] = found


shell.page(SLO_ID or "SLO", _body, entity=f"SLO {SLO_ID}" if SLO_ID else "")
