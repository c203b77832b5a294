"""STOP: one press ends a run; who pressed it and why is told to the runner and to everyone who looks."""

import streamlit as st

from api import models as m
from api.client import ApiClient
from dashboard import outcomes
from dashboard.api_access import call, fetch
from dashboard.views import run_commands, texts
from dashboard.views.markup import escape_markdown
from dashboard.views.runs import AnyRun

NO_REASON = "STOP was pressed"


def button(run: AnyRun) -> None:
    """Draw the button of a run that goes on, or the command where this dashboard may only read.

    Pressing it twice does no harm.
    """
    if not may_operate():
        st.code(run_commands.stop(run.id), language="sh", wrap_lines=True, width="content")
        return
    st.button(
        "STOP",
        key=f"stop {run.id}",
        type="primary",
        icon=":material/stop_circle:",
        help="Ends the run at once: its faults are reverted, and it gets no verdict",
        on_click=_stop,
        args=(run.id,),
    )


def may_operate() -> bool:
    """Return whether the token that this dashboard shows the API lets it start and stop runs."""
    return fetch(ApiClient.status).may_operate


def signature(run: AnyRun) -> None:
    """Draw the fields that say who stops and why; both may stay empty: nobody must look for them in an emergency.

    Without a name the API says who it was by the token that the dashboard shows.
    """
    if not may_operate():
        return
    with st.popover("Say who and why", key=f"signature {run.id}"):
        st.text_input("Your name", key=f"stop author {run.id}")
        st.text_input("Why", key=f"stop reason {run.id}")


def told(run: AnyRun) -> None:
    """Say that the run was asked to stop, until it has; or why the API refused."""
    asked = run.stop_reason if isinstance(run, m.Run) else ""
    asked = asked or st.session_state.get(_place(run.id) + " asked", "")
    if asked:
        st.warning(
            f"It is {escape_markdown(texts.shortened(asked, texts.MESSAGE))}. Its runner reverts the fault within "
            "seconds; if the runner is gone, the fault's lease ends it.",
            icon=":material/stop_circle:",
        )
    outcomes.show(_place(run.id))


def _stop(run_id: str) -> None:
    by = texts.shortened(st.session_state.get(f"stop author {run_id}", ""))
    reason = texts.shortened(st.session_state.get(f"stop reason {run_id}", "")) or NO_REASON

    def ask() -> str:
        call(ApiClient.stop_run, run_id, by=by, reason=reason)
        st.session_state[_place(run_id) + " asked"] = f"stopped by {by or 'someone'}: {reason}"
        return "The run is asked to stop."

    outcomes.keep(_place(run_id), ask)


def _place(run_id: str) -> str:
    return f"stopping {run_id}"
