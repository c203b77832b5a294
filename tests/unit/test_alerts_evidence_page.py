"""The frozen page: all that is known, in the order in which it is asked, small and harmless whatever the data."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from alerts.evidence_page import ACKNOWLEDGE_SLOT, LARGEST, evidence_page
from alerts.evidence_summary import evidence_summary
from alerts.link_page import link_page
from alerts.message import Links
from tests.unit.evidence_examples import (
    HOSTILE,
    evidence,
    hostile_evidence,
    hostile_transition,
    span,
    trace,
    transition,
)

LINKS = Links("https://obs.example", "https://api.example")
TAGS = {"html", "head", "meta", "title", "style", "body", "header", "span", "bdi", "h1", "h2", "main", "dl", "dt", "dd"}
TAGS |= {"section", "a", "p", "code", "table", "tr", "th", "td", "ul", "li", "br", "footer"}
DRAWN = {"svg", "defs", "pattern", "rect", "path", "text", "footer"}
VOID = {"meta", "br"}
TIMES = "\u00d7"


class Page(HTMLParser):
    """What a browser would find: text, links, tags with their attributes, and whether they are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self._open = set(), [], [], []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._open += [] if tag in VOID else [tag]

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    @property
    def links(self):
        return [value for name, value in self.attributes if name == "href"]


def test_it_answers_in_the_order_in_which_it_is_asked():
    text = Page(evidence_page(transition(), evidence(), LINKS)).text
    asked = ["14.7 % of requests", "For whom", "How bad", "Since", "Why", "What to do", "Numbers", "Traces"]
    asked += ["Who spent", "have in common", "Deployed", "Experiments", "Logs", "Earlier alerts"]
    places = [text.index(words, text.index("PAGE")) for words in asked]
    assert places == sorted(places)
    for told in (
        "7,887",
        "100,000",
        f"78.9{TIMES}",
        f"148{TIMES}",
        "31 % of it is left",
        f"23.2{TIMES}",
        "only bad",
        "22 min",
    ):
        assert told in text, told


def test_its_links_lead_to_the_runbook_the_alert_and_the_guilty_spans():
    found = Page(evidence_page(transition(), evidence(), LINKS)).links
    assert found == [
        "https://runbooks.example/checkout",
        "https://obs.example/alert?id=checkout-availability-page-29537474",
        f"https://obs.example/trace?trace={0:032x}&span=6",
        f"https://obs.example/trace?trace={1:032x}&span=6",
    ]


def test_without_a_dashboard_there_are_no_links_to_it():
    assert Page(evidence_page(transition(), evidence(), Links())).links == ["https://runbooks.example/checkout"]


def test_what_is_not_known_is_not_shown():
    bare = evidence(
        error_budget_spent=None, error_budget_remaining=None, forecasts=(), traces=(), trace_spans=(), spenders=(),
        differences=(), deployments=(), experiments=(), logs=(), past=(), owner="", runbook="", since=None,
        missing=("logs: DatabaseError",),
    )  # fmt: skip
    text = Page(evidence_page(transition(details=replace(transition().details, conditions=())), bare, LINKS)).text
    for heading in ("Numbers", "Traces", "Who spent", "Deployed", "Logs", "Earlier", "How bad"):
        assert heading not in text
    assert "Not found out: logs: DatabaseError." in text
    assert "Nothing stands out" in text


@hypothesis_settings(max_examples=25)
@given(hostile_transition, hostile_evidence)
def test_whatever_was_sent_the_page_is_small_whole_and_runs_and_loads_nothing(alert, found):
    page = evidence_page(alert, found, LINKS)
    assert len(page.encode()) <= LARGEST
    read = Page(page)
    assert read.tags <= TAGS | DRAWN
    for name, value in read.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "srcset", "xlink:href", "action"}
        assert name != "href" or re.match(r"https?://", value)
        assert name != "style" or re.fullmatch(r"width:[\d.]+%", value)
    assert page.count(ACKNOWLEDGE_SLOT) == 1
    assert not re.search(r"[\u202a-\u202e\u2066\u2067\x00\x1b]", page)


def test_hostile_names_are_shown_as_text():
    for name in HOSTILE[:4]:
        page = evidence_page(transition(summary=name), evidence(owner=name, traces=(trace(route=name),)), LINKS)
        shown = name.replace("\u202e", "")
        assert " ".join(shown.split()) in Page(page).text
        assert "<img" not in page


def test_a_runbook_that_is_no_web_address_is_text():
    read = Page(evidence_page(transition(), evidence(runbook="javascript:alert(1)"), LINKS))
    assert "javascript:alert(1)" not in read.links
    assert "Runbook: javascript:alert(1)" in read.text


def test_what_is_cut_to_fit_is_what_matters_least_and_that_is_said():
    long = tuple(evidence().logs[0] for _ in range(20))
    huge = evidence(
        logs=tuple(replace(each, body=f"{n} " + "<" * 499) for n, each in enumerate(long)),
        trace_spans=tuple(span(str(n), "0", ms=500 - n, operation="<&>" * 40) for n in range(40)),
        trace_span_count=57,
    )
    page = evidence_page(transition(), huge, LINKS)
    assert 20_000 < len(page.encode()) <= LARGEST
    text = Page(page).text
    assert re.search(r"Logs.* more not shown here", text)
    assert "17 more spans are not drawn" in text
    assert "payments POST /charge" in text


def test_the_summary_for_messages_tells_the_same_in_plain_words():
    told = evidence_summary(transition(), evidence())
    assert told.split(". ") == [
        "14.7 % of requests to checkout in prod failed in the last 5 minutes (1,230 of 8,330)",
        "Hit: /pay (97 % of the bad requests)",
        (
            "The error budget burns 148 times as fast as it may; the last hour cost 12 % of it; 31 % of it is left,"
            " gone in 5 h if it goes on like this"
        ),
        "It began at 03:01 UTC",
        "90 % of it is charged to payments POST /charge",
        "93 % of the bad requests have service.version 2.3.1, 4 % of the good ones",
        "payments was deployed at 02:58 UTC: 2.3.1 instead of 2.3.0",
        "Experiment or event: Payments loses its card gateway, from 03:01 UTC, still going on.",
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"error_budget_remaining": 0.0}, "nothing is left of it"),
        ({"error_budget_remaining": -0.5}, "nothing is left, it is overspent by 50 %"),
        ({"forecasts": ()}, "31 % of it is left."),
        ({"since": None}, "Noticed at 03:14 UTC."),
        ({"since": evidence().start}, "It has gone on since 02:14 UTC or longer."),
        ({"differences": ()}, "(1,230 of 8,330). Seen on /pay. The error budget"),
        ({"differences": (), "traces": ()}, "(1,230 of 8,330). The error budget"),
        (
            {"traces": (trace(guilty_message="gateway\ntimeout"),)},
            "charged to payments POST /charge. It said \u201cgateway timeout\u201d.",
        ),
    ],
)
def test_the_summary_leaves_out_what_is_not_known(fields, told):
    assert told in evidence_summary(transition(), evidence(**fields))


def test_the_page_behind_a_link_shows_hostile_texts_and_asks_only_with_a_button():
    page = link_page("<b>title</b>", "<script>alert(1)</script>", button="Acknowledge", token="a.b_-")
    assert "<script>" not in page
    assert 'action="?token=a.b_-"' in page
    assert "<form" not in link_page("title", "text")
