"""What /metrics says about objectives, read back with Prometheus' own parser of the text format."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from evaluator.tick import TickState
from ninelives.slo_events import EventTotals
from ninelives.slo_metrics import SloMetrics
from slo.draft import drafts
from slo.evaluation import evaluate, needed_windows
from slo.model import EventCounts
from slo.window import CalendarWindow, RollingWindow
from storage.errors import DatabaseError
from storage.sli_minutes import SeriesWindows
from storage.standing import Standing

END = datetime(2026, 3, 1, 12, tzinfo=UTC)
AVAILABILITY, LATENCY = (replace(draft, draft=False) for draft in drafts("shop", "prod"))
GOOD, NONE = EventCounts(997, 1000), EventCounts(0, 0)
IDS = {"sloth_id": AVAILABILITY.id, "sloth_slo": AVAILABILITY.id, "sloth_service": "shop"}


def standing(slo, counts=GOOD, **by_window):
    windows = {
        length: by_window.get(f"m{length // timedelta(minutes=1)}", counts) for length in needed_windows(slo, END)
    }
    return Standing(slo, evaluate(slo, windows, end=END, coverage=1.0), END)


def scrape(*standings):
    state = TickState(standings=list(standings))
    registry = CollectorRegistry()
    registry.register(SloMetrics(state, EventTotals(Counter())))
    return read(registry)


def read(registry):
    """Return values by metric name and labels."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(samples, name, **labels):
    return samples[name, frozenset(labels.items())]


def test_sloths_names_tell_where_an_objective_stands():
    samples = scrape(standing(AVAILABILITY, m5=EventCounts(90, 100)))
    assert value(samples, "slo:objective:ratio", **IDS) == 0.999
    assert value(samples, "slo:error_budget:ratio", **IDS) == 0.001
    assert value(samples, "slo:time_period:days", **IDS) == 30
    assert value(samples, "slo:current_burn_rate:ratio", **IDS, sloth_window="5m") == 100
    assert value(samples, "slo:period_burn_rate:ratio", **IDS, sloth_window="30d") == 3
    assert value(samples, "slo:period_error_budget_remaining:ratio", **IDS, sloth_window="30d") == -2


@pytest.mark.parametrize("window", ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"])
def test_every_window_of_sloth_has_its_error_ratio(window):
    samples = scrape(standing(AVAILABILITY, m5=EventCounts(9, 10)))
    ratio = value(samples, f"slo:sli_error:ratio_rate{window}", **IDS, sloth_window=window)
    assert ratio == pytest.approx(0.1 if window == "5m" else 0.003, rel=1e-15)


def test_an_objective_describes_itself():
    samples = scrape(standing(replace(AVAILABILITY, target=Decimal("0.9995"))))
    (labels,) = [dict(labels) for name, labels in samples if name == "sloth_slo_info"]
    assert labels.pop("sloth_version")
    assert labels == {
        **IDS, "sloth_mode": "ninelives", "sloth_objective": "99.95", "sloth_spec": "openslo/v1", "environment": "prod"
    }  # fmt: skip


def test_without_events_there_is_neither_a_sample_nor_nan():
    samples = scrape(standing(AVAILABILITY, NONE), standing(LATENCY, m5=NONE))
    assert not any(math.isnan(found) for found in samples.values())
    unknown = [name for name, labels in samples if ("sloth_id", AVAILABILITY.id) in labels]
    assert set(unknown) == {"slo:objective:ratio", "slo:error_budget:ratio", "slo:time_period:days", "sloth_slo_info"}
    known = {name for name, labels in samples if ("sloth_id", LATENCY.id) in labels}
    assert "slo:sli_error:ratio_rate1h" in known
    assert not {"slo:current_burn_rate:ratio", "slo:sli_error:ratio_rate5m"} & known
    assert (
        value(samples, "ninelives_slo_state", slo=AVAILABILITY.id, service="shop", environment="prod", state="no_data")
        == 1
    )


def test_other_periods_name_their_own_length():
    week = replace(AVAILABILITY, window=RollingWindow(timedelta(days=7)))
    month = replace(LATENCY, window=CalendarWindow("month", 1, datetime.fromisoformat("2026-02-10"), "UTC"))
    samples = scrape(standing(week), standing(month))
    assert value(samples, "slo:sli_error:ratio_rate7d", **IDS, sloth_window="7d") == 0.003
    assert value(samples, "slo:time_period:days", **IDS) == 7
    monthly = {name for name, labels in samples if ("sloth_window", "30d") in labels}
    assert monthly == {
        "slo:sli_error:ratio_rate30d", "slo:period_burn_rate:ratio", "slo:period_error_budget_remaining:ratio"
    }  # fmt: skip


def test_without_objectives_nothing_of_sloths_is_offered():
    assert scrape() == {}


class Counter:
    """Windows that hold what was told, or a database that is away."""

    def __init__(self):
        self.counts, self.calls, self.away = NONE, 0, False

    def __call__(self, series, lengths, end):
        self.calls += 1
        if self.away:
            raise DatabaseError("away")
        return {key: SeriesWindows(dict.fromkeys(lengths, self.counts), None) for key in series}


def test_the_counter_of_events_follows_the_ticks_and_survives_a_database_that_is_away():
    counter = Counter()
    state = TickState(standings=[standing(AVAILABILITY)])
    registry = CollectorRegistry()
    registry.register(SloMetrics(state, EventTotals(counter)))

    def events():
        labels = {"slo": AVAILABILITY.id, "service": "shop", "environment": "prod"}
        return [value(read(registry), "ninelives_slo_events_total", **labels, result=r) for r in ("good", "bad")]

    assert events() == [0, 0]
    calls = counter.calls
    counter.counts = GOOD
    assert (events(), counter.calls) == ([0, 0], calls)
    state.standings = [replace(standing(AVAILABILITY), as_of=END + timedelta(minutes=1))]
    assert events() == [997, 3]
    counter.away = True
    state.standings = [replace(standing(AVAILABILITY), as_of=END + timedelta(minutes=2))]
    assert events() == [997, 3]


def test_before_events_were_ever_counted_there_is_no_counter_but_everything_else():
    counter = Counter()
    counter.away = True
    registry = CollectorRegistry()
    registry.register(SloMetrics(TickState(standings=[standing(AVAILABILITY)]), EventTotals(counter)))
    names = {name for name, _ in read(registry)}
    assert "ninelives_slo_events_total" not in names
    assert "slo:objective:ratio" in names
