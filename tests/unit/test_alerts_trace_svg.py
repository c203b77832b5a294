"""The picture of a trace: what is to blame is seen first, without colours, on a telephone."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.trace_rows import choose_rows, in_order
from alerts.trace_svg import WIDTH, trace_svg
from tests.unit.evidence_examples import HOSTILE, span, spans

ERROR, BLAME = "✕", "▶"


def drawn(found, *, total=0, most=40):
    return ET.fromstring(trace_svg(found, total=total, most=most))


def labels(svg):
    return [text.text for text in svg.iter("text") if text.get("class") in {None, "t-b"}]


def bars(svg):
    return [rect for rect in svg.iter("rect") if rect.get("class") in {"t-bar", "t-err"}]


def test_every_span_is_a_row_with_its_service_operation_and_duration_below_its_caller():
    svg = drawn([span("2", "1", offset=5, ms=1.5), span("1", ms=10), span("3", "2", offset=6, ms=0.5)])
    assert [re.sub("[\u2068\u2069]", "", label) for label in labels(svg)] == [
        "checkout op 1",
        "checkout op 2",
        "checkout op 3",
    ]
    assert [text.text for text in svg.iter("text") if text.get("class") == "t-n"] == ["10 ms", "1.5 ms", "0.5 ms"]
    starts = [float(bar.get("x")) for bar in bars(svg)]
    assert starts == pytest.approx([0, WIDTH / 2, 0.6 * WIDTH], abs=2)
    tops = [float(bar.get("y")) for bar in bars(svg)]
    assert tops == sorted(tops)
    assert svg.get("aria-label") == "Trace of 3 spans, 10 ms"


def test_errors_and_the_guilty_span_are_told_by_marks_and_shapes_not_by_colour_alone():
    svg = drawn([span("1", error=True), span("2", "1", error=True, guilty=True), span("3", "1")])
    first, second, third = labels(svg)
    assert first.startswith(f"{ERROR} ")
    assert second.startswith(f"{BLAME} {ERROR} ")
    assert ERROR not in third
    assert [bar.get("class") for bar in bars(svg)] == ["t-err", "t-err", "t-bar"]
    assert len([rect for rect in svg.iter("rect") if rect.get("class") == "t-mark"]) == 1


def test_of_a_large_trace_the_guilty_way_errors_and_the_slowest_are_drawn_and_the_rest_is_counted():
    way = [span("root", ms=100), span("a", "root", ms=0.1), span("b", "a", ms=0.1, guilty=True)]
    many = [span(f"n{n:02}", "root", ms=2 + n, error=n == 0) for n in range(60)]
    svg = drawn([*many, *way], total=900, most=20)
    text = "".join(label or "" for label in labels(svg))
    assert len(bars(svg)) == 20
    for name in ("op root", "op a", "op b", "op n00", "op n59"):
        assert name in text
    assert "op n01" not in text
    assert "880 more spans are not drawn" in "".join(text.text or "" for text in svg.iter("text"))


def test_dots_are_left_out_unless_the_trace_is_short():
    root = span("root", ms=1000)
    assert len(choose_rows([root, *(span(str(n), "root", ms=1) for n in range(14))])) == 15
    assert choose_rows([root, *(span(str(n), "root", ms=1) for n in range(15))]) == (root,)


def test_a_long_or_hostile_name_stays_in_its_row():
    for name in (*HOSTILE, "x" * 10_000, "名" * 500, "ạ" * 500):
        (label,) = labels(drawn([span("1", service=name, operation=name)]))
        assert len(label) <= 4 * 60
        assert sum(1 for char in label if not 0x300 <= ord(char) < 0x370) <= 60


@given(st.lists(spans, max_size=60), st.integers(1, 50))
def test_any_trace_is_drawn_once_a_span_within_the_picture(found, most):
    unique = list({each.span_id: each for each in found}.values())
    assert sorted(each.span_id for each, _ in in_order(unique)) == sorted(each.span_id for each in unique)
    assert len(choose_rows(unique, most=most)) <= most
    if not unique:
        assert not trace_svg(unique, total=0, most=most)
        return
    for bar in bars(drawn(unique, most=most)):
        assert -0.1 <= float(bar.get("x")) <= WIDTH
        assert float(bar.get("width")) >= 2
        assert float(bar.get("x")) + float(bar.get("width")) <= WIDTH + 0.2
