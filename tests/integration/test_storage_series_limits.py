"""A service that puts ids into attributes of metrics does not make a series of every point, and no total is wrong."""

import logging
import math
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from collector.intake import Intake
from collector.self_metrics import SelfMetrics
from ninelives.compose import limit_cardinality
from ninelives.reporting import build_reporter
from ninelives.settings import load_settings
from storage.caches import caches
from storage.exemplars import exemplars
from storage.metric_query import MetricQuery, nanoseconds
from storage.metric_series import metric_series
from storage.metrics import metric_names
from storage.series_limits import limit_series, limited_series

pytestmark = pytest.mark.slow

CUMULATIVE, DELTA = 2, 1
SECOND = 1_000_000_000
END = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2)
START = END - timedelta(minutes=10)
T0 = nanoseconds(START)
OVERFLOW = {"otel.metric.overflow": "__other__"}
TABLES = ("metric_points", "metric_histograms", "metric_exponential_histograms", "metric_summaries", "exemplars")
BOUNDS = [0.1, 0.5, 1.0]


def at(seconds):
    return T0 + round(seconds * SECOND)


def points(otlp, users, *seconds, length=None, **fields):
    """Return a point of each of *users* at each of *seconds*; its start is *length* seconds before, or one for all.

    As in an SDK's export, points of one time have one start.
    """
    return [
        otlp.point(
            at(second),
            start_ns=at(-60 if length is None else second - length),
            attributes={"user": user},
            **({"as_int": 1} | fields),
        )
        for user in users
        for second in seconds
    ]


def delta(otlp, users, *seconds, name="clicks", **identity):
    """Return a request with a delta of 1, over half a minute, for each of *users* at each of *seconds*."""
    found = points(otlp, users, *(seconds or (60,)), length=30)
    return otlp.metric(name, "sum", *found, aggregation_temporality=DELTA, is_monotonic=True, **identity)


def scalar(database, sql):
    with database.client() as client:
        return client.query(sql).first_row[0]


def series_of(database, service="leaky"):
    """Return how many series a service has, without those that are what overflowed."""
    return scalar(
        database, f"SELECT uniqExact(series_id) FROM metric_series WHERE service = '{service}' AND origin_id != 0"
    )


def ask(database, metric, **options):
    kind = metric_names(database, now=datetime.now(UTC), metric=metric)[0]
    return metric_series(database, MetricQuery(kind, START, END, 60, **{"limit": 200} | options))


def total(answer):
    return sum(step.increase for series in answer.series for step in series.steps)


def by_user(answer):
    return {series.labels["user"]: [step.value for step in series.steps] for series in answer.series}


@pytest.fixture
def limited(database, store, otlp):
    """A database in which `leaky` of `prod` has 20 series of clicks, users 0 to 19, and is limited to 10."""
    store(database, delta(otlp, range(20), service="leaky"), signal="metrics")
    assert limit_series(database, limit=10, now=datetime.now(UTC)) == ["leaky"]
    return database


def test_known_series_go_on_and_new_ones_become_one_and_totals_stay_exact(limited, store, otlp):
    assert limit_series(limited, limit=10, now=datetime.now(UTC)) == [], "it is limited already"
    for second, first in ((120, 0), (180, 10), (240, 1000)):
        store(limited, delta(otlp, range(first, first + 20), second, service="leaky"), signal="metrics")
    assert series_of(limited) == 20
    assert scalar(limited, "SELECT count() FROM metric_series WHERE origin_id = 0") == 1, "one, however many inserts"
    (found,) = limited_series(limited, now=datetime.now(UTC))
    assert (found.service, found.environment, found.series, found.overflowing) == ("leaky", "prod", 20, True)
    answer = ask(limited, "clicks")
    apart = {str(series.labels.get("user")): sum(step.increase for step in series.steps) for series in answer.series}
    other = [series for series in answer.series if "user" not in series.labels]
    assert apart["5"] == 2, "a known series has its points from before and after"
    assert [sum(step.increase for step in series.steps) for series in other] == [10 + 20]
    assert other[0].labels == {**OVERFLOW, "service": "leaky", "environment": "prod", "service.instance.id": ""}
    assert total(answer) == 20 + 20 * 3
    assert answer.overflow_points == 30
    assert "30 points are of series beyond their service's limit: they are counted together" in answer.warnings[-1]


def test_everything_together_and_every_group_add_up_to_what_was_sent(limited, store, otlp):
    store(limited, delta(otlp, range(10, 40), 120, 180, service="leaky"), signal="metrics")
    assert total(ask(limited, "clicks", group_by=())) == 20 + 60
    groups = {series.labels["user"]: series for series in ask(limited, "clicks", group_by=("user",)).series}
    assert sum(step.increase for step in groups.pop("__other__").steps) == 40
    assert set(groups) == {str(user) for user in range(20)}
    only = ask(limited, "clicks", attributes=(("user", "15"),))
    assert (total(only), only.overflow_points) == (1 + 2, 40)


def test_late_and_equal_points_of_what_overflowed_count_too(limited, store, otlp):
    """Series of many processes have many starts: a start before that of the point before is no repetition."""
    for user in range(4):
        point = otlp.point(at(120), start_ns=at(110 - 10 * user), attributes={"user": 100 + user}, as_int=3)
        body = otlp.metric(
            "clicks", "sum", point, point, service="leaky", aggregation_temporality=DELTA, is_monotonic=True
        )
        store(limited, body, signal="metrics")
    (other,) = [
        item for item in ask(limited, "clicks", group_by=("user",)).series if item.labels["user"] == "__other__"
    ]
    assert sum(step.increase for step in other.steps) == pytest.approx(4 * 2 * 3)


def explicit(otlp, user, counts):
    named = {"user": user}
    fields = {"count": sum(counts), "sum": 1.0, "bucket_counts": counts, "explicit_bounds": BOUNDS}
    return otlp.point(at(120), start_ns=at(60 + user % 7), attributes=named, **fields)


def exponential(otlp, user, counts, offset):
    start = at(60 + user % 7)
    point = otlp.point(at(120), start_ns=start, attributes={"user": user}, count=sum(counts), scale=0)
    point["positive"] = {"offset": offset, "bucket_counts": counts}
    return point


def test_delta_histograms_of_what_overflowed_add_up_to_their_quantiles(limited, store, otlp):
    found = [explicit(otlp, user, [0, 4, 0, 0] if user % 2 else [6, 0, 0, 0]) for user in range(50)]
    store(
        limited,
        otlp.metric("latency", "histogram", *found, unit="s", service="leaky", aggregation_temporality=DELTA),
        signal="metrics",
    )
    answer = ask(limited, "latency")
    (step,) = answer.series[0].steps
    assert (len(answer.series), step.increase, answer.overflow_points) == (1, 25 * 10, 50)
    assert step.quantiles["0.5"] == pytest.approx(0.1 * 125 / 150), "the 125th of 150 up to 0.1"
    assert step.quantiles["0.95"] == pytest.approx(0.1 + 0.4 * (237.5 - 150) / 100)


def test_delta_exponential_histograms_of_what_overflowed_add_up_too(limited, store, otlp):
    found = [exponential(otlp, user, [1, 1], offset=user % 2) for user in range(40)]
    body = otlp.metric("size", "exponential_histogram", *found, service="leaky", aggregation_temporality=DELTA)
    store(limited, body, signal="metrics")
    (step,) = ask(limited, "size").series[0].steps
    assert step.increase == 80
    assert step.quantiles["0.5"] == pytest.approx(2 * 2**0.5), "20 up to 2, half of the 40 up to 4"


CUMULATIVES = {
    "counter": ("sum", {"aggregation_temporality": CUMULATIVE, "is_monotonic": True}, {"as_int": 10**6}),
    "updown": ("sum", {"aggregation_temporality": CUMULATIVE}, {"as_int": 10**6}),
    "unsaid": ("sum", {"is_monotonic": True}, {"as_int": 10**6}),
    "gauge": ("gauge", {}, {"as_double": 1e6}),
    "histogram": (
        "histogram",
        {"aggregation_temporality": CUMULATIVE},
        {"as_int": None, "count": 10**6, "bucket_counts": [10**6, 0], "explicit_bounds": [1.0]},
    ),
    "exponential": (
        "exponential_histogram",
        {"aggregation_temporality": CUMULATIVE},
        {"as_int": None, "count": 10**6, "positive": {"offset": 0, "bucket_counts": [10**6]}},
    ),
    "summary": (
        "summary",
        {},
        {"as_int": None, "count": 10**6, "sum": 1.0, "quantile_values": [{"quantile": 0.5, "value": 1e6}]},
    ),
}


def of_kind(otlp, name, users, seconds, service="leaky"):
    kind, data, fields = CUMULATIVES[name]
    found = [
        {key: value for key, value in point.items() if value is not None}
        for point in points(otlp, users, *seconds, **fields)
    ]
    return otlp.metric(name, kind, *found, service=service, **data)


@pytest.mark.parametrize("name", CUMULATIVES)
def test_what_makes_no_sense_together_is_stored_but_no_value_of_anything(name, limited, store, otlp):
    store(limited, of_kind(otlp, name, range(5), (60, 120, 180)), signal="metrics")
    for group_by in (None, (), ("user",)):
        answer = ask(limited, name, group_by=group_by)
        assert (answer.series, answer.total, answer.overflow_points) == ([], 0, 15)
        assert "15 points are of series beyond their service's limit: they are left out" in answer.warnings[-1]
    assert scalar(limited, f"SELECT count() FROM metric_series WHERE metric = '{name}'") == 1


def test_known_gauges_and_counters_read_the_same_beside_what_overflowed(database, store, otlp):
    store(database, *(of_kind(otlp, name, range(10), (60, 120)) for name in ("gauge", "counter")), signal="metrics")
    before = {name: by_user(ask(database, name)) for name in ("gauge", "counter")}
    together = {name: ask(database, name, group_by=()).series for name in ("gauge", "counter")}
    limit_series(database, limit=10, now=datetime.now(UTC))
    store(
        database, *(of_kind(otlp, name, range(100, 150), (60, 120)) for name in ("gauge", "counter")), signal="metrics"
    )
    for name in ("gauge", "counter"):
        assert by_user(ask(database, name)) == before[name]
        assert ask(database, name, group_by=()).series == together[name]
        assert ask(database, name).overflow_points == 100
    store(database, of_kind(otlp, "gauge", range(10), (180,)), signal="metrics")
    assert by_user(ask(database, "gauge"))[3] == [1e6, 1e6, 1e6], "and go on"


def test_points_of_every_kind_and_their_exemplars_have_the_id_of_a_series_that_is_there(limited, store, otlp):
    bodies = [of_kind(otlp, name, range(3), (60,)) for name in CUMULATIVES]
    point = points(otlp, ["new"], 60)[0]
    point["exemplars"] = [{"time_unix_nano": at(59), "as_double": 7.5, "trace_id": b"t" * 16, "span_id": b"s" * 8}]
    body = otlp.metric("clicks", "sum", point, service="leaky", aggregation_temporality=DELTA, is_monotonic=True)
    store(limited, *bodies, body, signal="metrics")
    ids = " UNION ALL ".join(f"SELECT series_id, '{table}' AS t FROM {table}" for table in TABLES)
    lost = scalar(limited, f"SELECT count() FROM ({ids}) WHERE series_id NOT IN (SELECT series_id FROM metric_series)")
    of_others = "SELECT series_id FROM metric_series WHERE origin_id = 0"
    assert lost == 0
    assert scalar(limited, f"SELECT uniqExact(t) FROM ({ids}) WHERE series_id IN ({of_others})") == len(TABLES)
    sql = "SELECT (uniqExact(metric), uniqExact(series_id)) FROM metric_series WHERE origin_id = 0"
    assert scalar(limited, sql) == (len(CUMULATIVES) + 1, len(CUMULATIVES) + 1)
    kind = metric_names(limited, now=datetime.now(UTC), metric="clicks")[0]
    (found,) = exemplars(limited, MetricQuery(kind, START, END, 60), limit=5)
    assert (found.value, found.trace_id) == (7.5, (b"t" * 16).hex())


def test_many_processes_make_no_more_series_than_one(limited, store, otlp):
    pods = [{"service.instance.id": f"pod-{process}"} for process in range(30)]
    bodies = [delta(otlp, [0], 120, service="leaky", resource=pod) for pod in pods]
    for first in range(0, 30, 10):
        store(limited, *bodies[first : first + 10], signal="metrics")
    assert scalar(limited, "SELECT uniqExact(series_id) FROM metric_series WHERE service = 'leaky'") == 21
    assert total(ask(limited, "clicks", group_by=())) == 20 + 30


def test_environments_and_services_are_limited_apart(limited, store, otlp):
    identities = ({"service": "leaky", "environment": "dev"}, {"service": "calm"})
    store(limited, *(delta(otlp, range(100, 109), 120, **identity) for identity in identities), signal="metrics")
    assert [(item.service, item.environment) for item in limited_series(limited, now=datetime.now(UTC))] == [
        ("leaky", "prod")
    ]
    assert series_of(limited) == 20 + 9
    assert series_of(limited, "calm") == 9
    assert ask(limited, "clicks", environment="dev").overflow_points == 0
    store(limited, delta(otlp, range(200, 220), 120, service="leaky", environment="dev"), signal="metrics")
    assert limit_series(limited, limit=10, now=datetime.now(UTC)) == ["leaky"], "the other environment now, too"
    beyond = delta(otlp, range(300, 330), 120, service="leaky", environment="dev")
    store(limited, beyond, delta(otlp, range(300, 305), 120, service="leaky"), signal="metrics")
    found = {env: ask(limited, "clicks", environment=env).overflow_points for env in ("dev", "prod")}
    assert found == {"dev": 30, "prod": 5}


def test_a_service_within_the_limit_is_left_alone(database, store, otlp):
    now = datetime.now(UTC)
    store(database, delta(otlp, range(10), service="busy"), signal="metrics")
    assert limit_series(database, limit=10, now=now) == []
    assert limited_series(database, now=now) == []


def test_a_limit_is_lifted_after_an_hour_without_overflow_and_new_series_are_new_again(limited, store, otlp):
    now = datetime.now(UTC)
    store(limited, delta(otlp, range(100, 105), 120, service="leaky"), signal="metrics")
    for minutes in (59, 65):
        limit_series(limited, limit=10, now=now + timedelta(minutes=minutes))
        (held,) = limited_series(limited, now=now + timedelta(minutes=minutes))
        assert held.overflowing, "to ten minutes"
    limit_series(limited, limit=10, now=now + timedelta(hours=2))
    assert limited_series(limited, now=now + timedelta(hours=2)) == []
    store(limited, delta(otlp, range(100, 105), 180, service="leaky"), signal="metrics")
    assert series_of(limited) == 25
    assert total(ask(limited, "clicks")) == 20 + 5 + 5


def test_a_limit_stays_while_more_overflows(limited, store, otlp):
    now = datetime.now(UTC)
    limited.command(
        "INSERT INTO metric_series SELECT * REPLACE (now('UTC') + 7000 AS last_seen, 0 AS origin_id, 1 AS series_id)"
        " FROM metric_series LIMIT 1"
    )
    limit_series(limited, limit=10, now=now + timedelta(hours=2))
    assert [item.overflowing for item in limited_series(limited, now=now + timedelta(hours=2))] == [True]


@pytest.mark.parametrize("first", ["before the limit", "after it"])
def test_a_segment_that_is_sent_again_is_stored_once(first, database, store, otlp):
    bodies = [delta(otlp, range(start, start + 20), 120, service="leaky") for start in (0, 1000)]
    bodies.append(of_kind(otlp, "histogram", range(20), (60,)))
    if first == "after it":
        store(database, delta(otlp, range(20), service="leaky"), signal="metrics", token="before")
        limit_series(database, limit=10, now=datetime.now(UTC))
    store(database, *bodies, signal="metrics", token="one segment")
    if first == "before the limit":
        assert limit_series(database, limit=10, now=datetime.now(UTC)) == ["leaky"]
    counts = {table: scalar(database, f"SELECT count() FROM {table}") for table in (*TABLES, "metric_series")}
    sums = total(ask(database, "clicks"))
    for _ in range(3):
        store(database, *bodies, signal="metrics", token="one segment")
    assert counts == {table: scalar(database, f"SELECT count() FROM {table}") for table in counts}
    assert total(ask(database, "clicks")) == sums == (60 if first == "after it" else 40)
    assert counts["metric_histograms"] == 20


@pytest.mark.parametrize(("hours", "overflowed"), [(24, 5), (26, 25)])
def test_a_series_that_was_silent_for_a_day_is_known_also_over_the_end_of_a_month(
    hours, overflowed, limited, store, otlp
):
    """What is left of a series is one row in the month in which it was last seen."""
    seen = f"now('UTC') - INTERVAL {hours} HOUR"
    limited.command("CREATE TABLE silent AS metric_series ENGINE = Memory")
    limited.command(
        f"INSERT INTO silent SELECT * REPLACE ({seen} AS last_seen, toStartOfMonth({seen}) AS month) FROM metric_series"
    )
    limited.command("TRUNCATE TABLE metric_series")
    limited.command("INSERT INTO metric_series SELECT * FROM silent")
    limited.command("DROP TABLE silent SYNC")
    store(limited, delta(otlp, range(25), 120, service="leaky"), signal="metrics")
    assert ask(limited, "clicks").overflow_points == overflowed
    assert series_of(limited) == 20


def test_no_point_of_a_limited_service_stops_the_insert(limited, store, otlp):
    odd = [
        otlp.point(at(60), as_double=math.nan, attributes={"": "", "user": 1, "a\x00b": b"\xff\xfe"}),
        otlp.point(2**64 - 1, as_int=-(2**63), attributes={"user": [1, {"x": None}]}, start_ns=2**64 - 1),
        otlp.point(0, flags=2**32 - 1),
    ]
    odd[0]["attributes"] += odd[0]["attributes"]
    store(
        limited,
        otlp.metric("", "gauge", *odd, service="leaky"),
        otlp.metric("BROKEN", "gauge", *odd, service="leaky").replace(b"BROKEN", b"\xff\xfe\xc0\x80\x00'"),
        otlp.metric("x" * 5000, "sum", *odd, service="leaky", aggregation_temporality=99),
        signal="metrics",
    )
    assert scalar(limited, "SELECT count() FROM metric_points WHERE metric != 'clicks'") == 9
    assert series_of(limited) == 20


def test_counters_of_caches_leave_out_totals_that_overflowed_and_count_deltas(limited, store, otlp):
    hits = points(otlp, range(5), 60, 120, as_int=10**6)
    body = otlp.metric(
        "cache.hits", "sum", *hits, service="leaky", aggregation_temporality=CUMULATIVE, is_monotonic=True
    )
    store(limited, body, delta(otlp, range(7), 120, name="cache.misses", service="leaky"), signal="metrics")
    (found,) = caches(limited, start=START, end=END, step_s=60)
    assert (found.hits, found.misses) == (0, 7)


def test_the_setting_is_what_the_scheduler_limits_by(database, store, otlp, caplog):
    now = datetime.now(UTC)
    store(database, delta(otlp, range(30), service="leaky"), signal="metrics")
    with caplog.at_level(logging.WARNING, logger="ninelives.compose"):
        limit_cardinality(load_settings({}), database, now)
        assert limited_series(database, now=now) == []
        limit_cardinality(load_settings({"series_limit": 29}), database, now)
    assert [item.service for item in limited_series(database, now=now)] == ["leaky"]
    (record,) = caplog.records
    assert "leaky sent more than 29 metric series within an hour" in record.getMessage()


def test_collectors_learn_whose_series_overflow(limited, store, otlp, tmp_path):
    registry = CollectorRegistry()
    intake = Intake(limited, tmp_path, SelfMetrics(registry), spool_limit_bytes=1 << 20)
    reporter = build_reporter(load_settings({"data": tmp_path}), intake, limited, registry)
    intake.start()
    try:
        reporter.report(datetime.now(UTC))
        assert intake.overflowing_series == frozenset(), "it is limited, but nothing overflowed"
        store(limited, delta(otlp, range(100, 105), 120, service="leaky"), signal="metrics")
        reporter.report(datetime.now(UTC))
        assert intake.overflowing_series == {"leaky"}
    finally:
        intake.close(5)
