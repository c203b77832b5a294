"""The overview, and the guide that stands there before the first span."""

from datetime import timedelta

import pytest

from api import models as m
from dashboard.views import (
    first_run,
    overview,
)
from tests.unit.dashboard_models import ATTACK, EMPTY, NOW, alert, read, slo, status


def test_five_lines_need_attention_at_most_and_the_rest_is_counted():
    troubled = [slo(f"s{index}", state="exhausted", error_budget_remaining=-index) for index in range(8)]
    html = overview.attention(troubled, [], NOW)
    assert html.count("<li>") == overview.MOST_SHOWN
    assert "3 more" in html


def test_an_slo_that_fires_is_listed_once():
    html = overview.attention([slo(state="burning")], [alert()], NOW)
    assert html.count("<li>") == 1


def test_nothing_is_called_good_while_nothing_is_known():
    unknown = [slo(state="no_data", **EMPTY)]
    assert "✓" not in overview.attention(unknown, [], NOW)
    text = read(overview.tiles(status(), unknown, [], [], NOW)).text
    assert "no SLO has data yet" in text


def test_calm_is_said_with_the_number_of_slos_that_prove_it():
    assert "1 SLO with data" in overview.attention([slo()], [], NOW)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "✓ OK"),
        ({"newest_span_at": NOW - timedelta(minutes=6)}, "Quiet"),
        ({"newest_span_at": None}, "Quiet"),
        ({"ingest": [{"dead_letters": 2}]}, "Dead letters"),
        ({"ingest": [{"last_error": "disk full"}]}, "✕ Failing"),
    ],
)
def test_the_ingest_tile_says_what_is_wrong(changes, expected):
    base = {
        "signal": "traces",
        "accepted_items": 1,
        "spool_bytes": 0,
        "spool_segments": 0,
        "last_stored_at": None,
        "dead_letters": 0,
        "last_error": "",
    }
    filled = {key: [base | value[0]] if key == "ingest" else value for key, value in changes.items()}
    assert expected in read(overview.tiles(status(**filled), [], [], [], NOW)).text


def test_notices_and_broken_files_are_told_apart_and_absent_when_there_are_none():
    assert overview.notices(status()) == ""
    broken = [m.SloFileError(file="a.yaml", line=None, reason=ATTACK)]
    reader = read(overview.notices(status(slo_errors=broken, notices=["disk"], last_tick_error="code 241")))
    assert "1 SLO file is broken" in reader.text
    assert "a.yaml" in reader.text
    assert "disk" in reader.text
    assert "Evaluation failed" in reader.text
    assert "img" not in reader.tags


def test_the_python_snippet_is_a_program_for_this_server():
    python = next(item for item in first_run.snippets({"otlp_http": "127.0.0.1:9999"}) if item.language == "python")
    compile(python.code, "snippet", "exec")
    assert "http://127.0.0.1:9999/v1/traces" in python.code


def test_waiting_turns_into_arrived():
    ingest = m.IngestStatus(
        signal="traces",
        accepted_items=3,
        spool_bytes=0,
        spool_segments=0,
        last_stored_at=None,
        dead_letters=0,
        last_error="",
    )
    assert "Waiting for the first span on `http://127.0.0.1:4318` (up for 2 min)" in first_run.waiting(status(), NOW)
    assert first_run.waiting(status(ingest=[ingest]), NOW).startswith("✓ 3 items arrived")
