"""The one browser component: finished HTML in, the used link or button out."""

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from dashboard.navigation import script_of
from dashboard.views.markup import Markup

_FOLDER = Path(__file__).parent


@cache
def _source(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


_render = st.components.v2.component(
    "ninelives_panel",
    html='<div class="nl-root"></div>',
    css=_source("panel.css"),
    js=_source("panel.js"),
    isolate_styles=False,
)


def show(html: Markup, key: str, *, scroll_to: str = "") -> str:
    """Draw *html*, follow a used link to its page, and return the `data-select` of a used button ("" for none).

    Args:
        html: What `dashboard.views` made.
        key: Unique on the page; without it each change of data would build the component anew.
        scroll_to: Id of the element to bring into view when the page opens.
    """
    result: Any = _render(
        key=key,
        data={"html": html, "scroll_to": scroll_to},
        on_opened_change=_nothing,
        on_chosen_change=_nothing,
    )
    if result.opened:
        address = urlsplit(str(result.opened))
        st.switch_page(script_of(address.path), query_params=dict(parse_qsl(address.query)))
    return str(result.chosen or "")


def _nothing() -> None:
    """Make Streamlit always return the key that this callback is registered for."""
