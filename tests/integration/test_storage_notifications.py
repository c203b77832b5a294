"""Notifications and what came of them, over the real engine."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from storage.append_log import last_batch
from storage.delivery_attempts import AttemptRow, delivered_alerts, delivery_log, store_attempts
from storage.notifications import NotificationRow, append_notifications, notifications, told_transitions, unsettled
from storage.transitions import TransitionRow, append_transitions

NOW = datetime.now(UTC).replace(microsecond=123_000)
EARLIER = NOW - timedelta(days=1)
SECOND = timedelta(seconds=1)


def notification(number=1, *, channel="team/slack-1", group="shop", at=NOW, firing=("a-1",), resolved=()):
    body = f"{channel} {group} {number}"
    return NotificationRow(f"{channel}-{group}-{number}", channel, group, number, at, firing, resolved, body)


def append(database, *rows, writer="one", now=NOW):
    after = last_batch(database, "notifications")
    return append_notifications(database, rows, writer=writer, after=after, now=now)


def attempt(row, status, number=1, *, error="", at=NOW):
    return AttemptRow(row.id, number, row.channel, status, error, at, 12)


def test_of_two_evaluators_that_decided_on_the_same_past_one_stores_its_notifications(database):
    ours, theirs = notification(), notification(group="other")
    assert append_notifications(database, [ours], writer="one", after=0, now=NOW)
    assert not append_notifications(database, [theirs], writer="two", after=0, now=NOW)
    assert notifications(database, since=EARLIER) == [ours.body]


def test_notifications_are_read_oldest_first_and_only_those_behind_the_batch_that_is_known(database):
    first, second, third = (notification(number, at=NOW + number * SECOND) for number in (1, 2, 3))
    append(database, second, first)
    append(database, third)
    assert notifications(database, since=EARLIER) == [first.body, second.body, third.body]
    assert notifications(database, since=EARLIER, after=1) == [third.body]


def test_the_last_number_of_a_group_is_known_however_old_it_is(database):
    long_ago = NOW - timedelta(days=300)
    append(database, notification(1, at=long_ago), notification(2, at=long_ago + SECOND), now=long_ago)
    assert notifications(database, since=EARLIER) == ["team/slack-1 shop 2"]


def test_what_was_neither_sent_nor_given_up_is_unsettled_with_its_owner_and_attempts(database):
    rows = [notification(number) for number in (1, 2, 3, 4)]
    append(database, *rows)
    sent, dead, failed, untried = rows
    store_attempts(
        database,
        [
            attempt(sent, "failed", 1),
            attempt(sent, "sent", 2),
            attempt(dead, "dead"),
            attempt(failed, "failed", 1),
            attempt(failed, "failed", 2),
        ],
    )
    found = unsettled(database, since=EARLIER)
    assert [(item.row, item.writer, item.attempts) for item in found] == [(failed, "one", 2), (untried, "one", 0)]


def test_a_notification_that_is_taken_over_is_one_notification_of_its_new_owner(database):
    row = notification()
    append(database, row, writer="dead")
    assert append(database, row, writer="heir")
    (found,) = unsettled(database, since=EARLIER)
    assert (found.row, found.writer) == (row, "heir")
    assert notifications(database, since=EARLIER) == [row.body]


def test_of_two_that_take_over_the_same_notification_one_gets_it(database):
    row = notification()
    append(database, row, writer="dead")
    won = [append_notifications(database, [row], writer=heir, after=1, now=NOW) for heir in ("left", "right")]
    assert won == [True, False]
    assert [item.writer for item in unsettled(database, since=EARLIER)] == ["left"]


def test_each_groups_notifications_come_in_the_order_of_their_numbers(database):
    rows = [notification(number, group=group) for number in (10, 9, 2) for group in ("b", "a")]
    append(database, *rows)
    found = [(item.row.group_key, item.row.number) for item in unsettled(database, since=EARLIER)]
    assert found == [("a", 2), ("a", 9), ("a", 10), ("b", 2), ("b", 9), ("b", 10)]


def test_the_delivery_log_of_an_alert_has_all_attempts_of_what_told_of_it_newest_first(database):
    begun = notification(1)
    ended = notification(2, firing=(), resolved=("a-1",), at=NOW + SECOND)
    other = notification(1, group="other", firing=("b-1",))
    append(database, begun, ended, other)
    store_attempts(
        database,
        [
            attempt(begun, "failed", 1, error="503"),
            attempt(begun, "sent", 2, at=NOW + SECOND),
            attempt(ended, "sent", 1, at=NOW + 2 * SECOND),
            attempt(other, "sent", 1),
        ],
    )
    found = delivery_log(database, since=EARLIER, alert_id="a-1")
    assert [(item.number, item.attempt, item.status, item.error, item.took_ms) for item in found] == [
        (2, 1, "sent", "", 12),
        (1, 2, "sent", "", 12),
        (1, 1, "failed", "503", 12),
    ]
    assert found[0].resolved == ("a-1",)
    assert len(delivery_log(database, since=EARLIER, alert_id="a-1", limit=1)) == 1


def test_the_delivery_log_of_a_channel_has_what_went_through_it(database):
    slack, mail = notification(), notification(channel="team/email-1")
    append(database, slack, mail)
    store_attempts(database, [attempt(slack, "sent"), attempt(mail, "dead", error="550")])
    assert [item.error for item in delivery_log(database, since=EARLIER, channel="team/email-1")] == ["550"]


def test_a_takeover_shows_each_attempt_once(database):
    row = notification()
    append(database, row, writer="dead")
    append(database, row, writer="heir")
    store_attempts(database, [attempt(row, "sent")])
    assert len(delivery_log(database, since=EARLIER)) == 1


def test_an_alert_was_delivered_when_a_message_that_told_of_it_was_sent(database):
    told, failed = notification(firing=("a-1",), resolved=("a-0",)), notification(group="other", firing=("b-1",))
    append(database, told, failed)
    store_attempts(database, [attempt(told, "sent"), attempt(failed, "failed")])
    assert delivered_alerts(database, since=EARLIER) == {"a-1", "a-0"}


def test_an_endless_error_is_cut(database):
    row = notification()
    append(database, row)
    store_attempts(database, [attempt(row, "failed", error="x" * 100_000)])
    assert delivery_log(database, since=EARLIER)[0].error == "x" * 1000


def test_no_attempts_are_no_insert(database):
    store_attempts(database, [])
    assert delivery_log(database, since=EARLIER) == []


def test_the_transitions_of_many_alerts_are_found_in_few_questions(database):
    row = TransitionRow("it's-1", 1, "a", "page", "firing", NOW, "told")
    rows = [row, replace(row, alert_id="z-1", body="not asked for")]
    append_transitions(database, rows, writer="me", after=0, now=NOW)
    ids = [*(f"alert-{number}" for number in range(500)), "it's-1"]
    assert told_transitions(database, ids) == ["told"]
    assert told_transitions(database, []) == []
