"""Windows over stored minutes at any moment, by hours and minutes, against sums in Python."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from slo.model import EventCounts
from storage import sli_minutes
from storage.migrate import load_migrations, migrate
from storage.sli_minutes import SliMinute, steps, sum_newest_hours, windows, write_minutes
from storage.sli_sums import OTHER, event_sums, group_sums
from tests.integration.sli_rows import with_wholes

pytestmark = pytest.mark.slow

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
END = datetime(2026, 3, 2, 7, 23, tzinfo=UTC)


def some_minutes(rng, *, series=(1, 2, 3), groups=("",), count=400, reach=40 * DAY):
    """Return minutes before END, dense at the end and thin before, each at most once."""
    found = {}
    for _ in range(count):
        back = rng.choice([200, 3000, reach // MINUTE])
        minute = END + 5 * MINUTE - rng.randrange(back) * MINUTE
        key = rng.choice(series), rng.choice(groups), minute
        good = rng.randrange(50)
        found[key] = SliMinute(key[0], minute, good, good + rng.choice([0, 0, 1, 7]), seen=3, group=key[1])
    return with_wholes(found.values())


def sums(minutes, series, start, end, group=""):
    inside = [m for m in minutes if m.series == series and start <= m.minute < end and m.group == group]
    return EventCounts(sum(m.good for m in inside), sum(m.total for m in inside))


def in_batches(database, minutes, rng):
    """Write *minutes* in a random order and in several batches, as late data would come."""
    shuffled = rng.sample(minutes, len(minutes))
    for number in range(4):
        write_minutes(database, shuffled[number::4], revision=10 + number)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_window_is_the_sum_of_its_minutes_wherever_it_begins_and_ends(database, seed):
    rng = random.Random(seed)
    minutes = some_minutes(rng)
    in_batches(database, minutes, rng)
    for end in (END, END.replace(minute=0), END + 37 * MINUTE, END - 9 * DAY):
        lengths = [MINUTE, 23 * MINUTE, HOUR, 83 * MINUTE, 6 * HOUR, DAY, 3 * DAY, 30 * DAY, 39 * DAY + 7 * MINUTE]
        found = windows(database, [1, 2, 3, 4], lengths, end=end)
        for series in (1, 2, 3, 4):
            assert found[series].counts == {length: sums(minutes, series, end - length, end) for length in lengths}, (
                series,
                end,
            )


def test_the_first_minute_is_the_first_ever_that_held_events_and_known_at_the_end(database):
    """A calendar window that began this morning is covered when the series is older."""
    rows = [SliMinute(1, END - 90 * DAY, 0, 0, 0), SliMinute(1, END - 60 * DAY, 1, 1, 1), SliMinute(1, END, 1, 1, 1)]
    write_minutes(database, rows, revision=1)
    assert windows(database, [1], [HOUR], end=END)[1].first_minute == END - 60 * DAY
    assert windows(database, [1], [HOUR], end=END - 60 * DAY)[1].first_minute is None
    assert windows(database, [1], [HOUR], end=END - 60 * DAY + MINUTE)[1].first_minute == END - 60 * DAY
    write_minutes(database, [SliMinute(1, END - 70 * DAY, 0, 4, 4)], revision=2)
    assert windows(database, [1], [HOUR], end=END)[1].first_minute == END - 70 * DAY, "late data moves it back"


def test_hours_follow_their_minutes_through_corrections(database):
    at = END - 30 * DAY
    for revision, good in ((5, 50), (9, 90), (7, 70)):
        write_minutes(database, [SliMinute(1, at, good, 100, 100)], revision=revision)
    write_minutes(database, [SliMinute(1, at + MINUTE, 1, 2, 2)], revision=6)
    assert windows(database, [1], [40 * DAY], end=END)[1].counts == {40 * DAY: EventCounts(91, 102)}
    (row,) = hours(database)
    assert row == (1, "", at.replace(minute=0), 91, 11, 102, 2, at, 9)


def test_a_process_that_ended_before_it_summed_the_hours_is_healed_by_the_next(database, monkeypatch):
    at = END - 10 * DAY
    write_minutes(database, [SliMinute(1, at, 5, 5, 5), SliMinute(2, at, 6, 6, 6)], revision=1_000)
    counted_anew = [SliMinute(1, at, 7, 9, 9), SliMinute(3, at, 1, 1, 1)]
    with monkeypatch.context() as patch:
        patch.setattr(type(database), "command", killed)
        with pytest.raises(KeyboardInterrupt):
            write_minutes(database, counted_anew, revision=2_000)
    assert sli_minutes.last_write(database) == datetime.fromtimestamp(1, UTC), "what is not summed counts as not done"
    assert windows(database, [1], [11 * DAY], end=END)[1].counts[11 * DAY] == EventCounts(5, 5)
    sum_newest_hours(database)
    found = windows(database, [1, 2, 3], [11 * DAY], end=END)
    assert [found[series].counts[11 * DAY].total for series in (1, 2, 3)] == [9, 6, 1]
    assert sli_minutes.last_write(database) == datetime.fromtimestamp(2, UTC)
    before = hours(database)
    sum_newest_hours(database)
    assert hours(database) == before


def killed(*_):
    raise KeyboardInterrupt


def test_minutes_from_before_there_were_hours_are_summed_at_the_start(database):
    minutes = some_minutes(random.Random(3))
    write_minutes(database, minutes, revision=1)
    database.command("TRUNCATE TABLE sli_hours")
    assert sli_minutes.last_write(database) is None
    sum_newest_hours(database)
    assert windows(database, [1], [39 * DAY], end=END)[1].counts[39 * DAY] == sums(minutes, 1, END - 39 * DAY, END)


def test_the_minutes_of_the_old_layout_move_to_the_new_one_with_their_latest_revision(empty_database):
    every = load_migrations()
    move = next(migration for migration in every if migration.name.endswith("create_sli_minutes_by_hour"))
    migrate(empty_database, [migration for migration in every if migration is not move])
    columns = ["series", "grp", "minute", "good", "bad", "seen", "source", "revision"]
    for revision in (1, 2):
        rows = [(1, "", END + n * MINUTE, revision * n, n, 5, "rollup", revision) for n in range(100)]
        empty_database.insert("sli_minutes", rows, columns)
    migrate(empty_database, every)
    with empty_database.client() as client:
        totals = client.query(
            "SELECT count(), sum(good), sum(bad), sum(seen), any(source) FROM sli_minutes"
        ).result_rows
    assert totals == [(100, 2 * sum(range(100)), sum(range(100)), 500, "rollup")]
    sum_newest_hours(empty_database)
    assert windows(empty_database, [1], [DAY], end=END + DAY)[1].counts[DAY].good == 2 * sum(range(100))


def test_series_stand_as_wholes_and_their_groups_for_themselves_where_asked(database):
    rng = random.Random(4)
    names = ('{"http.route":"/pay"}', '{"http.route":"/\\"q\\\\\'"}', '{"a":"žluť","b":"1"}')
    minutes = some_minutes(rng, groups=names, reach=5 * DAY)
    in_batches(database, minutes, rng)
    lengths = [HOUR, 4 * DAY]
    found = windows(database, [1, 2, 9], lengths, end=END, grouped=[1, 9])
    for series in (1, 2):
        assert found[series].counts == {length: sums(minutes, series, END - length, END) for length in lengths}
    for name in names:
        assert found[1].groups[name] == {length: sums(minutes, 1, END - length, END, name) for length in lengths}
    assert set(found[1].groups) == set(names)
    assert (found[2].groups, found[9].groups) == ({}, {})
    assert found[9].counts == dict.fromkeys(lengths, EventCounts(0, 0))


def test_the_fifty_worst_groups_stand_for_themselves_and_the_others_for_one(database):
    rows = [
        SliMinute(1, END - (1 + n % 7) * HOUR, good=100, total=100 + (n * 37) % 80, seen=1, group=f'{{"g":"{n}"}}')
        for n in range(80)
    ]
    write_minutes(database, rows, revision=1)
    groups = group_sums(database, [1], [END - DAY, END - 3 * HOUR, END])[1]
    bad = Counter({row.group: row.total - row.good for row in rows})
    worst = {name for name, _ in bad.most_common(50)}
    assert set(groups) == {*worst, OTHER}
    for start in (END - DAY, END - 3 * HOUR):
        rest = [row for row in rows if row.group not in worst and row.minute >= start]
        assert groups[OTHER].between(start, END) == EventCounts(sum(r.good for r in rest), sum(r.total for r in rest))
    assert sum(each.between(END - DAY, END).total for each in groups.values()) == sum(row.total for row in rows)


def test_sums_stop_where_they_were_asked_to_and_nowhere_else(database):
    minutes = some_minutes(random.Random(5))
    write_minutes(database, minutes, revision=1)
    moments = [END - 9 * DAY, END - 2 * HOUR, END - 7 * MINUTE, END]
    found = event_sums(database, [1, 5], moments)
    for start, end in ((0, 1), (1, 2), (2, 3), (0, 3), (1, 1)):
        expected = sums(minutes, 1, moments[start], moments[end])
        assert found[1].between(moments[start], moments[end]) == expected
        assert found[5].between(moments[start], moments[end]) == EventCounts(0, 0)
    with pytest.raises(KeyError):
        found[1].between(END - 8 * DAY, END)
    assert event_sums(database, [], moments) == {}


@pytest.mark.parametrize("step_s", [60, 240, 3600, 7200, 86400])
def test_steps_are_sums_of_minutes_also_where_they_come_from_hours(database, step_s):
    minutes = [m for m in some_minutes(random.Random(6), reach=9 * DAY) if m.total]
    write_minutes(database, minutes, revision=1)
    start = END - 8 * DAY
    expected = Counter(), Counter()
    for m in minutes:
        if m.series == 2 and start <= m.minute < END:
            at = int(m.minute.timestamp()) // step_s * step_s
            expected[0][at] += m.good
            expected[1][at] += m.total - m.good
    found = steps(database, 2, start=start, end=END, step_s=step_s)
    assert [(int(step.at.timestamp()), step.good, step.bad) for step in found] == [
        (at, good, expected[1][at]) for at, good in sorted(expected[0].items())
    ]


def hours(database):
    with database.client() as client:
        query = (
            "SELECT series, grp, hour, good, bad, seen, minutes, first, revision FROM sli_hours FINAL ORDER BY 1, 2, 3"
        )
        return [tuple(row) for row in client.query(query, tz_mode="aware", query_tz="UTC").result_rows]
