"""Traces: the list, and one as a waterfall of its spans."""

import re

from hypothesis import given
from hypothesis import strategies as st

from api import models as m
from dashboard.views import (
    traces,
    waterfall,
)
from tests.unit.dashboard_models import ATTACK, NOW, read, span, trace


@given(st.text(max_size=40))
def test_no_name_attribute_or_event_of_a_span_becomes_markup(text):
    hostile = span(
        name=text + ATTACK,
        service=text,
        attributes={text: ATTACK + text},
        resource={ATTACK: text},
        status_message=text + ATTACK,
        events=[m.SpanEvent(name=text + ATTACK, offset_ms=1, attributes={"k": [text, ATTACK]})],
    )
    reader = read(waterfall.render(trace(hostile), "a1"))
    assert not reader.tags & {"img", "script", "svg", "iframe", "style"}
    assert not {name for name in reader.names if name.startswith("on")}
    assert ATTACK in reader.text


def test_spans_keep_their_order_and_depth():
    html = waterfall.render(trace(span("a1", name="root"), span("a2", name="child", depth=1)))
    assert html.index("root") < html.index("child")
    assert "--depth:0" in html
    assert "--depth:1" in html


def test_an_error_span_is_marked_by_a_sign_not_only_by_colour():
    assert "✕" in waterfall.render(trace(span(error=True)))
    assert "✕" not in waterfall.render(trace(span()))


def test_only_the_chosen_span_is_unfolded():
    html = waterfall.render(trace(span("a1", attributes={"k1": 1}), span("a2", attributes={"k2": 2})), "a2")
    assert "k2" in html
    assert "k1" not in html


def test_the_first_error_is_the_deepest_of_the_first_failing_chain():
    spans = [
        span("a1", error=True),
        span("a2", depth=1),
        span("a3", depth=1, error=True),
        span("a4", depth=2, error=True),
        span("a5", depth=1, error=True),
    ]
    assert waterfall.first_error(trace(*spans)) == "a4"
    assert waterfall.first_error(trace(span())) == ""


@given(st.integers(1, 60), st.integers(0, 59), st.integers(1, 20))
def test_the_chosen_span_is_among_those_shown(amount, place, limit):
    spans = [span(f"s{index}") for index in range(amount)]
    chosen = spans[min(place, amount - 1)]
    shown, first = waterfall.visible(trace(*spans), chosen.span_id, limit)
    assert chosen in shown
    assert len(shown) == min(limit, amount)
    assert shown == spans[first : first + len(shown)]


def test_a_cut_trace_says_what_part_is_shown():
    html = waterfall.render(trace(*(span(f"s{index}") for index in range(5))), "s3", limit=2)
    assert "Showing spans 3 to 4 of 5." in read(html).text
    assert 'data-select="s4"' in html


@given(st.floats(-50, 5000), st.floats(0, 5000))
def test_no_bar_leaves_its_track(offset, length):
    html = waterfall.render(trace(span(offset_ms=offset, duration_ms=length)))
    left, width = (float(value) for value in re.search(r"left:([\d.-]+)%;width:([\d.-]+)%", html).groups())
    assert 0 <= left <= 100
    assert 0 <= width <= 100.01 - left


def test_a_trace_without_length_is_drawn():
    assert "GET /" in waterfall.render(trace(span(duration_ms=0)).model_copy(update={"duration_ms": 0}))


def test_a_trace_list_links_each_trace_and_marks_errors():
    summary = m.TraceSummary(
        trace_id="c" * 32,
        started_at=NOW,
        duration_ms=2400,
        service="s",
        name=ATTACK,
        spans=6,
        errors=2,
        services=["a"] * 6,
    )
    reader = read(traces.listing([summary], NOW))
    assert reader.hrefs == [f"trace?trace={'c' * 32}"]
    assert "✕ 2" in reader.text
    assert "and 2 more" in reader.text
    assert "img" not in reader.tags
