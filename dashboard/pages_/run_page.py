import json
from datetime import timedelta

import streamlit as st

from api import models as m
from api.client import ApiClient
from dashboard import run_watch, shell, stopping
from dashboard.api_access import NotFoundError, fetch
from dashboard.components import panel
from dashboard.views import (
    experiments,
    looks,
    preflight,
    run_charts,
    run_commands,
    run_journal,
    run_live,
    run_outcome,
    run_timeline,
    run_verdict,
    runs,
)

RUN_ID = shell.parameter("id")
MOST_CHARTS = 8
BEGINS = timedelta(seconds=30)  # a runner needs some seconds until it first tells of its run


def _body() -> None:
    if not RUN_ID:
        st.info("No run is named in the address. Choose one from the list.", icon=":material/search:")
        st.page_link("pages_/chaos_page.py", label="All runs")
        return
    try:
        run = fetch(ApiClient.run, RUN_ID)
    except NotFoundError:
        if not _is_beginning():
            raise
        st.info("The run is beginning; this page shows it as soon as its runner tells of it.", icon=":material/bolt:")
        return
    if looks.run_status(run, shell.now()) == "running":
        _live(run)
    else:
        _result(run)


def _is_beginning() -> bool:
    run_id, at = st.session_state.get("just started", ("", shell.now()))
    return bool(run_id == RUN_ID and shell.now() - at < BEGINS)


def _live(run: m.Run) -> None:
    now = shell.now()
    with st.container(key="run-stop"):
        with st.container(horizontal=True, vertical_alignment="center"):
            stopping.button(run)
            stopping.signature(run)
        panel.show(run_timeline.bar(run, now), "run-phases")
    stopping.told(run)
    panel.show(run_verdict.headline(run, now), "run-verdict")
    panel.show(runs.headline(run, now), "run-headline")
    counted = run_watch.under_fault(run, now)
    if counted:
        st.subheader("Under the fault so far", anchor=False)
        panel.show(run_live.so_far(run, counted), "run-so-far")
    _over_time(run)
    if run.preflight is not None and run.preflight.safeguards:
        st.subheader("It stops by itself", anchor=False)
        panel.show(preflight.listed(run.preflight.safeguards), "run-safeguards")
    if run.events:
        st.subheader("Events so far", anchor=False)
        panel.show(run_timeline.events(run.events, newest_first=True), "run-events")


def _over_time(run: m.Run) -> None:
    """Draw what failed and how long it took on each side, for the service that is chosen."""
    services = run.services[: run_watch.MOST_SERVICES]
    if not services:
        return
    service = services[0]
    if len(services) > 1:
        service = str(st.selectbox("Service", services, key="run_service", bind="query-params", width=300))
    now = shell.now()
    counted = run_watch.over_time(run, service, now)
    if not any(count.total for found in counted.values() for count in found.values()):
        st.info("No request of this service was counted yet: spans come some seconds late.", icon=":material/search:")
        return
    names = " against ".join(run_live.side_name(side) for side in run_live.sides(run))
    parts = (("failed", "failed requests, %", "%.2f %%"), ("p95", "p95, ms", "%.0f ms"))
    for measure, unit, value_format in parts:
        option = run_charts.sides(
            run_live.frame(counted, measure), run_live.bands(run, now), unit=unit, value_format=value_format
        )
        st.echarts_chart(
            option, height=220, key=f"run-{measure}", alt=f"{unit} of {service} over time, {names}, the fault shaded"
        )


def _result(run: m.Run) -> None:
    now = shell.now()
    panel.show(run_verdict.headline(run, now), "run-verdict")
    _links(run)
    panel.show(runs.headline(run, now), "run-headline")
    if run.preflight is not None and not run.preflight.runnable:
        st.subheader("Why it was refused", anchor=False)
        panel.show(preflight.checks(run.preflight), "run-refused")
    if run.findings or run.status != "failed":
        _findings(run)
    if run.validity:
        st.subheader("Can the verdict be trusted?", anchor=False)
        panel.show(run_outcome.checks(run.validity, "Checks of validity"), "run-validity")
    if run.outcome is not None:
        _outcome(run, run.outcome)
    if run_timeline.phases(run):
        _course(run)
    activities = run_journal.activities(run.journal or {})
    if activities:
        st.subheader("Activities", anchor=False)
        panel.show(activities, "run-activities")
    if run.events:
        st.subheader("Timeline", anchor=False)
        panel.show(run_timeline.events(run.events), "run-events")
    if run.document is not None:
        with st.expander("The experiment as it was run"):
            st.code(json.dumps(run.document, indent=2, ensure_ascii=False)[:20_000], language="json", wrap_lines=True)


def _links(run: m.Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.source != "imported":
            st.page_link("pages_/experiment_page.py", label="Run again", query_params={"name": run.experiment})
        st.page_link(
            "pages_/experiment_page.py",
            label="History",
            query_params={"name": run.experiment, "experiment_view": experiments.HISTORY},
        )
        st.download_button(
            "JSON", lambda: run.model_dump_json(indent=2), file_name=f"run-{run.id}.json", mime="application/json"
        )
        with st.popover("Report"):
            st.write("A page that stands alone, and JUnit XML for a pipeline:")
            st.code(run_commands.report(run.id), language="sh", wrap_lines=True)


def _findings(run: m.Run) -> None:
    st.subheader("Findings", anchor=False)
    if not run.findings:
        st.info("No finding: the run was not judged.", icon=":material/info:")
        return
    panel.show(run_verdict.findings(run.findings), "run-findings")
    for place, item in enumerate(run_verdict.worst_first(run.findings)[:MOST_CHARTS]):
        option = run_charts.interval(item)
        if option is not None:
            panel.show(run_verdict.caption(item), f"run-caption-{place}")
            st.echarts_chart(option, height=110, key=f"run-interval-{place}", alt=run_charts.interval_text(item))


def _outcome(run: m.Run, found: m.Outcome) -> None:
    parts = (
        ("Error budget", found.budget, run_outcome.budget(found.budget)),
        ("Alerts", found.alerts, run_outcome.expected_alerts(found.alerts)),
        ("Who else felt it", found.propagation, run_outcome.propagation(found.propagation, run)),
        ("Caches", found.caches, run_outcome.caches(found.caches)),
        ("Traces to look at", found.exemplars, run_outcome.exemplars(found.exemplars)),
        ("Versions", found.versions, run_outcome.versions(found.versions)),
    )
    recovered = run_outcome.recovery(run)
    if recovered:
        st.success(recovered, icon=":material/check:")
    for title, items, view in parts:
        if items:
            st.subheader(title, anchor=False)
            panel.show(view, f"run-{title.lower().replace(' ', '-')}")


def _course(run: m.Run) -> None:
    st.subheader("Course", anchor=False)
    panel.show(run_timeline.bar(run, shell.now()), "run-phases")
    shown = st.expander("Both sides over time", key="run-course", on_change="rerun")
    with shown:
        if shown.open:  # a closed one asks for nothing
            _over_time(run)


shell.page("Chaos run", _body, entity=f"Run {RUN_ID}" if RUN_ID else "")
