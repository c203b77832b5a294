"""What holds for every history of an alert: restarts, repeated ticks and clocks that go back change nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from alerts.decide import decide
from alerts.flapping import CALM_FOR, FLAPPING_FIRINGS, FLAPPING_WITHIN
from alerts.signal import AlertSignal
from alerts.timing import AlertTiming
from alerts.transition import AlertDetails, Transition

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Said(AlertSignal):
    """A signal that says what it is told to."""

    verdict: str
    rule = "checkout"
    severity = "page"
    slo_id = "checkout"
    service = "checkout"
    environment = "prod"
    labels = (("team", "shop"),)

    @property
    def met(self):
        return self.verdict == "met"

    @property
    def clear(self):
        return self.verdict == "clear"

    def firing_summary(self):
        return "checkout fails"

    def resolved_summary(self):
        return "checkout works"

    def details(self):
        return AlertDetails("SLOErrorBudgetBurn", "checkout")


minutes = st.integers(0, 4).map(lambda count: count * MINUTE)
timings = st.builds(AlertTiming, minutes, minutes)
verdicts = st.sampled_from(["met", "clear", "unknown"])
# long enough for an alert to flap, to calm down and to flap again
histories = st.lists(st.tuples(verdicts, st.integers(1, 20)), max_size=30).map(
    lambda runs: [verdict for verdict, count in runs for _ in range(count)]
)


def lived(history, timing, restarted=()):
    """Return the transitions of ticks once a minute; after those in *restarted*, memory is what was stored as text."""
    last, found = None, []
    for number, verdict in enumerate(history):
        change = decide(last, Said(verdict), START + number * MINUTE, timing)
        if change is not None:
            found.append(change)
            last = change
        if number in restarted and last is not None:
            last = Transition.from_json(last.to_json())
    return found


@given(histories, timings, st.sets(st.integers(0, 600)))
def test_a_restart_after_any_tick_is_no_restart(history, timing, restarted):
    assert lived(history, timing, restarted) == lived(history, timing)


@given(histories, timings)
def test_the_same_ticks_once_more_change_nothing(history, timing):
    stored = lived(history, timing)
    last = stored[-1] if stored else None
    for number, verdict in enumerate(history):
        assert decide(last, Said(verdict), START + number * MINUTE, timing) is None


@given(histories, timings, st.data())
def test_a_clock_that_goes_back_changes_nothing_whatever_is_seen_then(history, timing, data):
    stored = lived(history, timing)
    if stored:
        back = stored[-1].at - data.draw(st.integers(0, 10_000)) * MINUTE
        assert decide(stored[-1], Said(data.draw(verdicts)), back, timing) is None


@given(histories, timings)
def test_without_data_nothing_ever_changes(history, timing):
    for last in [None, *lived(history, timing)]:
        assert decide(last, Said("unknown"), START + timedelta(days=9), timing) is None


@given(histories, timings)
def test_waits_are_kept_to_the_minute(history, timing):
    for before, after in pairwise([None, *lived(history, timing)]):
        if after.state == "firing" and after.changes_state:
            waited = after.at - after.started_at
            assert waited >= timing.pending_for
            assert waited == timedelta(0) or before.state == "pending"
        if after.state == "resolved" and before.state == "firing":
            wait = max(timing.keep_firing_for, CALM_FOR) if before.flapping else timing.keep_firing_for
            assert before.clear_since is not None or wait == timedelta(0)
            assert after.at - (before.clear_since or after.at) >= wait
            assert after.clear_since is None


@given(histories, timings)
def test_an_alert_flaps_from_the_fourth_firing_within_an_hour_on(history, timing):
    stored = lived(history, timing)
    fired = [item.at for item in stored if item.state == "firing" and item.changes_state]
    for item in stored:
        if item.fired_at is None:
            continue
        lately = tuple(at for at in fired if timedelta(0) <= item.fired_at - at <= FLAPPING_WITHIN)
        assert item.firings == lately
        assert item.flapping == (len(lately) >= FLAPPING_FIRINGS)
        if item.state == "firing":
            told = f"checkout fails; flapping: fired {len(lately)} times in the last hour"
            assert item.summary == (told if item.flapping else "checkout fails")


@given(histories, timings)
def test_labels_of_the_rule_are_those_of_its_alerts(history, timing):
    assert all(item.labels == (("team", "shop"),) for item in lived(history, timing))


def test_an_alert_that_waits_keeps_what_it_said_when_it_fired():
    fired, waits, resumed = lived(["met", "clear", "met"], AlertTiming(keep_firing_for=5 * MINUTE))
    assert {item.summary for item in (fired, waits, resumed)} == {"checkout fails"}
    assert {item.fired_at for item in (fired, waits, resumed)} == {START}
    assert (waits.clear_since, resumed.clear_since) == (START + MINUTE, None)
