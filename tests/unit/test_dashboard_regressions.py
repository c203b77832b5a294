"""What got slower or fails more, in words and numbers."""

from dashboard.views import regressions as views
from tests.unit.dashboard_models import ATTACK, read
from tests.unit.dashboard_regressions import operation_change, regressions


def test_a_slower_operation_is_shown_with_both_percentiles_and_the_interval():
    text = read(views.listing(regressions())).text
    for words in ("Worse", "POST /orders", "is slow", "p95 420 ms", "p95 980 ms", "+21.0 to +31.0 points"):
        assert words in text
    assert "beyond the faster p95" in text


def test_failures_are_shown_as_shares():
    item = operation_change(measure="errors", verdict="better", before=0.1, after=0.02, before_ms=None, after_ms=None)
    text = read(views.listing(regressions(items=[item]))).text
    for words in ("Better", "fails", "10.00 %", "2.00 %", "1,200", "900"):
        assert words in text
    assert "p95" not in text


def test_worse_comes_before_better_and_what_is_not_sure_is_left_out():
    items = [
        operation_change(operation="a", verdict="better"),
        operation_change(operation="b", difference=0.1),
        operation_change(operation="c"),
        operation_change(operation="d", verdict="same"),
        operation_change(operation="e", verdict="too few", difference=None),
    ]
    assert [item.operation for item in views.changed(regressions(items=items))] == ["c", "b", "a"]


def test_an_operation_named_like_html_stays_text():
    found = read(views.listing(regressions(items=[operation_change(operation=ATTACK)])))
    assert ATTACK in found.text
    assert "img" not in found.tags
