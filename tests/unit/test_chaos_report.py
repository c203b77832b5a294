"""The reports of runs: golden files of what people and pipelines read, and what hostile or plentiful data do to them.

REWRITE_SNAPSHOTS=1 writes the golden files anew.
"""

import os
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.report import words
from chaos.report.html import LARGEST, html_report, phases
from chaos.report.interval_svg import WIDTH, interval_svg
from chaos.report.junit import junit_report
from chaos.report.text import text_report
from tests.unit import chaos_runs
from tests.unit.chaos_runs import ATTACK, availability, latency, run, undecided

FOLDER = Path(__file__).parent / "chaos_reports"
DASHBOARD = "https://ninelives.example"
RUNS = {
    "deviated": run(),
    "running": chaos_runs.running(),
    "stopped": chaos_runs.stopped(),
    "imported": chaos_runs.imported(),
    "refused": chaos_runs.refused(),
}


class _Page(HTMLParser):
    """Collects the elements of a page, its attributes and its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, name):
        return [value for _, attrs in self.elements if (value := attrs.get(name)) is not None]


def _compare(name: str, text: str) -> None:
    file = FOLDER / name
    if os.environ.get("REWRITE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text, "utf-8", newline="\n")
    assert text == file.read_text("utf-8"), f"{name} differs; if it is meant, run again with REWRITE_SNAPSHOTS=1"


@pytest.mark.parametrize("name", RUNS)
def test_a_report_is_the_recorded_one(name):
    _compare(f"{name}.txt", text_report(RUNS[name]))
    _compare(f"{name}.xml", junit_report(RUNS[name]))
    _compare(f"{name}.html", html_report(RUNS[name], dashboard_url=DASHBOARD))


@pytest.mark.parametrize("item", [*RUNS.values(), chaos_runs.hostile()], ids=[*RUNS, "hostile"])
def test_a_page_stands_alone_it_asks_for_nothing_and_runs_nothing(item):
    text = html_report(item, dashboard_url=DASHBOARD)
    page = _Page(text)
    assert len(text.encode()) <= LARGEST
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "img", "link", "iframe", "object", "image", "use"})
    assert page.all("src") == []
    assert not re.search(r"url\(|@import", text)
    assert all(href.startswith(f"{DASHBOARD}/") for href in page.all("href"))
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)


def test_a_page_without_a_dashboard_has_no_links():
    assert _Page(html_report(run())).all("href") == []
    assert _Page(html_report(run(), dashboard_url="javascript:alert(1)//")).all("href") == []


def test_hostile_text_is_text_and_turns_nothing_around():
    text = html_report(chaos_runs.hostile(), dashboard_url=DASHBOARD)
    assert ATTACK in " ".join(_Page(text).texts)
    assert ATTACK not in text
    assert "\u202e" not in text
    assert "\u202e" not in text_report(chaos_runs.hostile())
    assert "שלום" in text
    assert "x" * 600 not in text


def test_a_page_of_an_ordinary_run_is_small_and_whole():
    text = html_report(run(), dashboard_url=DASHBOARD)
    assert len(text.encode()) < 25_000
    assert "not shown here" not in text


def test_what_is_cut_is_said():
    many = run(findings=[availability(hypothesis=f"line {number}") for number in range(300)])
    assert re.search(r"\d+ more are not shown here", html_report(many))


def test_the_worst_finding_comes_first():
    text = html_report(run(findings=[latency(), undecided(), availability()]))
    assert text.index("deviated</span>") < text.index("inconclusive</span>") < text.index("held</span>")


def test_an_inconclusive_finding_says_how_many_requests_would_decide():
    for report in (html_report, text_report, junit_report):
        assert "bout 1,826 requests on each side would decide" in report(run(findings=[undecided()]))


def test_a_comparison_before_and_after_is_called_weaker():
    text = html_report(run(comparison="before/after", groups=None))
    assert "weaker than a control" in text
    assert "Before the fault" in text
    assert "Treatment" not in text


def test_no_requests_are_no_data_and_not_zero_per_cent():
    empty = availability(
        control_bad=0, control_total=0, difference=None, interval_low=None, interval_high=None, verdict="inconclusive"
    )
    assert "no requests in control" in text_report(run(findings=[empty]))
    assert '<svg class="interval"' not in html_report(run(findings=[empty]))


@pytest.mark.parametrize(
    ("item", "failures", "errors"),
    [
        (run(verdict="held", findings=[latency()], outcome=None), 0, 0),
        (run(findings=[availability(), latency()], outcome=None), 1, 0),
        (run(verdict="inconclusive", findings=[undecided()], outcome=None), 0, 1),
        (run(verdict="not_injected", findings=[latency()], outcome=None), 0, 1),
        (chaos_runs.stopped(), 0, 1),
        (chaos_runs.refused(), 0, 1),
        (chaos_runs.running(), 0, 1),
        (run(verdict="held", findings=[], outcome=None), 0, 1),
    ],
    ids=["held", "deviated", "inconclusive", "not injected", "stopped", "refused", "running", "nothing judged"],
)
def test_only_a_run_whose_every_line_held_passes_in_a_pipeline(item, failures, errors):
    root = ET.fromstring(junit_report(item))
    assert (root.get("failures"), root.get("errors")) == (str(failures), str(errors))
    assert len(root.findall(".//failure")) == failures
    assert len(root.findall(".//error")) == errors
    assert root.get("tests") == str(len(root.findall(".//testcase")))


def test_an_expected_alert_that_did_not_come_fails_and_an_unasked_one_is_told():
    cases = {case.get("name"): case for case in ET.fromstring(junit_report(run())).findall(".//testcase")}
    assert cases["orders-p95"].find("failure") is not None
    assert cases["gateway-availability"].find("failure") is None
    skipped = cases["catalog-p95"].find("skipped")
    assert skipped is not None
    assert "unexpectedly" in (skipped.get("message") or "")


@given(st.text())
def test_whatever_is_written_the_pipeline_can_read_it(text):
    item = run(title=text, experiment=text, summary=text, findings=[availability(hypothesis=text, reason=text)])
    assert ET.fromstring(junit_report(item)).tag == "testsuites"
    assert html_report(item).encode()


@given(st.floats(-1, 1, allow_nan=False), st.floats(-1, 1, allow_nan=False), st.floats(-1, 1), st.floats(0, 0.99))
def test_the_picture_of_a_finding_holds_all_of_it(first, second, third, margin):
    low, middle, high = sorted((first, second, third))
    svg = interval_svg(availability(difference=middle, interval_low=low, interval_high=high, margin=margin), said="")
    places = [float(value) for value in re.findall(r'\b(?:x1|x2|cx)="([-\d.]+)"', svg)]
    assert places
    assert all(0 <= place <= WIDTH for place in places)


def test_the_picture_puts_the_dot_beyond_the_margin_only_when_it_is():
    def place(svg, pattern):
        return float(re.search(pattern, svg)[1])

    for item, beyond in ((availability(), True), (latency(), False)):
        svg = interval_svg(item, said="")
        margin, dot = place(svg, r'class="margin" x1="([\d.]+)"'), place(svg, r'cx="([\d.]+)"')
        assert (dot > margin) == beyond


def test_phases_are_in_proportion_to_their_lengths():
    found = phases(chaos_runs.windows(chaos_runs.NOW))
    assert [round(phase.left + phase.width) for phase in found] == [18, 88, 100]
    assert [phase.fault for phase in found] == [False, True, False]


def test_a_run_of_no_length_has_a_timeline_too():
    (window, *_) = chaos_runs.windows(chaos_runs.NOW)
    (phase,) = phases([window.model_copy(update={"ended_at": window.started_at})])
    assert (phase.left, phase.width, phase.length) == (0, 0, "0 s")


@pytest.mark.parametrize("journal", [None, {}, {"run": 5}, {"run": [5, {}]}, {"steady_states": {"before": []}}])
def test_a_journal_of_another_form_is_no_error(journal):
    item = chaos_runs.imported().model_copy(update={"journal": journal})
    assert html_report(item)
    assert text_report(item)


@given(st.floats(0, 1))
def test_a_share_is_never_rounded_to_nothing_or_to_everything(ratio):
    shown = words.percent(ratio)
    assert (shown == "0 %") == (ratio == 0)
    assert (shown == "100 %") == (ratio == 1)


def test_a_length_of_time_has_its_units():
    assert words.seconds(timedelta(hours=2, seconds=5).total_seconds()) == "2 h 5 s"
