"""Log records as lines: severity by icon, word and colour, matches marked, everything escaped, one record unfolded."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import models as m
from dashboard.views import logs

NOW = datetime(2026, 11, 22, 14, 5, 12, 331_000, tzinfo=UTC)
ATTACK = "<img src=x onerror=alert(1)>"
TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def record(**changes):
    values = {
        "at": NOW, "observed_at": None, "service": "shop", "environment": "prod", "severity_number": 9,
        "severity_text": "INFO", "body": "paid", "event_name": "", "trace_id": "", "span_id": "", "attributes": {},
        "dropped_attributes": 0, "resource": {}, "scope": "",
    }  # fmt: skip
    return m.LogRecord.model_validate(values | changes)


@pytest.mark.parametrize(
    ("number", "text", "word", "tone"),
    [
        (24, "", "Fatal", "bad"),
        (17, "ERROR", "Error", "bad"),
        (16, "", "Warn", "warn"),
        (9, "notice", "Info", "info"),
        (5, "", "Debug", "none"),
        (1, "", "Trace", "none"),
        (0, "NOTICE", "NOTICE", "none"),
        (0, "", "None", "none"),
    ],
)
def test_a_severity_is_told_by_icon_word_and_colour(number, text, word, tone):
    look = logs.look(number, text)
    assert (look.word, look.tone) == (word, tone)
    assert look.icon
    assert word in logs.listing([record(severity_number=number, severity_text=text)], "", "")


def test_lines_keep_their_order_and_show_time_service_and_a_link_to_the_span():
    later = record(at=NOW + timedelta(seconds=1), body="later", trace_id=TRACE_ID, span_id=SPAN_ID)
    html = logs.listing([later, record()], "", "")
    assert html.index("later") < html.index("paid")
    assert "14:05:13.331" in html
    assert f'href="trace?trace={TRACE_ID}&amp;span={SPAN_ID}"' in html
    assert html.count(">Trace<") == 1


def test_a_match_is_marked_whatever_its_case_and_never_becomes_markup():
    html = logs.listing([record(body=f"Card DECLINED {ATTACK} declined")], "", "declined")
    assert html.count("<mark") == 2
    assert "<img" not in html
    assert "<mark" not in logs.listing([record()], "", "(")


@given(st.text(max_size=40), st.text(max_size=5))
def test_marking_changes_no_letter(body, text):
    found = "".join(
        piece.removeprefix(f'<mark style="{logs._MARK}">').removesuffix("</mark>") for piece in logs._marked(body, text)
    )
    assert found == "".join(logs._marked(body, ""))


def test_only_the_chosen_record_unfolds_to_everything_known_of_it():
    first = record(
        body="card\ndeclined", attributes={"customer.id": 7, ATTACK: ATTACK}, resource={"host.name": "node-1"},
        trace_id=TRACE_ID, dropped_attributes=2, event_name="payment.failed", scope="billing",
    )  # fmt: skip
    other = record(at=NOW - timedelta(seconds=1), attributes={"not.asked": 1})
    html = logs.listing([first, other], logs.key(first), "")
    for words in ("customer.id", "node-1", "payment.failed", "billing", "2 attributes", "INFO (9)", "card\ndeclined"):
        assert words in html
    assert "not.asked" not in html
    assert html.count('aria-expanded="true"') == 1
    assert f'data-select="{logs.OF_TRACE}{TRACE_ID}"' in html
    assert "<img" not in html


def test_a_record_outside_of_a_trace_offers_no_trace():
    html = logs.listing([record()], logs.key(record()), "")
    assert "trace?" not in html
    assert logs.OF_TRACE not in html


def test_records_of_one_moment_have_keys_of_their_own_that_do_not_change():
    keys = [logs.key(record(body=body, span_id=span)) for body in ("a", {"a": 1}, None) for span in ("", SPAN_ID)]
    assert len(set(keys)) == 6
    assert logs.key(record()) == logs.key(record())


def test_bodies_that_are_no_text_are_shown_as_json_and_empty_ones_by_their_event():
    assert "{&quot;a&quot;: 1}" in logs.listing([record(body={"a": 1})], "", "")
    assert "session.start" in logs.listing([record(body=None, event_name="session.start")], "", "")


def test_a_long_body_is_cut_in_its_line_and_shown_when_chosen():
    long = record(body="x" * 3000)
    assert "x" * (logs.LONGEST_LINE + 1) not in logs.listing([long], "", "")
    assert "x" * 3000 in logs.listing([long], logs.key(long), "")


def test_the_summary_says_how_many_and_of_which_days():
    yesterday = record(at=NOW - timedelta(days=1))
    assert logs.summary([record()], more=False) == "1 record, 2026-11-22 UTC."
    assert logs.summary([record(), yesterday], more=True) == "The newest 2 records, 2026-11-21 to 2026-11-22, UTC."
    assert logs.summary([], more=False) == ""
