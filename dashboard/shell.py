"""What every page shares: title row, live refresh, and one clear message when the API cannot be read."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import streamlit as st

from dashboard import api_access
from dashboard.views import units
from dashboard.views.markup import escape_markdown

ICON = Path(__file__).with_name("icon.png")
REFRESH_S = 5
RANGES = {"15m": 900, "1h": 3600, "6h": 21600, "24h": 86400, "7d": 604800, "30d": 2592000}


def page(title: str, body: Callable[[], None], *, entity: str = "", refreshes: bool = True) -> None:
    """Draw a page: its title, and *body*, which is drawn again every few seconds while Live is on.

    Args:
        title: The page's heading.
        body: Draws the rest; may raise the errors of `api_access.fetch`.
        entity: What the page is about, for its title in the browser's tab.
        refreshes: False for pages whose content does not change.
    """
    st.set_page_config(page_title=f"{entity or title} · Ninelives", page_icon=ICON, layout="wide")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(escape_markdown(title), anchor=False, width="content")
        live = refreshes and st.toggle(
            "Live", value=True, key="live", persist_state="session", help=f"Read again every {REFRESH_S} s"
        )
    every = timedelta(seconds=REFRESH_S) if live else None
    st.fragment(run_every=every)(_guarded(body))()


def now() -> datetime:
    """Return the present time; pages hand it to the views, which never read a clock."""
    return datetime.now(UTC)


def pick_range(key: str, default: str = "1h", choices: tuple[str, ...] = ("15m", "1h", "6h", "24h")) -> int:
    """Return the chosen range in seconds; the choice is kept in the address as *key*."""
    chosen = st.segmented_control(
        "Range", choices, default=default, key=key, bind="query-params", required=True, label_visibility="collapsed"
    )
    return RANGES[chosen or default]


def parameter(name: str) -> str:
    """Return a query parameter of the page's address, "" when absent."""
    return str(st.query_params.get(name, ""))


def _guarded(body: Callable[[], None]) -> Callable[[], None]:
    def draw() -> None:
        try:
            body()
        except api_access.NotFoundError as error:
            st.warning(
                f"{escape_markdown(str(error))}. It may have been removed, or is older than what is kept.",
                icon=":material/help:",
            )
        except api_access.UnreachableError as error:
            _unreachable(error)
        else:
            st.markdown(f":small[As of {units.clock(now())}]")

    return draw


def _unreachable(error: api_access.UnreachableError) -> None:
    st.error(
        f"The API cannot be read since {units.clock(error.since)}.\n\n{escape_markdown(str(error))}",
        icon=":material/cloud_off:",
    )
    if st.button("Retry"):
        st.rerun()
