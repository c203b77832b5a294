"""The monthly report reads as it did, lets no quoted text become markup, and needs nothing but itself."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ninelives import report_words as words
from ninelives.report_html import html_report
from ninelives.report_markdown import markdown_report
from tests.unit.slo_report_example import CHECKOUT, END, REPORT, SEARCH, TOTALS, figures

SNAPSHOTS = {"slo_report_example.html": html_report, "slo_report_example.md": markdown_report}
VOID = {"meta"}


class Page(HTMLParser):
    """Reads a page: its tags with their attributes, its text; a tag that is not closed in order is an error."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self._open = [], [], []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_the_report_reads_as_it_did(name):
    # where a change is meant, write the new text into the file
    expected = Path(__file__).with_name(name).read_text(encoding="utf-8")
    assert SNAPSHOTS[name](REPORT) == expected


def test_the_page_has_no_script_and_loads_nothing():
    page = Page(html_report(REPORT))
    names = {name for _, attributes in page.tags for name in attributes}
    assert "script" not in {tag for tag, _ in page.tags}
    assert not {name for name in names if name.startswith("on") or name == "src"}
    assert {attributes["href"][0] for tag, attributes in page.tags if tag == "a"} == {"#"}
    assert "url(" not in html_report(REPORT)
    assert "@import" not in html_report(REPORT)


def test_links_of_the_summary_lead_to_the_objectives():
    page = Page(html_report(REPORT))
    targets = {attributes["href"][1:] for tag, attributes in page.tags if tag == "a"}
    assert targets == {attributes["id"] for _, attributes in page.tags if "id" in attributes}


def test_quoted_text_stays_text_on_the_page():
    page = Page(html_report(REPORT))
    assert "b" not in {tag for tag, _ in page.tags}
    told = "".join(page.texts)
    assert '7.3 % of requests failed | <script>alert("x")</script>' in told
    assert "Checkout <b>availability</b>" in told


def test_quoted_text_stays_text_in_markdown():
    told = markdown_report(REPORT)
    assert not re.search(r"(?<!\\)<(?!br)", told)
    (row,) = [line for line in told.splitlines() if "7.3 %" in line]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    assert r"GET /\*" in told


def test_both_tell_the_same_figures():
    page, text = "".join(Page(html_report(REPORT)).texts), markdown_report(REPORT)
    for name, figure in words.facts(CHECKOUT) + words.facts(SEARCH):
        assert name in page
        assert figure in page
        assert f"{name}: {figure}" in text


def test_shares_of_part_of_the_bad_events_say_so():
    assert "4,100 of 5,700 bad events" in words.spenders_title(CHECKOUT)
    whole = CHECKOUT.model_copy(update={"charged": 5_700})
    assert words.spenders_title(whole) == "Who spent the budget"


def test_a_report_without_objectives_is_a_report():
    empty = REPORT.model_copy(
        update={"slos": [], "totals": TOTALS.model_copy(update={"objectives": 0, "met": 0, "without_data": 0})}
    )
    assert "0 of 0 objectives met" in markdown_report(empty)
    assert "table" not in {tag for tag, _ in Page(html_report(empty)).tags}


def test_a_month_that_goes_on_says_so():
    assert words.period(REPORT.model_copy(update={"complete": False, "end": END})).endswith("the month goes on")
    assert "goes on" not in words.period(REPORT)


def test_an_overspent_budget_has_an_empty_bar_and_its_number():
    slo = CHECKOUT.model_copy(update={"judged": figures(1, 9, -8.0, met=False)})
    told = html_report(REPORT.model_copy(update={"slos": [slo]}))
    assert '<span class="bar spent"><i style="width:0.0%"></i></span> -800.0 %' in told


def test_a_month_without_a_bad_event_reached_every_nine():
    assert words.nines(CHECKOUT.model_copy(update={"nines": None})) == "no bad event"
    assert words.nines(CHECKOUT.model_copy(update={"nines": 1})) == "1 nine"
    assert words.nines(SEARCH) == "no data"
