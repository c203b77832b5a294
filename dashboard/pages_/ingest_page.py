import streamlit as st

from api import models as m
from api.client import ApiClient
from dashboard import guide, shell
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import findings, ingest, units

ALL = "All services"


def _body() -> None:
    window_s = shell.pick_range("ingest_range")
    health = fetch(ApiClient.ingest, window_s=window_s)
    if health.error:
        panel.show(ingest.unread(health), "ingest-unread")
    if not health.stages and not health.services:
        guide.pointer("reports of a collector", "The first one comes 10 s after a collector started.")
        return
    panel.show(ingest.tiles(health), "ingest-tiles")
    st.subheader("Alarms", anchor=False)
    panel.show(ingest.alarms(health.alarms), "ingest-alarms")
    _stages(health)
    _services(health)
    if not health.error:
        _checks(health)
    _letters(health)


def _stages(health: m.IngestHealth) -> None:
    st.subheader("Stages, since each collector started", anchor=False)
    panel.show(ingest.stages(health.stages, shell.now()), "ingest-stages")
    drawn = ingest.rates(health)
    for signal, column in zip(drawn, st.columns(len(drawn)) if drawn else (), strict=True):
        with column:
            st.echarts_chart(
                drawn[signal], height=240, key=f"ingest-{signal}", alt=ingest.takeaway(signal, health.series)
            )


def _services(health: m.IngestHealth) -> None:
    st.subheader(f"Stored by service, last {units.length(health.window_s)}", anchor=False)
    if health.services:
        panel.show(ingest.services(health.services, health.window_s, shell.now()), "ingest-services")
        st.write("Sampled spans count as those that they stand for; data points and log records are exact.")
    else:
        st.write("Nothing was stored in this range.")


def _checks(health: m.IngestHealth) -> None:
    st.subheader("Telemetry checks, last hour", anchor=False)
    asked = shell.parameter("checks_service")
    names = sorted({volume.service for volume in health.services} | ({asked} if asked else set()))
    chosen = st.selectbox("Service", [ALL, *names], key="checks_service", bind="query-params", width=260)
    checks = fetch(ApiClient.checks, service="" if chosen == ALL else str(chosen))
    if checks.items:
        panel.show(findings.listing(checks.items), "ingest-findings")
    st.write(
        f"{findings.passed(checks)} Checked at {units.clock(checks.as_of)}, on the newest spans or a sample of traces."
    )


def _letters(health: m.IngestHealth) -> None:
    if not health.dead_letters:
        return
    st.subheader("Dead letters", anchor=False)
    panel.show(ingest.letters(health.dead_letters, shell.now()), "ingest-letters")
    st.write("They are never deleted. When the reason is gone, send them again:")
    st.code("ninelives collector replay", language="bash")


shell.page("Ingest health", _body)
