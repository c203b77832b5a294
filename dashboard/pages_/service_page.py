import streamlit as st

from api import models as m
from api.client import ApiClient
from dashboard import shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import regressions, services, slos
from dashboard.views.markup import join, link, page_href, tag

NAME = shell.parameter("name")
ENVIRONMENT = shell.parameter("environment")
_AGAINST = {"version": "the version before", "hour": "the hour before", "week": "this hour a week ago"}


def _body() -> None:
    if not NAME:
        st.info("No service is named in the address. Choose one from the list.", icon=":material/search:")
        st.page_link("pages_/services_page.py", label="All services")
        return
    window_s = shell.pick_range("service_range")
    detail = fetch(ApiClient.service, NAME, environment=ENVIRONMENT, window_s=window_s)
    traces, failed = page_href("traces", service=NAME), page_href("traces", service=NAME, errors="true")
    links = tag("p", link(traces, "Traces"), " · ", link(failed, "Failed traces"))
    panel.show(join([services.summary(detail.service, shell.now()), links]), "service-summary")
    _charts(detail, window_s)
    st.subheader("SLOs", anchor=False)
    panel.show(slos.of_service(fetch(ApiClient.slos), detail.service.name, detail.service.environment), "service-slos")
    st.subheader("Operations", anchor=False)
    panel.show(services.operations(detail.service, detail.operations), "service-operations")
    _changed(detail.service)


def _changed(service: m.Service) -> None:
    st.subheader("What got slower or fails more", anchor=False)
    against = st.segmented_control(
        "Against",
        tuple(_AGAINST),
        format_func=_AGAINST.__getitem__,
        default="version",
        key="service_against",
        required=True,
    )
    found = fetch(ApiClient.regressions, service.name, environment=service.environment, against=against or "version")
    st.text(found.text)
    if regressions.changed(found):
        panel.show(regressions.listing(found), "service-regressions")
    elif found.compared:
        st.info("No operation surely changed.", icon=":material/check:")


def _charts(detail: m.ServiceDetail, window_s: int) -> None:
    if not detail.series:
        st.info("No request arrived in this range. Choose a longer one.", icon=":material/search:")
        return
    annotations = fetch(ApiClient.annotations, window_s=window_s)
    for column, (title, option) in zip(
        st.columns(3), services.red_charts(detail, annotations, shell.now()).items(), strict=True
    ):
        with column:
            st.markdown(f"**{title}**")
            st.echarts_chart(
                option, height=260, key=f"service-{title}", alt=services.chart_takeaway(title, detail.service)
            )


shell.page(NAME or "Service", _body, entity=NAME)
