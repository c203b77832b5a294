from typing import Any

import streamlit as st

from api import models as m
from api.client import ApiClient
from dashboard import guide, shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.navigation import script_of
from dashboard.views import charts, metrics

ANY = "Any service"
EXEMPLARS = 100
SEARCHED = 200  # series whose labels are offered for grouping


def _body() -> None:
    known = fetch(ApiClient.metrics)
    if not known:
        guide.pointer("metrics", "Point a metric exporter at this service: OTEL_METRICS_EXPORTER=otlp.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        service = _pick(
            "Service", [ANY, *sorted({name for item in known for name in item.services})], "metric_service", 200
        )
        names = sorted({item.metric for item in known if service == ANY or service in item.services})
        metric = _pick("Metric", names, "metric", 340)
        window_s = shell.pick_range("metric_range", choices=("15m", "1h", "6h", "24h", "7d"))
    if metric in names:
        _metric(metric, "" if service == ANY else service, window_s)
    else:
        st.info("This service does not send this metric. Choose another.", icon=":material/search:")


def _pick(label: str, choices: list[str], key: str, width: int) -> str:
    """Return the choice, kept in the address as *key*; an address may name what is not (any more) offered."""
    asked = shell.parameter(key)
    offered = choices if not asked or asked in choices else [*choices, asked]
    return str(st.selectbox(label, offered, key=key, bind="query-params", width=width))


def _metric(name: str, service: str, window_s: int) -> None:
    apart = fetch(ApiClient.metric, name, service=service, window_s=window_s, limit=SEARCHED, exemplar_limit=0)
    offered = [metrics.TOGETHER, metrics.APART, *metrics.groupings(apart.items)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = _pick("Show", metrics.aggregations(apart.kind), f"show_{apart.kind.type}", 200)
        group = _pick("Group by", offered, "metric_group", 340)
    answer = fetch(ApiClient.metric, name, service=service, window_s=window_s, **_asked(shown, group))
    panel.show(metrics.about(answer.kind), "metric-about")
    for warning in answer.warnings:
        st.warning(f"{warning[:1].upper()}{warning[1:]}.", icon=":material/warning:")
    if not answer.items:
        st.info("No data in this range. Choose a longer one.", icon=":material/search:")
        return
    _chart(answer, shown, service, window_s)
    panel.show(metrics.listing(answer, shown), "metric-series")
    if answer.exemplars:
        st.subheader("Newest exemplars", anchor=False)
        panel.show(metrics.exemplars(answer, shell.now()), "metric-exemplars")


def _asked(shown: str, group: str) -> dict[str, Any]:
    """Return the parameters of the API that stand for the choices."""
    asked: dict[str, Any] = {"exemplar_limit": EXEMPLARS}
    if group != metrics.APART:
        asked["group_by"] = "" if group == metrics.TOGETHER else group
    if shown in metrics.STATS:
        asked["stat"] = metrics.STATS[shown]
    return asked


def _chart(answer: m.Metric, shown: str, service: str, window_s: int) -> None:
    bands = charts.bands_of(fetch(ApiClient.annotations, window_s=window_s), answer.start, answer.end, service)
    option = metrics.chart(answer, shown, bands)
    alt = metrics.takeaway(answer, shown)
    if not (answer.exemplars and metrics.shows_exemplars(answer.kind, shown)):
        st.echarts_chart(option, height=340, key="metric-chart", alt=alt)
        return
    state = st.echarts_chart(option, height=340, key="metric-chart-exemplars", alt=alt, on_select="rerun")
    # a click is about the chart as it was seen, which newer exemplars may have replaced by now
    found = metrics.picked(state.selection, st.session_state.get("drawn_exemplars", []))
    st.session_state["drawn_exemplars"] = answer.exemplars
    if found is not None and found.trace_id:
        st.switch_page(script_of("trace"), query_params={"trace": found.trace_id, "span": found.span_id})
    st.write("Diamonds are single measurements: click one to open its trace.")


shell.page("Metrics", _body)
