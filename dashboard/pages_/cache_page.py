import streamlit as st

from api.client import ApiClient
from dashboard import guide, shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import caches, charts, units
from dashboard.views.markup import escape_markdown

MOST_CHARTS = 12


def _body() -> None:
    window_s = shell.pick_range("cache_range")
    found = caches.lowest_first(fetch(ApiClient.caches, window_s=window_s))
    if not found:
        if fetch(ApiClient.status).spans_stored:
            st.info(
                "No cache lookup in this range. Set the span attribute `cache.hit` (true or false) and `cache.name` on "
                "the span of a lookup, or send hit and miss counters.",
                icon=":material/search:",
            )
        else:
            guide.pointer("caches", "They are read from spans with `cache.hit`, and from hit and miss counters.")
        return
    panel.show(caches.listing(found), "cache-table")
    annotations = fetch(ApiClient.annotations, window_s=window_s)
    for item in found[:MOST_CHARTS]:
        st.subheader(escape_markdown(caches.title(item)), anchor=False)
        if not item.series:
            st.write("No lookups to draw.")
            continue
        bands = charts.bands_of(annotations, item.series[0].at, shell.now(), item.service)
        st.echarts_chart(
            caches.chart(item, bands),
            height=260,
            key=f"cache-{item.environment}-{item.service}-{item.name}-{item.source}",
            alt=f"Cache {item.name}: hit ratio {units.percent(item.hit_ratio, 1)}",
        )
    if len(found) > MOST_CHARTS:
        st.write(f"Charts are drawn for the {MOST_CHARTS} caches with the lowest hit ratio.")


shell.page("Cache", _body)
