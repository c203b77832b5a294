"""The draft of a post-mortem: a golden file of all that it may hold, and what a hostile text does to it."""

from datetime import timedelta
from pathlib import Path

import pytest

from alerts.evidence import Difference, Evidence, EvidenceTrace, Spender
from alerts.incident import incidents_of
from alerts.message import Links
from alerts.postmortem import Happening, Impact, postmortem
from tests.unit.alert_transitions import at, episode

GOLDEN = Path(__file__).parent / "postmortem.md"
LINKS = Links("https://ninelives.example")
TRACE = EvidenceTrace("ab" * 16, "POST /pay", at(-3), 1812.4, True, "cd" * 8, "till", "POST /charge")
SLOW = EvidenceTrace("12" * 16, "", at(-2), 950.0, False, "34" * 8, "till", "GET /rates")
EVIDENCE = Evidence(
    "shop-availability-page-29300000",
    at(1),
    at(-60),
    at(0),
    "POST /pay fails for 1 in 8 since till 2.1.0",
    spenders=(Spender("till", "POST /charge", 1_100, 0.891),),
    differences=(Difference("service.version", "2.1.0", 0.98, 0.11, 8.9),),
    traces=(TRACE, SLOW),
    runbook="https://runbooks.example/shop pay",
)


def incident(**fields):
    alerts = [
        episode("shop-availability-page-29300000", 0, 45, began=-2, summary="Checkout fails for 1 in 8 customers"),
        episode("shop-latency-ticket-29300010", 10, 30, severity="ticket", **fields),
    ]
    return incidents_of(alerts, {"shop-availability-page-29300000": at(4)})[0]


def written(found=None, timeline=(), impacts=(), evidence=()):
    return postmortem(found or incident(), timeline, impacts, evidence, LINKS)


def test_a_postmortem_of_everything():
    timeline = [
        Happening(at(-9), "till 2.1.0 was deployed in place of 2.0.9"),
        Happening(at(-8), "Experiment: the till is slow"),
        Happening(at(0), "Fired: Checkout fails for 1 in 8 customers"),
        Happening(at(4), "Acknowledged by ann: on it", "ann"),
        Happening(at(30), "rolled back\nto 2.0.9 | see <chat>", "ann"),
        Happening(at(45), "Resolved: Checkout works again"),
    ]
    impacts = [
        Impact("shop-availability", "Checkout availability", at(-60), at(45), 1_234, 98_765, 0.12345),
        Impact("shop-latency", "Checkout latency", at(-60), at(45), 0, 98_765, None),
    ]
    assert written(None, timeline, impacts, [EVIDENCE]) == GOLDEN.read_text(encoding="utf-8")


def test_without_evidence_and_while_it_goes_on_it_says_so():
    text = written(incidents_of([episode("a", 0)])[0])
    assert "- Resolved: not yet\n" in text
    assert "- Acknowledged: by nobody\n" in text
    assert "## Evidence\n\nNone was gathered.\n" in text
    assert "- 1 page, 0 tickets\n" in text


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "# head", "a|b", "`x`", "**b**"]
)
def test_what_others_wrote_is_shown_as_it_is(hostile):
    line = next(
        line for line in written(None, [Happening(at(0), hostile, hostile)]).splitlines() if "10:00:00 |" in line
    )
    for character in "<>[]|`*":
        cells = line.replace(f"\\{character}", "")
        assert cells.count(character) == (4 if character == "|" else 0), character


def test_a_line_break_does_not_end_the_line_of_a_table():
    assert "| 2026-10-05 10:00:00 | a b ## c |  |\n".replace("#", "\\#") in written(
        None, [Happening(at(0), "a\r\nb\n## c")]
    )


def test_an_incident_of_days_is_told_in_days():
    assert ", after 2 d 1 h\n" in written(incidents_of([episode("a", 0, 49 * 60)])[0])
    assert timedelta(hours=49) == at(49 * 60) - at(0)
