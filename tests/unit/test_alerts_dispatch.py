"""Timelines of what channels are told: each tells the exact minutes, channels, reasons and alerts."""

from dataclasses import replace

import pytest

from alerts.past import Past
from tests.unit.alert_timeline import Timeline

ALONE = "receiver: team, group_by: [slo_id]"
TOGETHER = "receiver: team, group_by: [service_name]"
AT_ONCE = f"{TOGETHER}, group_interval: 0s"
WAITING = f"{TOGETHER}, group_wait: 2m"
PAGES = """receiver: team, group_by: [service_name], routes: [
  {matchers: ['severity="page"'], receiver: oncall, continue: true},
  {matchers: ['severity=~"page|ticket"'], receiver: team}]"""
TICKET = {"severity": "ticket", "slo": "one"}
PAGE = {"severity": "page", "slo": "one"}
HOUR = 60

LIFE = {
    "an alert is told at once and its end after the group interval": (
        ALONE, 12, [(1, "fire", "a"), (3, "end", "a")],
        ["1 team/webhook-1 firing: a", "6 team/webhook-1 resolved:  / a"],
    ),
    "an end that comes after the group interval is told at once": (
        ALONE, 12, [(1, "fire", "a"), (8, "end", "a")],
        ["1 team/webhook-1 firing: a", "8 team/webhook-1 resolved:  / a"],
    ),
    "without a group interval everything is told at once": (
        AT_ONCE, 6, [(1, "fire", "a"), (2, "fire", "b"), (3, "end", "a"), (4, "end", "b")],
        ["1 team/webhook-1 firing: a", "2 team/webhook-1 more alerts: a b", "3 team/webhook-1 fewer alerts: b / a",
         "4 team/webhook-1 resolved:  / b"],
    ),
    "a pending alert is told only when it fires": (
        ALONE, 9, [(1, "pend", "a"), (4, "ripen", "a")], ["4 team/webhook-1 firing: a"],
    ),
    "an alert that ends while it is pending is never told": (ALONE, 9, [(1, "pend", "a"), (4, "end", "a")], []),
    "an alert that began and ended untold is not told": (ALONE, 9, [(2, "fire", "a"), (2, "end", "a")], []),
    "an alert that fires for days is told to a new channel": (
        ALONE, 2, [(0, "fire", "a"), (0, "route", "receiver: other"), (2, "route", "receiver: team")],
        ["0 other/webhook-1 firing: a", "2 team/webhook-1 firing: a"],
    ),
    "what ended before a channel was there is not told to it": (
        "receiver: other", 9, [(0, "fire", "a"), (2, "end", "a"), (3, "route", "receiver: team")], [
            "0 other/webhook-1 firing: a", "5 other/webhook-1 resolved:  / a",
        ],
    ),
    "the next episode of an alert is told at once, also within the group interval": (
        ALONE, 12, [(1, "fire", "a1", {"slo": "x"}), (6, "end", "a1"), (7, "fire", "a2", {"slo": "x"})],
        ["1 team/webhook-1 firing: a1", "6 team/webhook-1 resolved:  / a1", "7 team/webhook-1 firing: a2"],
    ),
}  # fmt: skip

GROUPS = {
    "alerts of one minute are one message": (TOGETHER, 3, [(1, "fire", "a", "b")], ["1 team/webhook-1 firing: a b"]),
    "alerts of other services are another message": (
        TOGETHER, 3, [(1, "fire", "a"), (1, "fire", "b", {"service": "pay"})],
        ["1 team/webhook-1 firing: b", "1 team/webhook-1 firing: a"],
    ),
    "what joins a group waits for the group interval and is told with the rest": (
        TOGETHER, 9, [(1, "fire", "a"), (2, "fire", "b"), (3, "fire", "c")],
        ["1 team/webhook-1 firing: a", "6 team/webhook-1 more alerts: a b c"],
    ),
    "what joins a group after the group interval is told at once": (
        TOGETHER, 9, [(1, "fire", "a"), (7, "fire", "b")],
        ["1 team/webhook-1 firing: a", "7 team/webhook-1 more alerts: a b"],
    ),
    "what joined and left within the group interval is not told": (
        TOGETHER, 9, [(1, "fire", "a"), (2, "fire", "b"), (4, "end", "b")], ["1 team/webhook-1 firing: a"],
    ),
    "one alert of two ends": (
        TOGETHER, 9, [(1, "fire", "a", "b"), (3, "end", "a")],
        ["1 team/webhook-1 firing: a b", "6 team/webhook-1 fewer alerts: b / a"],
    ),
    "one ends and another begins: one message tells both": (
        TOGETHER, 9, [(1, "fire", "a"), (2, "end", "a"), (3, "fire", "b")],
        ["1 team/webhook-1 firing: a", "6 team/webhook-1 more alerts: b / a"],
    ),
    "the first alert of a group waits for others": (
        WAITING, 9, [(1, "fire", "a"), (2, "fire", "b"), (4, "fire", "c")],
        ["3 team/webhook-1 firing: a b", "8 team/webhook-1 more alerts: a b c"],
    ),
    "an alert that ends while its group waits is not told": (WAITING, 9, [(1, "fire", "a"), (2, "end", "a")], []),
    "labels that are not there leave one group of everything": (
        "receiver: team, group_by: [nothing]", 3, [(1, "fire", "a"), (1, "fire", "b", {"service": "pay"})],
        ["1 team/webhook-1 firing: a b"],
    ),
    "three dots make a group of each alert": (
        "receiver: team, group_by: ['...']", 2, [(1, "fire", "a", "b")],
        ["1 team/webhook-1 firing: a", "1 team/webhook-1 firing: b"],
    ),
    "each channel of a receiver is told": (
        "receiver: oncall", 2, [(1, "fire", "a")], ["1 oncall/pagerduty-1 firing: a", "1 oncall/webhook-1 firing: a"],
    ),
    "continue tells two receivers": (
        PAGES, 2, [(1, "fire", "a")],
        ["1 oncall/pagerduty-1 firing: a", "1 oncall/webhook-1 firing: a", "1 team/webhook-1 firing: a"],
    ),
    "a channel that two routes lead to is told once": (
        "receiver: team, routes: [{receiver: team, continue: true, group_by: [slo_id]}, {receiver: team}]", 9,
        [(1, "fire", "a"), (7, "end", "a")],
        ["1 team/webhook-1 firing: a", "7 team/webhook-1 resolved:  / a"],
    ),
}  # fmt: skip

REPEATS = {
    "a group that still fires is told again after the repeat interval": (
        "receiver: team, repeat_interval: 30m", 70, [(1, "fire", "a")],
        ["1 team/webhook-1 firing: a", "31 team/webhook-1 repeat: a", "61 team/webhook-1 repeat: a"],
    ),
    "a change begins the repeat interval anew": (
        "receiver: team, repeat_interval: 30m", 50, [(1, "fire", "a"), (15, "fire", "b")],
        ["1 team/webhook-1 firing: a", "15 team/webhook-1 more alerts: a b", "45 team/webhook-1 repeat: a b"],
    ),
    "a repeat interval below the group interval is as long as that": (
        "receiver: team, group_interval: 10m, repeat_interval: 1m", 22, [(1, "fire", "a")],
        ["1 team/webhook-1 firing: a", "11 team/webhook-1 repeat: a", "21 team/webhook-1 repeat: a"],
    ),
    "what is acknowledged is not repeated, and its end is told": (
        "receiver: team, repeat_interval: 30m", 70, [(1, "fire", "a"), (5, "acknowledge", "a"), (50, "end", "a")],
        ["1 team/webhook-1 firing: a", "50 team/webhook-1 resolved:  / a"],
    ),
    "a group of which one is not acknowledged is repeated": (
        "receiver: team, repeat_interval: 30m", 40, [(1, "fire", "a", "b"), (5, "acknowledge", "a")],
        ["1 team/webhook-1 firing: a b", "31 team/webhook-1 repeat: a b"],
    ),
    "an acknowledged alert does not keep a new one from being told": (
        "receiver: team", 9, [(1, "fire", "a"), (2, "acknowledge", "a"), (3, "fire", "b")],
        ["1 team/webhook-1 firing: a", "6 team/webhook-1 more alerts: a b"],
    ),
    "who acknowledged before anybody was told does not keep the others from knowing": (
        WAITING, 9, [(1, "fire", "a"), (1, "acknowledge", "a")], ["3 team/webhook-1 firing: a"],
    ),
}  # fmt: skip

SILENCES = {
    "a silenced alert is told when its silence ends": (
        ALONE, 30, [(0, "silence", "s", "service_name=shop", 20), (1, "fire", "a")], ["20 team/webhook-1 firing: a"],
    ),
    "a silence that somebody ends early ends then": (
        ALONE, 30, [(0, "silence", "s", "service_name=shop", 20), (1, "fire", "a"), (9, "expire", "s")],
        ["9 team/webhook-1 firing: a"],
    ),
    "an alert that began and ended in silence is not told": (
        ALONE, 30, [(0, "silence", "s", "service_name=shop", 20), (1, "fire", "a"), (15, "end", "a")], [],
    ),
    "the end is told although it is silenced, since the beginning was": (
        ALONE, 30, [(1, "fire", "a"), (2, "silence", "s", "slo_id=slo-a", 25), (9, "end", "a")],
        ["1 team/webhook-1 firing: a", "9 team/webhook-1 resolved:  / a"],
    ),
    "a silence that ends while firing repeats nothing early": (
        f"{ALONE}, repeat_interval: 30m", 40, [(1, "fire", "a"), (2, "silence", "s", "slo_id=slo-a", 25)],
        ["1 team/webhook-1 firing: a", "31 team/webhook-1 repeat: a"],
    ),
    "a repeat that fell into a silence comes at its end": (
        f"{ALONE}, repeat_interval: 30m", 60, [(1, "fire", "a"), (2, "silence", "s", "slo_id=slo-a", 45)],
        ["1 team/webhook-1 firing: a", "45 team/webhook-1 repeat: a"],
    ),
    "a silence of one alert leaves the rest of its group": (
        TOGETHER, 30, [(0, "silence", "s", "slo_id=slo-a", 20), (1, "fire", "a", "b")],
        ["1 team/webhook-1 firing: b", "20 team/webhook-1 more alerts: a b"],
    ),
    "an alert that a message left out in silence is told again at the silence's end": (
        TOGETHER, 30, [(1, "fire", "a", "b"), (2, "silence", "s", "slo_id=slo-a", 20), (7, "end", "b")],
        ["1 team/webhook-1 firing: a b", "7 team/webhook-1 resolved:  / b", "20 team/webhook-1 firing: a"],
    ),
    "a silence with other matchers changes nothing": (
        ALONE, 9, [(0, "silence", "s", "service_name=pay", 20), (1, "fire", "a")], ["1 team/webhook-1 firing: a"],
    ),
}  # fmt: skip

INHIBITION = {
    "a page inhibits the ticket of its objective until it ends": (
        ALONE, 30, [(1, "fire", "p", PAGE), (2, "fire", "t", TICKET), (9, "end", "p")],
        ["1 team/webhook-1 firing: p", "9 team/webhook-1 more alerts: t / p"],
    ),
    "a ticket that was told stays told while a page fires, and its end is told": (
        "receiver: team, group_by: [severity]", 30,
        [(1, "fire", "t", TICKET), (3, "fire", "p", PAGE), (9, "end", "t"), (12, "end", "p")],
        ["1 team/webhook-1 firing: t", "3 team/webhook-1 firing: p", "9 team/webhook-1 resolved:  / t",
         "12 team/webhook-1 resolved:  / p"],
    ),
    "a page inhibits no ticket of another objective": (
        "receiver: team, group_by: [severity]", 3, [(1, "fire", "p", PAGE), (1, "fire", "t", TICKET | {"slo": "two"})],
        ["1 team/webhook-1 firing: p", "1 team/webhook-1 firing: t"],
    ),
    "a page that is pending inhibits nothing": (
        "receiver: team, group_by: [severity]", 9,
        [(1, "pend", "p"), (1, "fire", "t", TICKET | {"slo": "slo-p"}), (7, "ripen", "p")],
        ["1 team/webhook-1 firing: t", "7 team/webhook-1 firing: p"],
    ),
    "a silenced page inhibits still": (
        ALONE, 9, [(0, "silence", "s", "severity=page", 8), (1, "fire", "p", PAGE), (1, "fire", "t", TICKET)],
        ["8 team/webhook-1 firing: p"],
    ),
    "a ticket that ends while it is inhibited is not told": (
        "receiver: team, group_by: [severity]", 30,
        [(1, "fire", "p", PAGE), (2, "fire", "t", TICKET), (9, "end", "t"), (12, "end", "p")],
        ["1 team/webhook-1 firing: p", "12 team/webhook-1 resolved:  / p"],
    ),
    "a page that repeats leaves the ticket inhibited": (
        "receiver: team, group_by: [severity], repeat_interval: 30m", 40,
        [(1, "fire", "p", PAGE), (2, "fire", "t", TICKET)],
        ["1 team/webhook-1 firing: p", "31 team/webhook-1 repeat: p"],
    ),
}  # fmt: skip

CHANGES = {
    "other groups in the configuration repeat nothing early and end what was begun": (
        f"{TOGETHER}, repeat_interval: 30m", 60,
        [(1, "fire", "a", "b"), (5, "route", f"{ALONE}, repeat_interval: 30m"), (50, "end", "a"), (52, "end", "b")],
        ["1 team/webhook-1 firing: a b", "31 team/webhook-1 repeat: a b", "50 team/webhook-1 fewer alerts: b / a",
         "55 team/webhook-1 resolved:  / b"],
    ),
    "what fires after the change is told in the new groups": (
        TOGETHER, 9, [(1, "fire", "a"), (2, "route", ALONE), (3, "fire", "b")],
        ["1 team/webhook-1 firing: a", "3 team/webhook-1 firing: b"],
    ),
    "a channel that no route leads to any more is told of the end": (
        "receiver: other, repeat_interval: 30m", 60,
        [(1, "fire", "a"), (5, "route", "receiver: team"), (50, "end", "a")],
        ["1 other/webhook-1 firing: a", "5 team/webhook-1 firing: a",
         "50 other/webhook-1 resolved:  / a", "50 team/webhook-1 resolved:  / a"],
    ),
    "a restart changes nothing": (
        "receiver: team, group_by: [service_name], repeat_interval: 30m", 60,
        [(1, "fire", "a"), (2, "restart"), (3, "fire", "b"), (20, "restart"), (50, "end", "a"), (51, "restart")],
        ["1 team/webhook-1 firing: a", "6 team/webhook-1 more alerts: a b", "36 team/webhook-1 repeat: a b",
         "50 team/webhook-1 fewer alerts: b / a"],
    ),
    "an alert of which nothing is known any more stops being repeated": (
        "receiver: team, repeat_interval: 30m", 60, [(1, "fire", "a"), (9, "forget", "a")],
        ["1 team/webhook-1 firing: a"],
    ),
    "labels that make no sense do not keep an alert from being told": (
        "receiver: team, routes: [{receiver: other, matchers: ['service_name=shop']}]", 2,
        [(1, "fire", "a", {"labels": (("team", "pay"), ("bad-name", "x"))})], ["1 other/webhook-1 firing: a"],
    ),
    "a rule's labels lead to the receiver": (
        "receiver: team, routes: [{receiver: other, matchers: ['team=pay']}]", 2,
        [(1, "fire", "a", {"labels": (("team", "pay"),)})], ["1 other/webhook-1 firing: a"],
    ),
}  # fmt: skip

TIMELINES = LIFE | GROUPS | REPEATS | SILENCES | INHIBITION | CHANGES


@pytest.mark.parametrize(("route", "minutes", "events", "expected"), TIMELINES.values(), ids=list(TIMELINES))
def test_timeline(route, minutes, events, expected):
    assert Timeline(route).run(events, minutes) == expected


def test_there_are_as_many_timelines_as_names():
    assert len(TIMELINES) == sum(map(len, (LIFE, GROUPS, REPEATS, SILENCES, INHIBITION, CHANGES))) >= 30


def test_of_two_routes_to_a_channel_the_first_makes_the_group():
    timeline = Timeline(
        "receiver: team, routes: [{receiver: team, continue: true, group_by: [slo_id]}, {receiver: team, group_by: []}]"
    )
    timeline.run([(1, "fire", "a")], 2)
    assert [item.group_labels for item in timeline.stored] == [(("slo_id", "slo-a"),)]


def test_after_a_change_of_groups_a_message_has_the_labels_of_the_group_that_it_is_about():
    timeline = Timeline(TOGETHER)
    timeline.run([(1, "fire", "a"), (2, "route", ALONE), (3, "end", "a")], 9)
    begun, over = timeline.stored
    assert over.group_key == begun.group_key
    assert over.group_labels == begun.group_labels == (("service_name", "shop"),)


def test_a_test_message_takes_a_number_and_tells_of_no_alert():
    timeline = Timeline(ALONE)
    timeline.run([(1, "fire", "a")], 1)
    (begun,) = timeline.stored
    tested = replace(begun, number=2, reason="test")
    past = Past.of([tested, begun])
    assert past.groups[begun.channel, begun.group_key] == replace(
        timeline.past.groups[begun.channel, begun.group_key], number=2
    )
    assert Past.of([replace(begun, reason="test")]).open_alerts() == frozenset()
    assert past.open_alerts() == {"a"}
