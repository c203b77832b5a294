"""Alerts: order, reason, conditions and evidence."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.views import (
    alerts,
    units,
)
from tests.unit.dashboard_models import ATTACK, NOW, alert, read, slo


def test_alerts_come_firing_pages_first():
    items = [
        alert("old", state="resolved", resolved_at=NOW),
        alert("ticket", severity="ticket"),
        alert("waiting", state="pending"),
        alert("page"),
    ]
    assert [item.id for item in alerts.worst_first(items)] == ["page", "ticket", "waiting", "old"]


def test_an_alert_links_its_first_trace_from_the_list_and_all_on_its_page():
    item = alert(exemplar_trace_ids=["a" * 32, "b" * 32])
    assert f"trace?trace={'a' * 32}" in read(alerts.listing([item], NOW)).hrefs
    assert read(alerts.exemplars(item)).hrefs == [f"trace?trace={'a' * 32}", f"trace?trace={'b' * 32}"]
    assert "no trace kept" in read(alerts.listing([alert(exemplar_trace_ids=[])], NOW)).text


def test_the_reason_of_an_alert_explains_what_a_burn_rate_is():
    text = read(alerts.why(alert(), slo())).text
    assert "99.9 % of requests to checkout in prod without error over 30 days" in text
    assert "0.100 % may be bad" in text


def test_an_alert_begins_with_what_is_wrong_also_when_its_slo_is_gone():
    assert "a burns" in read(alerts.summary(alert())).text
    assert "a burns" not in read(alerts.why(alert(), None)).text


@given(
    st.dictionaries(
        st.text(max_size=10),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=6,
        ),
        max_size=4,
    )
)
def test_any_evidence_can_be_shown(details):
    assert not read(alerts.evidence(details | {"x": ATTACK})).tags & {"img", "script"}


def test_the_conditions_of_an_alert_name_both_windows_and_the_limit():
    window = {"window": "5m", "good": 2057, "bad": 70, "total": 2127, "burn_rate": 32.9}
    short = {"window": "1m", "good": 0, "bad": 0, "total": 0, "burn_rate": None}
    text = read(alerts.conditions({"conditions": [{"met": True, "factor": 14.4, "long": window, "short": short}]})).text
    for expected in ("over 14.4x", "32.9x over 5 min", "70 bad of 2,127", f"{units.MISSING} over 1 min"):
        assert expected in text
    assert alerts.conditions({}) == ""
