"""The ingest page's words: alarms with remedies, numbers with units, gaps in charts, and nothing unescaped."""

from datetime import UTC, datetime, timedelta

import pytest

from api import models as m
from dashboard.views import findings, ingest

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
ATTACK = "<img src=x onerror=alert(1)>"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


def stage(**changes):
    values = {
        "collector": "here:4318", "signal": "traces", "at": NOW, "started_at": NOW - timedelta(hours=1),
        "received_items": 1_234_567, "accepted_items": 1_234_567, "rejected_items": 0, "repeated_items": 0,
        "refused_items": 0, "refused_requests": {}, "found_items": 0, "waiting_items": 0, "stored_items": 1_234_567,
        "put_aside_items": 0, "unaccounted_items": 0, "dead_letters": 0, "damaged_requests": 0, "spool_bytes": 0,
        "spool_fill": 0.0, "spool_oldest_s": 0.0, "shedding_level": 0, "breaker": "closed", "breaker_s": 60.0,
        "last_stored_at": NOW - timedelta(seconds=3), "last_error": "", "final": False,
    }  # fmt: skip
    return m.IngestStage.model_validate(values | changes)


def point(minute, received, stored=None, signal="traces", refused_requests=0):
    return m.IngestPoint(
        signal=signal,
        at=NOW - timedelta(minutes=10 - minute),
        received=received,
        stored=received if stored is None else stored,
        rejected=0,
        refused=0,
        refused_requests=refused_requests,
    )


def health(**changes):
    values = {
        "as_of": NOW, "window_s": 3600, "step_s": 60, "alarms": [], "stages": [stage()], "series": [point(1, 7200)],
        "services": [], "dead_letters": [],
    }  # fmt: skip
    return m.IngestHealth.model_validate(values | changes)


def alarm(**changes):
    values = {"alarm": "lost", "severity": "critical", "collector": "here:4318", "signal": "traces",
              "text": "7 items are gone", "remedy": "look at the log"}  # fmt: skip
    return m.IngestAlarm.model_validate(values | changes)


def finding(**changes):
    values = {"check": "orphan_spans", "service": "shop", "environment": "prod", "severity": "warning",
              "finding": "12 % are orphans", "remedy": "set X=1", "evidence": {}, "examples": [TRACE_ID]}  # fmt: skip
    return m.TelemetryFinding.model_validate(values | changes)


def test_the_headline_of_a_calm_collector_is_good_and_has_rates():
    html = ingest.tiles(health())
    assert "nl-edge-bad" not in html
    assert "7,200" in html
    assert "2.00/s" in html


def test_alarms_missing_and_old_items_turn_the_headline():
    late = stage(unaccounted_items=7, waiting_items=40, spool_oldest_s=75.0)
    html = ingest.tiles(health(alarms=[alarm(), alarm(severity="warning")], stages=[late]))
    assert "✕ 2" in html
    assert "✕ 7" in html
    assert "the oldest for 1 min 15 s" in html
    assert html.count("nl-edge-bad") == 2
    assert html.count("nl-edge-warn") == 1


def test_an_alarm_says_what_to_do_by_icon_word_and_text():
    html = ingest.alarms([alarm(text=ATTACK)])
    assert "Critical" in html
    assert "To do: look at the log" in html
    assert "<img" not in html
    assert "✓ No alarm" in ingest.alarms([])


def test_stages_are_in_the_order_of_signals_with_marks_on_what_should_be_zero():
    items = [
        stage(signal="logs"),
        stage(signal="traces", unaccounted_items=3, rejected_items=2),
        stage(signal="metrics"),
    ]
    html = ingest.stages(items, NOW)
    assert html.index("traces") < html.index("metrics") < html.index("logs")
    assert "✕ 3" in html
    assert "▲ 2" in html
    assert "1,234,567" in html
    assert "3 s ago" in html
    assert html.count("Takes data") == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"breaker": "open", "breaker_s": 61.0, "last_error": "refused"},
            ["✕", "Circuit open", "for 1 min 1 s", "refused"],
        ),
        ({"last_error": "too many parts"}, ["Failing", "too many parts"]),
        ({"shedding_level": 2}, ["Takes data", "now refuses all but critical"]),
        ({"refused_requests": {"Overloaded": 4}, "refused_items": 400}, ["▲ 400", "4 requests: Overloaded"]),
        ({"put_aside_items": 9, "dead_letters": 1, "damaged_requests": 2}, ["▲ 9", "1 dead letter", "2 damaged"]),
        ({"waiting_items": 5, "spool_bytes": 2_000, "spool_oldest_s": 2.0}, ["oldest 2 s, 2.0 kB"]),
        ({"final": True}, ["stopped just now"]),
        ({"at": NOW - timedelta(minutes=5)}, ["silent for 5 min"]),
        ({"repeated_items": 12}, ["12 sent twice"]),
    ],
)
def test_a_stage_tells_its_trouble_in_words(changes, words):
    html = ingest.stages([stage(**changes)], NOW)
    for word in words:
        assert word in html


def test_rates_are_per_second_with_gaps_where_no_report_came_and_without_the_unfinished_step():
    points = [point(1, 600), point(2, 1200), point(4, 60), point(10, 999)]
    option = ingest.rates(health(series=points))["traces"]
    frame = option["dataset"]["source"]
    assert [None if value is pd_missing(value) else value for value in frame["received"].tolist()] == [10, 20, None, 1]
    assert option["yAxis"][0]["name"] == "spans/s"


def pd_missing(value):
    """Return *value* when it is pandas' mark of a missing one."""
    import pandas as pd

    return value if value is pd.NA else None


def test_only_signals_that_sent_something_have_a_chart_and_refusals_count_as_something():
    points = [point(1, 5), point(1, 0, signal="metrics"), point(1, 0, signal="logs", refused_requests=3)]
    assert list(ingest.rates(health(series=points))) == ["traces", "logs"]
    assert ingest.rates(health(series=[point(10, 5)])) == {}


def test_services_have_a_row_with_all_their_signals():
    volumes = [
        m.ServiceVolume(service=name, environment=place, signal=signal, items=items, last_at=NOW - timedelta(seconds=9))
        for name, place, signal, items in (
            ("shop", "prod", "traces", 7200),
            (ATTACK, "", "logs", 36),
            ("shop", "prod", "logs", 3600),
        )
    ]
    html = ingest.services(volumes, 3600, NOW)
    assert html.count("<tr>") == 3
    assert "7,200" in html
    assert "2.00/s" in html
    assert "no environment" in html
    assert "<img" not in html


def test_findings_link_traces_and_quote_names():
    html = findings.listing([finding(), finding(examples=["GET /users/1", ATTACK], environment="", severity="info")])
    assert f'href="trace?trace={TRACE_ID}"' in html
    assert "<code>GET /users/1</code>" in html
    assert "To do: set X=1" in html
    assert "Advice" in html
    assert "<img" not in html


def test_the_count_of_calm_checks_is_told():
    checks = m.TelemetryChecks(
        as_of=NOW, window_s=3600, checks=["a", "orphan_spans", "c"], items=[finding(), finding()]
    )
    assert findings.passed(checks) == "2 of 3 checks found nothing."


def test_dead_letters_have_their_reasons_and_an_unknown_count_is_not_zero():
    letter = m.DeadLetter(signal="traces", at=NOW, items=None, size_bytes=1500, reason=ATTACK, file="traces-1-0.pb")
    html = ingest.letters([letter], NOW)
    assert "unknown" in html
    assert "1.5 kB" in html
    assert "<img" not in html


def test_an_unreadable_database_is_said_with_its_reason():
    assert ingest.unread(health()) == ""
    assert "connection refused" in ingest.unread(health(error="connection refused"))


def test_a_chart_has_a_takeaway_in_words():
    assert ingest.takeaway("traces", [point(1, 10, 8), point(2, 5, 5)]) == "Spans: 15 received, 13 stored"
