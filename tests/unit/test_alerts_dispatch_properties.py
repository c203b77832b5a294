"""What holds for every course of alerts, silences and restarts."""

import random
import time
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.past import Past
from tests.unit.alert_timeline import Timeline, alert, at

pytestmark = pytest.mark.slow

ROUTES = [
    "receiver: team, group_by: [service_name], repeat_interval: 12m",
    "receiver: team, group_by: [slo_id], group_wait: 2m",
    """receiver: team, group_by: [severity], group_interval: 3m, repeat_interval: 9m, routes: [
      {matchers: ['severity="page"'], receiver: oncall, continue: true}, {receiver: team}]""",
    "receiver: other, group_by: ['...'], group_interval: 0s",
]
NAMES = ["a", "b", "c", "d"]
LAST = 60


@st.composite
def courses(draw):
    """Draw the minutes at which alerts begin and end, silences, acknowledgements and other routes."""
    events = []
    for name in NAMES:
        start = draw(st.integers(0, 30))
        severity, slo = draw(st.sampled_from(["page", "ticket"])), draw(st.sampled_from(["one", "two"]))
        events.append((start, "fire", name, {"severity": severity, "slo": slo}))
        if draw(st.booleans()):
            events.append((draw(st.integers(start + 1, 45)), "end", name))
        if draw(st.booleans()):
            events.append((draw(st.integers(0, 40)), "acknowledge", name))
    for number in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, 40))
        matcher = draw(st.sampled_from(["slo_id=one", "severity=page", "environment=~'.*'"])).replace("'", '"')
        events.append((start, "silence", f"s{number}", matcher, draw(st.integers(start + 1, 50))))
    events += [
        (draw(st.integers(1, 40)), "route", draw(st.sampled_from(ROUTES))) for _ in range(draw(st.integers(0, 1)))
    ]
    return draw(st.sampled_from(ROUTES)), events


@settings(max_examples=150, deadline=None)
@given(courses(), st.randoms(use_true_random=False))
def test_a_past_built_again_from_what_is_stored_decides_alike(course, dice):
    route, events = course
    lasting, restarted = Timeline(route), Timeline(route)
    lasting.run(events, LAST)
    for minute in range(LAST + 1):
        shuffled = list(restarted.stored)
        dice.shuffle(shuffled)
        restarted.past = Past.of(shuffled)
        for when, what, *arguments in events:
            if when == minute:
                options = arguments.pop() if isinstance(arguments[-1], dict) else {}
                getattr(restarted, what)(minute, *arguments, **options)
        restarted.tick(at(minute))
    assert restarted.stored == lasting.stored
    assert Past.of(restarted.stored) == lasting.past


@settings(max_examples=150, deadline=None)
@given(courses())
def test_who_is_told_that_an_alert_fires_is_told_once_that_it_is_over(course):
    route, events = course
    timeline = Timeline(route)
    timeline.run(events, LAST)
    firing = {
        (item.channel, told.alert_id) for item in timeline.stored for told in item.alerts if told.state == "firing"
    }
    over = Counter(
        (item.channel, told.alert_id) for item in timeline.stored for told in item.alerts if told.state == "resolved"
    )
    ended = {name for name, last in timeline.alerts.items() if last.state == "resolved"}
    assert over == Counter({(channel, name): 1 for channel, name in firing if name in ended})
    assert timeline.past.open_alerts() == {name for _, name in firing} - ended


@settings(max_examples=150, deadline=None)
@given(courses())
def test_messages_of_a_group_are_numbered_and_no_message_is_empty(course):
    route, events = course
    timeline = Timeline(route)
    timeline.run(events, LAST)
    numbers: Counter[tuple[str, str]] = Counter()
    for item in timeline.stored:
        numbers[item.channel, item.group_key] += 1
        assert item.number == numbers[item.channel, item.group_key]
        assert item.alerts
    assert len({item.id for item in timeline.stored}) == len(timeline.stored)


@settings(max_examples=150, deadline=None)
@given(courses())
def test_deciding_again_at_the_same_time_tells_nothing_more(course):
    route, events = course
    timeline = Timeline(route)
    timeline.run(events, LAST)
    timeline.tick(at(LAST))
    assert timeline.tick(at(LAST)) == []


@settings(max_examples=100, deadline=None)
@given(courses(), st.integers(1, 300))
def test_a_clock_that_goes_back_tells_no_end_and_no_repeat_twice(course, back):
    route, events = course
    timeline = Timeline(route)
    timeline.run(events, LAST)
    before = len(timeline.stored)
    timeline.tick(at(LAST) - timedelta(minutes=back))
    assert all(item.reason not in {"repeat", "resolved"} for item in timeline.stored[before:])


def test_a_thousand_alerts_cost_milliseconds():
    timeline = Timeline(ROUTES[2])
    services = [f"service-{number}" for number in range(200)]
    for number in range(1000):
        name = f"alert-{number}"
        timeline.alerts[name] = alert(name, 0, service=random.Random(number).choice(services))
    for number in range(20):
        timeline.silence(0, f"s{number}", f'service_name=~"nobody-{number}.*", severity="page"', 50)
    assert sum(len(item.alerts) for item in timeline.tick(at(1))) == 3000  # three channels
    started = time.process_time()
    assert timeline.tick(at(2)) == []
    assert time.process_time() - started < 1  # about 0.04 s on a free machine
