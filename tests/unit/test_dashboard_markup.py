"""HTML of the pages: nothing unescaped, links and cells as they have to be."""

import re

from hypothesis import given
from hypothesis import strategies as st

from dashboard.views import (
    markup,
)
from tests.unit.dashboard_models import read


@given(st.text())
def test_plain_text_survives_as_text_and_makes_no_element(text):
    reader = read(markup.tag("td", text))
    assert reader.tags == {"td"}
    assert "".join(reader.texts) == text.replace("\r\n", "\n") or "\r" in text or "\0" in text


@given(st.text(), st.text())
def test_no_value_leaves_its_attribute(page_name, value):
    reader = read(markup.tag("button", "x", data_select=value, title=page_name))
    assert reader.names <= {"data-select", "title"}
    assert reader.tags == {"button"}


def test_a_link_keeps_its_parameters_apart():
    assert markup.page_href("trace", trace="a&b=c", span="") == "trace?trace=a%26b%3Dc"


def test_every_cell_names_its_column_for_narrow_screens():
    html = markup.table([markup.Column("Rate")], [["1/s"]], caption="c")
    assert 'data-label="Rate"' in html


def test_a_sparkline_breaks_where_nothing_is_known_and_a_lone_value_is_a_dot():
    drawn = re.search(r' d="([^"]*)"', markup.sparkline([1.0, 0.0, None, 0.5, None], "good", "a < b"))
    assert drawn is not None
    assert drawn[1] == "M0.0 2.0h0L27.5 22.0M82.5 12.0h0"
    assert "a &lt; b" in markup.sparkline([1.0], "good", "a < b")
