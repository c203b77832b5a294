from datetime import timedelta

import streamlit as st

from api import models as m
from api.client import ApiClient, ApiError
from dashboard import launcher, outcomes, shell, stopping
from dashboard.api_access import call, fetch
from dashboard.components import panel
from dashboard.views import experiments, looks, preflight, run_charts, run_commands, run_going_on, runs
from dashboard.views.markup import escape_markdown

NAME = shell.parameter("name")
CHECKED, PRESSED, STARTED, STARTING = (f"{what} {NAME}" for what in ("checked", "pressed", "started", "start"))
OLD = timedelta(minutes=1)  # a pre-flight is asked for anew when the page is opened later than this
AGAIN_AFTER = timedelta(seconds=10)  # a second press within this is the same press
MOST_RUNS = 20
MOST_KEPT = 100


def _body() -> None:
    if not NAME:
        st.info("No experiment is named in the address. Choose one from the list.", icon=":material/search:")
        st.page_link("pages_/chaos_page.py", label="All experiments")
        return
    started = st.session_state.pop(STARTED, "")
    if started:
        st.switch_page("pages_/run_page.py", query_params={"id": started})
    past = fetch(ApiClient.runs, experiment=NAME, limit=MOST_RUNS)
    found, reason = launcher.experiment(NAME)
    if found is not None:
        panel.show(experiments.headline(found, shell.now()), "experiment-headline")
    else:
        # its file is gone, it was imported, or this server starts none: its runs are on record all the same
        st.info(f"It cannot be run from here: {escape_markdown(reason)}", icon=":material/info:")
    for run in runs.going_on(past, shell.now()):
        _going_on(run)
    view = st.segmented_control(
        "View",
        (experiments.RUN, experiments.HISTORY),
        default=experiments.RUN if found is not None else experiments.HISTORY,
        key="experiment_view",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    if found is None or view == experiments.HISTORY:
        _history([item.id for item in past if looks.run_status(item, shell.now()) != "running"])
    elif found.problem:
        st.error(f"The file cannot be run: {escape_markdown(found.problem)}", icon=":material/error:")
    else:
        _guided(found, busy=bool(runs.going_on(past, shell.now())))


def _going_on(run: runs.AnyRun) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(width="content"):
                panel.show(run_going_on.line(run, shell.now()), f"experiment-now-{run.id}")
            stopping.button(run)
        stopping.told(run)


def _guided(found: m.Experiment, *, busy: bool) -> None:
    st.subheader("Hypothesis", anchor=False)
    panel.show(preflight.listed(found.hypothesis), "experiment-hypothesis")
    st.subheader("Pre-flight", anchor=False)
    if not stopping.may_operate():
        st.caption(run_commands.READ_ONLY)
        st.code(run_commands.start(found.path), language="sh", wrap_lines=True)
        return
    checked = _checked()
    if checked is None:
        return
    _run_button(checked, busy=busy)
    panel.show(preflight.checks(checked), "experiment-checks")
    st.subheader("Blast radius", anchor=False)
    panel.show(preflight.blast_radius(checked), "experiment-blast")
    st.subheader("Predicted cost", anchor=False)
    if checked.predicted:
        panel.show(preflight.costs(checked), "experiment-costs")
    else:
        st.info("No objective counts the requests that may be hurt: the cost is not known.", icon=":material/info:")
    if checked.safeguards:
        st.subheader("It stops by itself", anchor=False)
        panel.show(preflight.listed(checked.safeguards), "experiment-safeguards")


def _checked() -> m.Preflight | None:
    """Return the pre-flight, asked for once and then by hand; None where the API makes none, which is said."""
    if CHECKED not in st.session_state:
        with st.spinner("Asking what this run would do", show_time=True):
            _check()
    found, at = st.session_state[CHECKED]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":small[{preflight.checked(at)}]", width="content")
        st.button("Check again", on_click=_check, icon=":material/refresh:")
    if isinstance(found, m.Preflight):
        return found
    st.warning(f"The checks could not be made: {escape_markdown(str(found))}", icon=":material/block:")
    return None


def _check() -> None:
    found: m.Preflight | str
    try:
        found = call(ApiClient.preflight, NAME)
    except ApiError as error:
        found = str(error)
    st.session_state[CHECKED] = (found, shell.now())


def _run_button(checked: m.Preflight, *, busy: bool) -> None:
    reason = "It is running already." if busy else preflight.reason(checked)
    if reason:
        st.button("Run", disabled=True, icon=":material/bolt:", key="experiment-blocked")
        st.warning(f"It cannot run now. {escape_markdown(reason)}", icon=":material/block:")
        return
    panel.show(preflight.state(checked), "experiment-state")
    with st.popover("Run", icon=":material/bolt:", type="primary", key=STARTING, on_change="rerun"):
        st.markdown(escape_markdown(preflight.consequence(checked)))
        st.button("Break it now", type="primary", key="experiment-start", on_click=_start)
        outcomes.show(STARTING)


def _start() -> None:
    """Start the run; a second press that comes while the first is under way starts nothing."""
    pressed = st.session_state.get(PRESSED)
    if pressed is not None and shell.now() - pressed < AGAIN_AFTER:
        return
    st.session_state[PRESSED] = shell.now()

    def ask() -> str:
        try:
            run_id = call(ApiClient.start_run, NAME).id
        except ApiError:
            del st.session_state[PRESSED]  # once mended it may be pressed at once
            raise
        st.session_state[STARTED] = run_id
        st.session_state["just started"] = (run_id, shell.now())
        return "The run begins."

    outcomes.keep(STARTING, ask)


def _history(ids: list[str]) -> None:
    past = [_run(run_id) for run_id in ids]
    if not past:
        st.info("It has not run yet; its effect over versions will be shown here.", icon=":material/history:")
        return
    claims = experiments.lines_of(past)
    claim = claims[0] if claims else ""
    if len(claims) > 1:
        claim = str(
            st.selectbox("Line of the hypothesis", claims, key="experiment_claim", bind="query-params", width=620)
        )
    effects = experiments.effects(past, claim)
    if any(item.finding.difference is not None for item in effects):
        st.echarts_chart(
            run_charts.history(effects), height=320, key="experiment-effects", alt=run_charts.history_text(effects)
        )
    panel.show(experiments.history(past, claim, shell.now()), "experiment-history")


def _run(run_id: str) -> m.Run:
    """Return a run that is over: it does not change any more, so it is read once."""
    kept: dict[str, m.Run] = st.session_state.setdefault("runs that are over", {})
    if len(kept) > MOST_KEPT:
        kept.clear()
    if run_id not in kept:
        kept[run_id] = fetch(ApiClient.run, run_id)
    return kept[run_id]


def _forget_old() -> None:
    """Ask anew when the page is opened later; not each time that it refreshes itself."""
    _, at = st.session_state.get(CHECKED, (None, shell.now()))
    if shell.now() - at > OLD:
        del st.session_state[CHECKED]


_forget_old()
shell.page("Experiment", _body, entity=NAME)
