"""The first-run guide and the pointers to it, drawn with Streamlit."""

import streamlit as st

from api import models as m
from dashboard import shell
from dashboard.views import first_run


def show(status: m.Status) -> None:
    """Draw the steps from nothing to the first span, with what has arrived so far."""
    st.subheader("Send the first span", anchor=False)
    st.info(first_run.waiting(status, shell.now()), icon=":material/hourglass_empty:")
    st.write("This page changes by itself when it arrives. Each service gets draft SLOs within a minute.")
    snippets = first_run.snippets(status.addresses)
    for tab, snippet in zip(st.tabs([snippet.title for snippet in snippets]), snippets, strict=True):
        with tab:
            if snippet.note:
                st.markdown(snippet.note)
            st.code(snippet.code, language=snippet.language, wrap_lines=True)


def pointer(what: str, hint: str) -> None:
    """Say that there is nothing of *what* yet, and where the guide is."""
    st.info(f"No {what} yet. {hint}", icon=":material/info:")
    st.page_link("pages_/overview_page.py", label="How to send the first span")
