"""Rules over metrics: what may be written, what is said to other writing, and when a value is met."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alerts.decide import decide
from alerts.labels import labels_of
from alerts.threshold import OWN_LABELS, OWN_NAMES, ThresholdRule
from alerts.threshold_condition import OPERATORS, parse_condition
from alerts.threshold_signal import ThresholdSignal
from alerts.timing import AlertTiming
from alerts.transition import Link, Measurement

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEAST = {"name": "QueueTooLong", "metric": "queue.depth", "condition": "> 1000"}


def rule(**fields):
    return ThresholdRule.model_validate(LEAST | fields)


def signal(value, asked=None, **fields):
    named = {"service": "orders", "environment": "prod", "group": (), **fields}
    return ThresholdSignal(threshold=asked or rule(), value=value, **named)


def test_a_rule_in_full():
    found = rule(
        service="orders",
        environment="prod",
        attributes={"queue": "emails", "shard": 5, "durable": True},
        group_by=["queue"],
        aggregate="avg",
        window="10m",
        severity="page",
        labels={"team": "shop"},
        summary="Customers wait for their e-mails.",
        runbook="https://wiki.example.org/queues",
        **{"for": "2m", "keep_firing_for": "5m"},
    )
    assert found.attributes == {"queue": "emails", "shard": "5", "durable": "true"}
    assert (found.window, found.pending_for) == (timedelta(minutes=10), timedelta(minutes=2))
    assert (str(found.condition), found.group_by) == ("> 1000", ("queue",))
    assert signal(1.0, found).timing == AlertTiming(timedelta(minutes=2), timedelta(minutes=5))


def test_what_a_rule_leaves_out_has_defaults():
    found = rule()
    assert (found.aggregate, found.window, found.severity) == ("max", timedelta(minutes=5), "ticket")
    assert signal(1.0, found).timing == AlertTiming()


@pytest.mark.parametrize("none", ["0s", "0m", 0, timedelta(0)])
def test_no_wait_is_written_as_in_prometheus(none):
    assert rule(**{"for": none}).pending_for == timedelta(0)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": None}, "'name' is missing; write `name: ...`"),
        ({"metric": None}, "'metric' is missing"),
        ({"condition": None}, "'condition' is missing; write `condition: ...` (an operator and a number"),
        ({"agregate": "max"}, "unknown field 'agregate'; did you mean 'aggregate'?"),
        ({"zzz": 1}, "unknown field 'zzz'; the fields are name, metric"),
        ({"pending_for": "5m"}, "unknown field 'pending_for'"),
        ({"name": "Queue too long"}, "name 'Queue too long' must be up to 100 letters"),
        ({"name": "Watchdog"}, "name 'Watchdog' is that of another alert of Ninelives; choose another"),
        ({"metric": " "}, "metric ' ' is empty"),
        ({"metric": ["a"]}, "['a'] is no text; write it in quotes"),
        ({"aggregate": "p95"}, "aggregate 'p95' is not known; write one of max, min, avg, sum, last, rate, increase"),
        ({"severity": "critical"}, "severity 'critical' is not known; write one of page, ticket"),
        ({"window": "5 minutes"}, "'5 minutes' is not a duration; write a whole number and a unit"),
        ({"window": 300}, "300 is not a duration"),
        ({"window": "30s"}, "'window' is 30s; write a duration from 1m to 1d"),
        ({"window": "90s"}, "'window' is 90s; write whole minutes, such as 5m"),
        ({"window": "0s"}, "'0s' is empty"),
        ({"for": "2d"}, "'for' is 2d; write a duration from 1s to 1d"),
        ({"for": 5}, "5 is not a duration"),
        ({"for": "5x"}, "unknown unit 'x'"),
        ({"keep_firing_for": "1M"}, "a month has no defined length"),
        ({"condition": "1000"}, "condition '1000' cannot be read; write an operator"),
        ({"condition": 1000}, "condition 1000 cannot be read; write an operator"),
        ({"condition": "=> 5"}, "cannot be read; write an operator (> >= < <= == !=)"),
        ({"condition": "> NaN"}, "'NaN' is no number"),
        ({"condition": "> 5%"}, "'5%' is no number"),
        ({"condition": "> 1e999"}, "'1e999' is no value that a metric can have"),
        ({"attributes": {"ratio": 0.5}}, "0.5 is no text; write it in quotes"),
        ({"attributes": ["queue"]}, "['queue'] is no map; write {name: value}"),
        ({"group_by": "queue"}, "group_by 'queue' must be a list; write [queue]"),
        ({"group_by": ["service"]}, "group_by 'service' is always so: leave it out"),
        ({"group_by": ["a", "a"]}, "'a' must be an attribute that stands there once"),
        ({"group_by": [""]}, "'' must be an attribute"),
        ({"labels": {"team.name": "a"}}, "label name 'team.name' must be letters, digits and _; write 'team_name'"),
        ({"labels": {"severity": "a"}}, "label 'severity' is set by Ninelives itself; choose another name"),
        ({"summary": "x" * 501}, "has 501 characters; write at most 500"),
        ({"runbook": "wiki/queues"}, "runbook 'wiki/queues' is no address; write such as https://"),
        ({"runbook": "javascript:alert(1)"}, "is no address"),
    ],
)
def test_other_writing_is_answered_with_its_value_and_what_to_write(fields, says):
    with pytest.raises(ValidationError) as caught:
        rule(**fields)
    assert says in str(caught.value)


def test_a_rule_that_is_no_map_is_answered_so():
    with pytest.raises(ValidationError, match="'QueueTooLong' is not a list of fields"):
        ThresholdRule.model_validate("QueueTooLong")


@pytest.mark.parametrize("name", sorted(OWN_LABELS | OWN_NAMES))
def test_what_is_set_by_ninelives_cannot_be_set_by_a_rule(name):
    with pytest.raises(ValidationError):
        rule(**({"labels": {name: "x"}} if name in OWN_LABELS else {"name": name}))


@pytest.mark.parametrize(
    ("condition", "met", "not_met"),
    [
        ("> 1000", [1000.1, 1e300], [1000, 999.9, -5]),
        (">= 0.1", [0.1, 0.2], [0.09]),
        ("> 0.1", [0.11], [0.1]),
        ("< 0", [-0.001], [0, -0.0]),
        ("<= 5", [5, 4], [5.0000001]),
        ("== 0.3", [0.3], [0.1 + 0.2]),
        ("!= 1", [0, 1.5], [1]),
        (">-2.5e3", [-2499.9], [-2500]),
    ],
)
def test_values_meet_a_condition_as_they_were_sent(condition, met, not_met):
    found = parse_condition(condition)
    assert [found.met(value) for value in met] == [True] * len(met)
    assert [found.met(value) for value in not_met] == [False] * len(not_met)


@given(st.sampled_from(OPERATORS), st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9))
def test_a_value_is_equal_to_the_limit_that_is_written_like_it(operator, value):
    found = parse_condition(f"{operator} {Decimal(repr(value)):f}")
    assert found.met(value) == (operator in {">=", "<=", "=="})


@pytest.mark.parametrize(
    ("fields", "met", "clear"),
    [
        ({"value": 1250.0}, True, False),
        ({"value": 1000.0}, False, True),
        ({"value": None}, False, False),
        ({"value": 1250.0, "held": True}, False, False),
        ({"value": 5.0, "held": True}, False, True),
        ({"value": None, "silent_for": timedelta(hours=1)}, False, True),
    ],
)
def test_a_group_meets_its_rule_or_is_clear_of_it_or_nobody_knows(fields, met, clear):
    found = signal(**fields)
    assert (found.met, found.clear) == (met, clear)


@pytest.mark.parametrize(
    ("value", "fields", "more", "says"),
    [
        (
            1250.0,
            {"group_by": ["queue"]},
            {"group": (("queue", "emails"),)},
            "queue.depth of orders in prod was 1,250 at most in the last 5 minutes, above 1,000 (queue=emails)",
        ),
        (3.0, {"aggregate": "min", "condition": "< 5"}, {}, "was 3 at least in the last 5 minutes, below 5"),
        (
            3.5,
            {"aggregate": "avg", "condition": ">= 3.5"},
            {},
            "was 3.5 on average over the last 5 minutes, at or above",
        ),
        (7.0, {"aggregate": "sum", "condition": "== 7"}, {}, "was 7 over all series in the last 5 minutes, equal to 7"),
        (0.0, {"aggregate": "last", "condition": "!= 1"}, {}, "was 0 at last within 5 minutes, not equal to 1"),
        (2.0, {"aggregate": "rate", "condition": "> 1", "window": "1h"}, {}, "rose by 2 a second in the last hour"),
        (2.0, {"aggregate": "increase", "condition": "<= 9"}, {"environment": ""}, "of orders rose by 2 in the last"),
        (2e9, {}, {"unit": "By"}, "was 2,000,000,000 By at most"),
        (2e3, {}, {"unit": "{mail}"}, "was 2,000 mail at most"),
        (1000.0000001, {}, {}, "was 1,000.0000001 at most in the last 5 minutes, above 1,000"),
        (1234.56789, {}, {}, "was 1,234.57 at most"),
        (0.0, {"condition": "< 5"}, {}, "was 0 at most in the last 5 minutes, below 5"),
        (
            1250.0,
            {"summary": "Customers wait for their e-mails.", "attributes": {"queue": "emails"}},
            {},
            "Customers wait for their e-mails: queue.depth of orders in prod was 1,250 at most in the last 5 minutes",
        ),
    ],
)
def test_a_summary_says_what_was_how_much_and_against_which_limit(value, fields, more, says):
    assert says in signal(value, rule(**fields), **more).firing_summary()


def test_the_end_is_told_with_its_value_or_with_the_silence_that_ended_it():
    assert signal(900.0).resolved_summary() == (
        "QueueTooLong is over: queue.depth of orders in prod was 900 at most in the last 5 minutes"
    )
    gone = signal(None, group=(("queue", "emails"),), silent_for=timedelta(hours=1))
    assert gone.resolved_summary() == (
        "queue.depth of orders in prod was not sent for 1 hour and is taken for gone (queue=emails)"
    )


def test_an_alert_carries_its_measurement_its_labels_and_its_runbook():
    asked = rule(labels={"team": "shop"}, group_by=["queue.name"], runbook="https://wiki.example.org/q")
    found = signal(1250.0, asked, group=(("queue.name", "emails"),), unit="{mail}")
    fired = decide(None, found, NOW)
    assert (fired.state, fired.severity, fired.slo_id) == ("firing", "ticket", "")
    assert fired.details.measurement == Measurement(
        "queue.depth", (("queue.name", "emails"),), 1250.0, ">", 1000.0, "{mail}"
    )
    assert fired.details.links == (Link("Runbook", "https://wiki.example.org/q"),)
    assert labels_of(fired)["alertname"] == "QueueTooLong"
    assert found.labels == (("queue_name", "emails"), ("team", "shop"))
    assert labels_of(fired)["rule"] == "threshold/QueueTooLong/service=orders&environment=prod&queue.name=emails"


def test_an_attribute_that_is_named_like_a_label_of_ours_gets_another_name():
    asked = rule(group_by=["severity"])
    assert signal(1.0, asked, group=(("severity", "x"),)).labels == (("attribute_severity", "x"),)


def test_the_alert_waits_for_as_long_as_the_rule_says():
    asked = rule(**{"for": "2m"})
    assert decide(None, signal(2000.0, asked), NOW, signal(2000.0, asked).timing).state == "pending"


TEXTS = st.text(max_size=20)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=2, max_size=2, unique=True))
def test_different_groups_are_different_alerts_whatever_their_attributes_hold(groups):
    first, second = (
        signal(1.0, service=service, environment=environment, group=(("queue", queue),)).rule
        for service, environment, queue in groups
    )
    assert first != second


def test_an_attribute_of_kilobytes_does_not_make_an_identity_of_kilobytes():
    rules = {signal(1.0, group=(("queue", "x" * 10_000 + end),)).rule for end in "ab"}
    assert len(rules) == 2
    assert max(map(len, rules)) < 400
