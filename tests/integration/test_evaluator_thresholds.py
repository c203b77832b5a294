"""Rules over metrics from OTLP points to signals, over the real engine."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from alerts.threshold import ThresholdRule
from evaluator import thresholds
from evaluator.thresholds import ThresholdSource
from storage.migrate import migrate

pytestmark = pytest.mark.slow

CUMULATIVE, DELTA = 2, 1
SECOND = 10**9
NOW = datetime.now(UTC).replace(microsecond=0)
T0 = round(NOW.timestamp()) * SECOND
C0 = T0 - 75 * SECOND  # rates and increases end here


def rule(metric, condition="> 0", **fields):
    return ThresholdRule.model_validate({"name": "Rule", "metric": metric, "condition": condition, **fields})


def ask(database, asked, now=NOW):
    return ThresholdSource(database, [asked]).signals(now)


def present():
    """Return the present, which the database notes of what it is sent, and its nanoseconds."""
    now = datetime.now(UTC).replace(microsecond=0)
    return now, round(now.timestamp()) * SECOND


def gauge(otlp, name, points, kind="gauge", **options):
    """Return a body; *points*: (seconds before now, value[, flags])."""
    found = [
        otlp.point(
            options.get("t0", T0) - round(ago * SECOND),
            as_double=value,
            flags=flags[0] if flags else 0,
            attributes=options.get("a"),
        )
        for ago, value, *flags in points
    ]
    sender = {key: options[key] for key in ("service", "environment", "unit", "resource") if key in options}
    sums = {"aggregation_temporality": CUMULATIVE, "is_monotonic": False} if kind == "sum" else {}
    return otlp.metric(name, kind, *found, **sender, **sums)


def counter(otlp, name, points, temporality=CUMULATIVE, **options):
    """Return a body; *points*: (seconds before the counted end, value[, seconds before it of the start])."""
    found = [
        otlp.point(
            options.get("t0", T0) - (75 + ago) * SECOND,
            as_int=value,
            start_ns=options.get("t0", T0) - (75 + (start[0] if start else 3600)) * SECOND,
            attributes=options.get("a"),
        )
        for ago, value, *start in points
    ]
    sender = {key: options[key] for key in ("service", "environment", "resource") if key in options}
    return otlp.metric(name, "sum", *found, aggregation_temporality=temporality, is_monotonic=True, **sender)


VALUES = {  # points of two instances, aggregate, condition, value
    "the highest point of any series": ([(200, 5.0), (30, 2.0)], [(100, 9.0), (20, 1.0)], "max", ">", 9.0),
    "the lowest point of any series": ([(200, 5.0), (30, 2.0)], [(100, 9.0), (20, 1.0)], "min", ">", 1.0),
    "the mean of all points": ([(200, 5.0), (30, 2.0)], [(100, 9.0), (20, 0.0)], "avg", ">", 4.0),
    "what each said last, added up": ([(200, 5.0), (30, 2.0)], [(100, 9.0), (20, 1.0)], "sum", ">", 3.0),
    "the worst of what each said last": ([(200, 5.0), (30, 2.0)], [(100, 9.0), (20, 1.0)], "last", ">", 2.0),
    "the worst where little is bad": ([(200, 5.0), (30, 2.0)], [(100, 9.0), (20, 1.0)], "last", "<", 1.0),
    "what is before the window is not read": ([(301, 99.0), (30, 2.0)], [], "max", ">", 2.0),
    "NaN is no value": ([(100, 3.0), (30, math.nan)], [], "last", ">", 3.0),
    "a series that ended says nothing last": ([(100, 3.0), (30, 8.0, 1)], [(20, 1.0)], "last", ">", 1.0),
    "one series that ended is no data": ([(100, 3.0), (30, 0.0, 1)], [], "last", ">", None),
    "no point in the window is no data": ([(400, 7.0)], [], "max", ">", None),
}
COUNTS = {  # points, temporality, aggregate, value; windows are five minutes
    "an increase": ([(300, 100), (150, 160), (0, 280)], CUMULATIVE, "increase", 180),
    "a rate": ([(300, 100), (150, 160), (0, 400)], CUMULATIVE, "rate", 1.0),
    "a fall is a reset": ([(300, 100), (150, 160), (0, 25)], CUMULATIVE, "increase", 85),
    "a new start is a reset": ([(300, 100), (150, 160), (0, 200, 140)], CUMULATIVE, "increase", 260),
    "a gap is filled from its ends": ([(450, 100), (150, 400), (0, 400)], CUMULATIVE, "increase", 150),
    "deltas add up": ([(240, 4, 300), (120, 6, 180)], DELTA, "increase", 10),
    "a rate of deltas is over the window": ([(240, 60, 300)], DELTA, "rate", 0.2),
    "deltas before the window are not counted": ([(400, 60, 460)], DELTA, "increase", 0.0),
    "a counter that does not move": ([(300, 7), (0, 7)], CUMULATIVE, "increase", 0.0),
    "a lonely old point is no data": ([(1200, 7)], CUMULATIVE, "increase", None),
}


@pytest.fixture(scope="module")
def tables(_chdb, store, otlp):
    """A database with every metric of the tables above, named like its row."""
    bodies = []
    for name, (first, second, *_) in VALUES.items():
        bodies.append(gauge(otlp, name, first, resource={"service.instance.id": "a"}))
        bodies.append(gauge(otlp, name, second, resource={"service.instance.id": "b"}))
    bodies += [counter(otlp, name, points, temporality) for name, (points, temporality, *_) in COUNTS.items()]
    found = _chdb.database()
    migrate(found)
    store(found, *bodies, signal="metrics")
    yield found
    _chdb.drop(found)


@pytest.mark.parametrize("name", VALUES)
def test_the_value_of_a_group_is(tables, name):
    *_, aggregate, operator, expected = VALUES[name]
    (signal,) = ask(tables, rule(name, f"{operator} 0", aggregate=aggregate))
    assert signal.value == expected
    assert (signal.service, signal.environment) == ("shop", "prod")


@pytest.mark.parametrize("name", COUNTS)
def test_what_counters_rose_by_is(tables, name):
    *_, aggregate, expected = COUNTS[name]
    (signal,) = ask(tables, rule(name, aggregate=aggregate))
    assert signal.value == (None if expected is None else pytest.approx(expected))


def test_values_of_a_histogram_are_counted(database, store, otlp):
    points = [
        otlp.point(C0 - ago * SECOND, start_ns=C0 - 3600 * SECOND, count=count, bucket_counts=[count], sum=1.0)
        for ago, count in ((300, 10), (0, 40))
    ]
    store(database, otlp.metric("took", "histogram", *points, unit="s", aggregation_temporality=2), signal="metrics")
    (signal,) = ask(database, rule("took", "> 29", aggregate="increase"))
    assert (signal.value, signal.met) == (30, True)
    assert signal.firing_summary() == "took of shop in prod rose by 30 in the last 5 minutes, above 29"


def test_services_environments_and_values_of_attributes_are_groups_of_their_own(database, store, otlp):
    bodies = [
        gauge(otlp, "queue.depth", [(20, depth)], service=service, environment=environment, a={"queue": queue})
        for service, environment, queue, depth in (
            ("orders", "prod", "emails", 1250.0),
            ("orders", "prod", "bills", 3.0),
            ("orders", "test", "emails", 4.0),
            ("shop", "prod", "emails", 5.0),
        )
    ]
    store(database, *bodies, signal="metrics")
    signals = ask(database, rule("queue.depth", "> 1000", group_by=["queue"]))
    assert {(s.service, s.environment, s.group, s.value): s.met for s in signals} == {
        ("orders", "prod", (("queue", "emails"),), 1250.0): True,
        ("orders", "prod", (("queue", "bills"),), 3.0): False,
        ("orders", "test", (("queue", "emails"),), 4.0): False,
        ("shop", "prod", (("queue", "emails"),), 5.0): False,
    }
    (narrow,) = ask(database, rule("queue.depth", service="orders", environment="prod", attributes={"queue": "bills"}))
    assert narrow.value == 3.0


def test_a_group_without_data_is_frozen_for_an_hour_and_then_gone(database, store, otlp):
    now, t0 = present()
    store(database, gauge(otlp, "queue.depth", [(20, 5.0)], unit="{mail}", t0=t0), signal="metrics")
    source = ThresholdSource(database, [rule("queue.depth")])
    said = {minutes: source.signals(now + timedelta(minutes=minutes))[0] for minutes in (0, 4, 6, 59, 72)}
    assert {minutes: (signal.met, signal.clear) for minutes, signal in said.items()} == {
        0: (True, False),
        4: (True, False),
        6: (False, False),
        59: (False, False),
        72: (False, True),
    }
    assert said[72].resolved_summary() == "queue.depth of shop in prod was not sent for 1 hour and is taken for gone"
    assert source.signals(now + timedelta(days=8)) == []


def test_the_silence_of_a_delta_counter_is_no_events_for_a_day(database, store, otlp):
    now, t0 = present()
    store(database, counter(otlp, "letters", [(60, 3, 120)], DELTA, t0=t0), signal="metrics")
    source = ThresholdSource(database, [rule("letters", aggregate="increase")])
    said = [source.signals(now + timedelta(minutes=minutes))[0] for minutes in (0, 10, 60 * 23, 60 * 25)]
    assert [(signal.value, signal.met, signal.clear) for signal in said] == [
        (pytest.approx(3), True, False),
        (0.0, False, True),
        (0.0, False, True),
        (None, False, True),
    ]
    assert said[3].resolved_summary() == "letters of shop in prod was not sent for 1 day and is taken for gone"


def test_too_many_groups_alert_up_to_a_limit_and_the_rest_is_frozen_and_said(database, store, otlp, monkeypatch):
    monkeypatch.setattr(thresholds, "MOST_ALERTS", 3)
    bodies = [gauge(otlp, "depth", [(20, 1.0)], a={"queue": f"q{number}"}) for number in range(5)]
    bodies += [gauge(otlp, "depth", [(20, 0.0)], a={"queue": "calm"})]
    store(database, *bodies, signal="metrics")
    source = ThresholdSource(database, [rule("depth", group_by=["queue"])])
    signals = source.signals(NOW)
    assert {signal.group[0][1] for signal in signals if signal.met} == {"q0", "q1", "q2"}
    assert {signal.group[0][1] for signal in signals if signal.clear} == {"calm"}
    assert source.problems == {
        "Rule": [
            "rule Rule: 5 groups meet the condition, and only 3 alert: group by less, or narrow it with attributes"
        ]
    }
    monkeypatch.setattr(thresholds, "MOST_GROUPS", 4)
    assert len(source.signals(NOW)) == 4
    assert "6 groups, of which 4 are read" in source.problems["Rule"][0]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (rule("nobody.sends"), "no metric 'nobody.sends' was ever received"),
        (rule("up.down", service="other"), "no metric 'up.down' from 'other' was ever received"),
        (rule("up.down", aggregate="rate"), "goes up and down, so it has no rate"),
        (rule("took", aggregate="max"), "is a histogram, which has no max"),
    ],
)
def test_a_rule_that_fits_no_metric_is_a_problem_and_no_alert(database, store, otlp, asked, says):
    took = otlp.metric("took", "histogram", otlp.point(T0, count=1, bucket_counts=[1]), aggregation_temporality=2)
    store(database, gauge(otlp, "up.down", [(20, 1.0)], kind="sum"), took, signal="metrics")
    source = ThresholdSource(database, [asked])
    assert source.signals(NOW) == []
    assert says in source.problems["Rule"][0]


def test_a_metric_that_is_sent_in_several_units_is_read_in_all_of_them_and_said(database, store, otlp):
    store(database, gauge(otlp, "depth", [(20, 1.0)], unit="1", service="a"), signal="metrics")
    store(database, gauge(otlp, "depth", [(20, 2.0)], unit="By", service="b"), signal="metrics")
    store(database, otlp.metric("depth", "histogram", otlp.point(T0, count=1), service="c"), signal="metrics")
    source = ThresholdSource(database, [rule("depth")])
    assert {(signal.service, signal.value) for signal in source.signals(NOW)} == {("a", 1.0), ("b", 2.0)}
    assert "is sent in several units" in source.problems["Rule"][0]


def test_a_group_that_changed_its_unit_is_one_alert_with_the_value_that_is_sent_now(database, store, otlp):
    store(database, gauge(otlp, "depth", [(4000, 9.0)], unit="1"), signal="metrics")
    store(database, gauge(otlp, "depth", [(20, 2.0)], unit="{mail}"), signal="metrics")
    (signal,) = ThresholdSource(database, [rule("depth")]).signals(NOW)
    assert (signal.value, signal.unit) == (2.0, "{mail}")


def test_an_alert_of_which_nothing_is_said_ends_with_the_reason_and_that_is_logged_once(tables, caplog):
    rules = [("none", "Nothing"), ("an increase", "Fits")]
    asked = [rule(metric, aggregate="rate").model_copy(update={"name": name}) for metric, name in rules]
    source = ThresholdSource(tables, asked)
    source.signals(NOW)
    source.signals(NOW)
    assert source.why_unsaid("threshold/Nothing/service=shop&environment=prod") == (
        "no metric 'none' was received for a month"
    )
    assert "not sent for 7 days" in source.why_unsaid("threshold/Fits/service=other&environment=prod")
    assert source.why_unsaid("threshold/Removed/service=shop&environment=prod") is None
    assert source.why_unsaid("shop-availability") is None
    assert sum("no metric 'none'" in record.message for record in caplog.records) == 1


def test_alerts_of_a_metric_that_changed_its_type_stay_as_they_are(tables):
    source = ThresholdSource(tables, [rule("the highest point of any series", aggregate="rate")])
    assert source.signals(NOW) == []
    assert source.why_unsaid("threshold/Rule/service=shop&environment=prod") == ""
