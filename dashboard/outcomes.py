"""What came of a button that changes something. Pages are drawn again every few seconds; what was refused stays."""

from collections.abc import Callable
from datetime import timedelta

import streamlit as st

from api.client import ApiError
from dashboard import shell
from dashboard.views.markup import escape_markdown

REFUSED_FOR = timedelta(minutes=2)  # long enough to be read and mended; whoever comes back later begins anew
_DONE, _REFUSED = "done: ", "refused: "


def keep(place: str, action: Callable[[], str]) -> None:
    """Do *action*, and keep for *place* what it returns or what the API refuses; close the popover of that key."""
    st.session_state.pop(_REFUSED + place, None)
    try:
        st.session_state[_DONE + place] = action()
    except ApiError as error:
        st.session_state[_REFUSED + place] = (str(error), shell.now())
    else:
        st.session_state[place] = False


def show(place: str) -> None:
    """Say once what was done, and until the next attempt, or for some time, what was refused."""
    done = st.session_state.pop(_DONE + place, "")
    if done:
        st.toast(escape_markdown(done), icon=":material/check:")
    refused, at = st.session_state.get(_REFUSED + place, ("", shell.now()))
    if refused and shell.now() - at < REFUSED_FOR:
        st.error(escape_markdown(refused), icon=":material/block:")
