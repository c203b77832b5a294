"""Entry script: declares the pages and runs the one that the address names."""

import streamlit as st

from dashboard.navigation import ENTRIES
from dashboard.shell import ICON

st.set_page_config(page_title="Ninelives", page_icon=ICON, layout="wide")
st.navigation(
    [
        st.Page(
            entry.script,
            title=entry.title,
            url_path=entry.path or None,
            default=not entry.path,
            visibility="visible" if entry.in_menu else "hidden",
        )
        for entry in ENTRIES
    ],
    position="top",
).run()
