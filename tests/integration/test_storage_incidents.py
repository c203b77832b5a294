"""Notes on incidents, last transitions of episodes, and the health of channels, over the real engine."""

from datetime import timedelta

from alerts.transition import Transition
from storage.alert_episodes import episodes
from storage.channel_health import channel_health
from storage.incident_notes import IncidentNoteRow, add_incident_note, incident_notes
from tests.integration.alert_past import ago, firing, resolved, store, tell

SECOND = timedelta(seconds=1)


def test_notes_are_read_oldest_first_of_some_incidents_or_of_all(database):
    late, early = IncidentNoteRow("a", ago(1), "ann", "later"), IncidentNoteRow("a", ago(5), "bob", "it's 'quoted'\n")
    other = IncidentNoteRow("b", ago(3), "ann", "other")
    for note in (late, early, other):
        add_incident_note(database, note)
    assert incident_notes(database) == [early, other, late]
    assert incident_notes(database, incident_ids=["a"]) == [early, late]
    assert incident_notes(database, incident_ids=[]) == []
    assert incident_notes(database, since=other.at) == [other, late]


def test_an_episode_is_its_last_transition_if_it_changed_lately_or_has_not_ended(database):
    past, recent, old = resolved("past", ago(90), ago(60)), resolved("recent", ago(90), ago(10)), firing("old", ago(99))
    store(database, *past, *recent, old)
    assert [Transition.from_json(body) for body in episodes(database, since=ago(30))] == [old, recent[1]]
    assert len(episodes(database, since=ago(70))) == 3


def test_the_last_success_and_the_last_failure_of_a_channel_are_known(database):
    first, second = firing("a", ago(9)), firing("b", ago(5))
    tell(database, first, "failed", "sent")
    tell(database, second, "failed", "failed")
    tell(database, second, "sent", channel="team/slack-1")
    found = channel_health(database)
    assert list(found) == ["oncall/pagerduty-1", "team/slack-1"]
    page, slack = found.values()
    assert (page.last_success_at, page.last_failure_at) == (first.at + 2 * SECOND, second.at + 2 * SECOND)
    assert (page.last_error, slack.last_error) == ("HTTP 503", "")
    assert (slack.last_success_at, slack.last_failure_at) == (second.at + SECOND, None)
