from collections.abc import Sequence

import streamlit as st

from api.client import ApiClient
from dashboard import launcher, shell, stopping
from dashboard.api_access import fetch
from dashboard.components import panel
from dashboard.views import experiments, looks, run_going_on, runs

MOST = 100
ANY_EXPERIMENT = "Any experiment"


def _body() -> None:
    found = fetch(ApiClient.runs, limit=MOST)
    known, reason = launcher.experiments()
    for run in runs.going_on(found, shell.now()):
        _going_on(run)
    if not found and not known:
        _first_steps(reason)
        return
    st.subheader("Experiments", anchor=False)
    if known:
        panel.show(experiments.listing(known, shell.now()), "chaos-experiments")
    else:
        st.info(reason or "No experiment file is in the folder.", icon=":material/info:")
        st.code(_commands(), language="bash", wrap_lines=True)
    st.subheader("Runs", anchor=False)
    if found:
        _recent(found)
    else:
        st.info(
            "None has run yet. Open one above: it shows what would happen before it does.", icon=":material/science:"
        )


def _going_on(run: runs.AnyRun) -> None:
    with st.container(key=f"chaos-running-{run.id}", border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(width="content"):
                panel.show(run_going_on.line(run, shell.now()), f"chaos-now-{run.id}")
            stopping.button(run)
        stopping.told(run)


def _recent(found: Sequence[runs.AnyRun]) -> None:
    names = sorted({item.experiment for item in found})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        experiment = st.selectbox(
            "Experiment", [ANY_EXPERIMENT, *names], key="chaos_experiment", bind="query-params", width=260
        )
        words = [look.word for look in looks.VERDICTS.values()]
        verdict = st.selectbox(
            "Verdict", [runs.ANY_VERDICT, *words], key="chaos_verdict", bind="query-params", width=180
        )
    chosen = runs.matching(
        found,
        experiment="" if experiment == ANY_EXPERIMENT else str(experiment),
        verdict="" if verdict == runs.ANY_VERDICT else str(verdict),
    )
    if chosen:
        panel.show(runs.listing(chosen, shell.now()), "chaos-table")
    else:
        st.info("No run matches. Choose fewer conditions.", icon=":material/search:")
        st.button("Clear the choice", on_click=_clear)


def _clear() -> None:
    st.session_state.update({"chaos_experiment": ANY_EXPERIMENT, "chaos_verdict": runs.ANY_VERDICT})


def _first_steps(reason: str) -> None:
    st.info(
        "No experiment has run yet. An experiment injects a fault, and is judged against its hypothesis.",
        icon=":material/science:",
    )
    st.write(
        "Have the first one written from a service's traces, which says its name; look at what it would do; run it:"
    )
    st.code(_commands(), language="bash", wrap_lines=True)
    if reason:
        st.info(reason, icon=":material/info:")


def _commands() -> str:
    return experiments.first_commands(fetch(ApiClient.services))


shell.page("Chaos", _body)
