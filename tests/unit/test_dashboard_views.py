"""What the pages show, from the API's models: words, units, order, gaps, and nothing unescaped."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import models as m
from dashboard.views import (
    alerts,
    budgets,
    caches,
    charts,
    first_run,
    looks,
    markup,
    overview,
    runs,
    services,
    slos,
    traces,
    units,
    waterfall,
)

NOW = datetime(2026, 11, 22, 14, 5, 12, tzinfo=UTC)
ATTACK = "<img src=x onerror=alert(1)>"


class _Reader(HTMLParser):
    """Collects what a browser would see: elements, attributes and text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.hrefs: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        self.hrefs += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def slo(slo_id: str = "checkout-availability", **changes: object) -> m.Slo:
    values: dict[str, object] = {
        "id": slo_id,
        "service": "checkout",
        "name": "availability",
        "objective": 0.999,
        "window": "30d",
        "environment": "prod",
        "draft": False,
        "kind": "availability",
        "threshold_ms": None,
        "percentile_ms": None,
        "coverage": 1.0,
        "state": "ok",
        "provisional": False,
        "low_confidence": False,
        "sli": 0.9999,
        "good": 9999,
        "bad": 1,
        "total": 10000,
        "error_budget_remaining": 0.9,
        "burn_rates": {"1h": 0.1},
        "hour": m.WindowCounts(window="1h", sli=1.0, good=10, bad=0, total=10, error_budget_remaining=1.0),
        "policy": "p",
        "source": "s",
    }
    return m.Slo.model_validate(values | changes)


EMPTY = {"sli": None, "good": 0, "bad": 0, "total": 0, "error_budget_remaining": None, "burn_rates": {"1h": None}}
EMPTY_HOUR = m.WindowCounts(window="1h", sli=None, good=0, bad=0, total=0, error_budget_remaining=None)


def span(span_id: str = "a1", *, name: str = "GET /", depth: int = 0, error: bool = False, **changes: object) -> m.Span:
    values: dict[str, object] = {
        "span_id": span_id,
        "parent_span_id": "",
        "service": "checkout",
        "environment": "prod",
        "version": "1",
        "name": name,
        "kind": "server",
        "started_at": NOW,
        "offset_ms": 0.0,
        "duration_ms": 10.0,
        "depth": depth,
        "status": "error" if error else "unset",
        "status_message": "",
        "error": error,
        "scope": "",
        "attributes": {},
        "resource": {},
        "events": [],
        "links": [],
    }
    return m.Span.model_validate(values | changes)


def trace(*spans: m.Span) -> m.Trace:
    errors = sum(item.error for item in spans)
    return m.Trace(
        trace_id="t" * 32, started_at=NOW, duration_ms=10, services=["checkout"], errors=errors, spans=list(spans)
    )


def alert(alert_id: str = "a", **changes: object) -> m.Alert:
    values: dict[str, object] = {
        "id": alert_id,
        "slo_id": "checkout-availability",
        "service": "checkout",
        "environment": "prod",
        "severity": "page",
        "state": "firing",
        "started_at": NOW - timedelta(minutes=27),
        "resolved_at": None,
        "summary": f"{alert_id} burns",
        "exemplar_trace_ids": ["f" * 32],
    }
    return m.Alert.model_validate(values | changes)


def service(name: str = "checkout", **changes: object) -> m.Service:
    values: dict[str, object] = {
        "name": name,
        "environment": "prod",
        "versions": ["1"],
        "window_s": 900,
        "requests": 900,
        "errors": 9,
        "rate_per_s": 1.0,
        "error_ratio": 0.01,
        "p50_ms": 1.0,
        "p95_ms": 5.0,
        "p99_ms": 9.0,
        "last_seen": NOW,
    }
    return m.Service.model_validate(values | changes)


def status(**changes: object) -> m.Status:
    values: dict[str, object] = {
        "version": "1",
        "started_at": NOW - timedelta(minutes=2),
        "spans_stored": 5,
        "services": 1,
        "newest_span_at": NOW,
        "last_tick_at": NOW,
        "last_tick_error": "",
        "addresses": {},
        "ingest": [],
        "slo_files": [],
        "slo_errors": [],
        "notices": [],
    }
    return m.Status.model_validate(values | changes)


def run(run_id: str = "r", **changes: object) -> m.Run:
    values: dict[str, object] = {
        "id": run_id,
        "experiment": "redis-latency",
        "title": "redis slow",
        "status": "finished",
        "verdict": "held",
        "started_at": NOW - timedelta(minutes=10),
        "ended_at": NOW - timedelta(minutes=6),
        "heartbeat_at": NOW - timedelta(minutes=6),
    }
    return m.Run.model_validate(values | changes)


# --- units -----------------------------------------------------------------------------------------------------------


@given(st.floats(0, 1, exclude_min=True, exclude_max=True), st.integers(1, 4))
def test_a_ratio_strictly_between_none_and_all_never_reads_as_either(ratio, decimals):
    shown = units.percent(ratio, decimals)
    assert float(shown.strip("<% ")) < 100
    assert float(shown.strip("<% ")) > 0


@given(st.floats(0.001, 1e10))
def test_every_duration_carries_a_unit(milliseconds):
    assert re.fullmatch(r"[\d.,]+ (µs|ms|s|min|h|d)( \d+ (min|h|s))?", units.duration(milliseconds))


@pytest.mark.parametrize("show", [units.percent, units.duration, units.rate, units.burn, units.count, units.instant])
def test_unknown_is_a_dash_never_zero(show):
    assert show(None) == units.MISSING


def test_times_are_shown_in_utc_whatever_their_zone():
    berlin = datetime.fromisoformat("2026-11-22T15:05:12+01:00")
    assert units.instant(berlin) == "2026-11-22 14:05:12 UTC"
    assert units.clock(berlin) == "14:05:12 UTC"


# --- markup ----------------------------------------------------------------------------------------------------------


@given(st.text())
def test_plain_text_survives_as_text_and_makes_no_element(text):
    reader = read(markup.tag("td", text))
    assert reader.tags == {"td"}
    assert "".join(reader.texts) == text.replace("\r\n", "\n") or "\r" in text or "\0" in text


@given(st.text(), st.text())
def test_no_value_leaves_its_attribute(page_name, value):
    reader = read(markup.tag("button", "x", data_select=value, title=page_name))
    assert reader.names <= {"data-select", "title"}
    assert reader.tags == {"button"}


def test_a_link_keeps_its_parameters_apart():
    assert markup.page_href("trace", trace="a&b=c", span="") == "trace?trace=a%26b%3Dc"


def test_every_cell_names_its_column_for_narrow_screens():
    html = markup.table([markup.Column("Rate")], [["1/s"]], caption="c")
    assert 'data-label="Rate"' in html


# --- waterfall -------------------------------------------------------------------------------------------------------


@given(st.text(max_size=40))
def test_no_name_attribute_or_event_of_a_span_becomes_markup(text):
    hostile = span(
        name=text + ATTACK,
        service=text,
        attributes={text: ATTACK + text},
        resource={ATTACK: text},
        status_message=text + ATTACK,
        events=[m.SpanEvent(name=text + ATTACK, offset_ms=1, attributes={"k": [text, ATTACK]})],
    )
    reader = read(waterfall.render(trace(hostile), "a1"))
    assert not reader.tags & {"img", "script", "svg", "iframe", "style"}
    assert not {name for name in reader.names if name.startswith("on")}
    assert ATTACK in reader.text


def test_spans_keep_their_order_and_depth():
    html = waterfall.render(trace(span("a1", name="root"), span("a2", name="child", depth=1)))
    assert html.index("root") < html.index("child")
    assert "--depth:0" in html
    assert "--depth:1" in html


def test_an_error_span_is_marked_by_a_sign_not_only_by_colour():
    assert "✕" in waterfall.render(trace(span(error=True)))
    assert "✕" not in waterfall.render(trace(span()))


def test_only_the_chosen_span_is_unfolded():
    html = waterfall.render(trace(span("a1", attributes={"k1": 1}), span("a2", attributes={"k2": 2})), "a2")
    assert "k2" in html
    assert "k1" not in html


def test_the_first_error_is_the_deepest_of_the_first_failing_chain():
    spans = [
        span("a1", error=True),
        span("a2", depth=1),
        span("a3", depth=1, error=True),
        span("a4", depth=2, error=True),
        span("a5", depth=1, error=True),
    ]
    assert waterfall.first_error(trace(*spans)) == "a4"
    assert waterfall.first_error(trace(span())) == ""


@given(st.integers(1, 60), st.integers(0, 59), st.integers(1, 20))
def test_the_chosen_span_is_among_those_shown(amount, place, limit):
    spans = [span(f"s{index}") for index in range(amount)]
    chosen = spans[min(place, amount - 1)]
    shown, first = waterfall.visible(trace(*spans), chosen.span_id, limit)
    assert chosen in shown
    assert len(shown) == min(limit, amount)
    assert shown == spans[first : first + len(shown)]


def test_a_cut_trace_says_what_part_is_shown():
    html = waterfall.render(trace(*(span(f"s{index}") for index in range(5))), "s3", limit=2)
    assert "Showing spans 3 to 4 of 5." in read(html).text
    assert 'data-select="s4"' in html


@given(st.floats(-50, 5000), st.floats(0, 5000))
def test_no_bar_leaves_its_track(offset, length):
    html = waterfall.render(trace(span(offset_ms=offset, duration_ms=length)))
    left, width = (float(value) for value in re.search(r"left:([\d.-]+)%;width:([\d.-]+)%", html).groups())
    assert 0 <= left <= 100
    assert 0 <= width <= 100.01 - left


def test_a_trace_without_length_is_drawn():
    assert "GET /" in waterfall.render(trace(span(duration_ms=0)).model_copy(update={"duration_ms": 0}))


# --- SLOs ------------------------------------------------------------------------------------------------------------


def test_slos_are_sorted_by_budget_left_and_unknown_ones_come_last():
    items = [
        slo("c", error_budget_remaining=0.5),
        slo("n", state="no_data", **EMPTY),
        slo("a", error_budget_remaining=-2),
    ]
    assert [item.id for item in slos.worst_first(items)] == ["a", "c", "n"]


def test_an_slo_without_data_shows_no_data_and_no_zero_per_cent():
    text = read(slos.listing([slo(state="no_data", hour=EMPTY_HOUR, **EMPTY)])).text
    assert "No data" in text
    assert "no data" in text
    assert not re.search(r"\b0(\.0+)? %", text)


def test_an_overspent_budget_says_so_in_words():
    assert slos.budget_text(-0.109) == "-10.9 % (overspent)"
    assert slos.budget_tone(-0.109) == "bad"
    assert slos.budget_tone(0.2) == "warn"
    assert slos.budget_tone(None) == "none"


@pytest.mark.parametrize("state", list(looks.SLO_STATES))
def test_every_state_has_icon_word_and_colour(state):
    look = looks.SLO_STATES[state]
    assert look.icon
    assert look.word
    html = looks.slo(state)
    assert look.word in read(html).text
    assert f"nl-{look.tone}" in html


def test_a_draft_and_a_provisional_slo_are_marked():
    text = read(slos.listing([slo(draft=True, provisional=True, coverage=0.031, low_confidence=True)])).text
    assert "draft" in text
    assert "provisional, 3.1 % covered" in text
    assert "low confidence" in text


def test_the_hour_stands_beside_the_window():
    hour = m.WindowCounts(window="1h", sli=0.958, good=958, bad=42, total=1000, error_budget_remaining=-41)
    text = read(slos.listing([slo(hour=hour)])).text
    assert "95.800 %" in text
    assert "42 bad of 1,000" in text


def test_burn_rates_run_from_short_to_long_windows():
    ordered = slos.by_length({"3d": 1.0, "5m": 2.0, "6h": None, "1h": 3.0})
    assert [window for window, _ in ordered] == ["5m", "1h", "6h", "3d"]


@pytest.mark.parametrize(
    ("left", "burn", "seconds"),
    [
        (1.0, 2.0, 15 * 86400),
        (0.5, 30.0, 43200),
        (0.5, 0.1, None),
        (0.0, 5.0, None),
        (None, 5.0, None),
        (0.5, None, None),
    ],
)
def test_a_budget_runs_out_after_its_window_times_what_is_left_over_the_burn_rate(left, burn, seconds):
    assert slos.seconds_to_exhaustion(slo(error_budget_remaining=left, burn_rates={"1h": burn})) == seconds


def test_a_latency_slo_names_its_limit_and_its_percentile():
    item = slo(kind="latency", objective=0.95, threshold_ms=300.0, percentile_ms=412.7)
    text = read(slos.headline(item)).text
    assert "requests within 300 ms" in text
    assert "p95, last hour" in text
    assert "413 ms (limit 300 ms)" in text


# --- budgets and charts ----------------------------------------------------------------------------------------------


def minute(index: int, left: float | None, good: int = 99, bad: int = 1) -> m.SloMinute:
    at = NOW + timedelta(minutes=index)
    return m.SloMinute(at=at, good=good, bad=bad, total=good + bad, error_budget_remaining=left)


def test_unknown_minutes_are_gaps_in_the_budget_not_zeros():
    frame = budgets.frame([minute(0, 0.5), minute(1, None), minute(2, 0.4)])
    assert frame["budget left"].isna().tolist() == [False, True, False]


@given(st.lists(st.none() | st.floats(-2, 1), min_size=1, max_size=30))
def test_what_is_left_and_what_is_overspent_never_mix(lefts):
    frame = budgets.frame([minute(index, left) for index, left in enumerate(lefts)])
    assert (frame["budget left"].dropna() >= 0).all()
    assert (frame["overspent"].dropna() <= 0).all()
    for left, above, below in zip(lefts, frame["budget left"].isna(), frame["overspent"].isna(), strict=True):
        assert (left is None) == (above and below)


def test_steps_that_miss_the_objective_are_counted_exactly():
    minutes = [minute(0, 1, 999, 1), minute(1, 1, 998, 2), minute(2, None, 0, 0)]
    text = read(budgets.tally(minutes, 0.999, 60)).text
    assert re.findall(r"(Met|Missed|Without)\D*?(\d+)", text) == [("Met", "1"), ("Missed", "1"), ("Without", "1")]


@given(st.integers(60, 90 * 86400))
def test_a_chart_has_few_points_and_whole_minutes(window_s):
    step_s = budgets.step_seconds(window_s)
    assert step_s % 60 == 0
    assert window_s / step_s <= 360


def annotation(kind: str, begin: int, end: int | None, services_: tuple[str, ...] = ()) -> m.Annotation:
    ended = None if end is None else NOW + timedelta(minutes=end)
    return m.Annotation(
        id="x", kind=kind, title="redis", started_at=NOW + timedelta(minutes=begin), ended_at=ended, services=services_
    )


def test_bands_are_the_chaos_runs_of_the_service_cut_to_the_chart():
    items = [
        annotation("chaos", -5, 5),
        annotation("chaos", 8, None),
        annotation("chaos", -9, -1),
        annotation("chaos", 1, 2, ("other",)),
        annotation("deployment", 3, 3),
    ]
    end = NOW + timedelta(minutes=10)
    bands = charts.bands_of(items, NOW, end, "checkout")
    assert [(band.started_at, band.ended_at) for band in bands] == [
        (NOW, NOW + timedelta(minutes=5)),
        (NOW + timedelta(minutes=8), end),
    ]
    assert [marker.at for marker in charts.deployments_of(items, NOW, end)] == [NOW + timedelta(minutes=3)]


def test_a_chart_is_still_in_utc_and_names_its_unit():
    option = budgets.burn_down([minute(0, 0.5)], [], [])
    assert option["animation"] is False
    assert option["useUTC"] is True
    assert option["yAxis"][0]["name"] == "% of the budget"


def test_a_service_chart_shows_chaos_as_a_band_and_a_deployment_as_a_line():
    point = m.RedPoint(at=NOW, requests=60, errors=0, p50_ms=1, p95_ms=2)
    detail = m.ServiceDetail(service=service(), series=[point], operations=[])
    items = [annotation("chaos", 1, 2), annotation("deployment", 3, 3), annotation("deployment", 4, 4, ("other",))]
    for option in services.red_charts(detail, items, NOW + timedelta(minutes=10)).values():
        assert len(option["series"][0]["markArea"]["data"]) == 1
        assert len(option["series"][0]["markLine"]["data"]) == 1


# --- services, traces, caches ----------------------------------------------------------------------------------------


def test_services_come_worst_first_by_the_state_of_their_slos():
    found = [service("calm"), service("burnt"), service("bare", error_ratio=0.5)]
    own = [slo("1", service="calm"), slo("2", service="burnt", state="exhausted")]
    assert [item.name for item in services.worst_first(found, own)] == ["burnt", "calm", "bare"]


def test_an_slo_of_another_environment_says_nothing_of_a_service():
    assert services.state(service(), [slo(environment="staging", state="exhausted")]) is looks.SERVICE_WITHOUT_SLO


def test_a_service_without_requests_shows_no_error_ratio():
    idle = service(requests=0, errors=0, error_ratio=None, rate_per_s=0.0, p50_ms=None, p95_ms=None, p99_ms=None)
    text = read(services.listing([idle], [], NOW)).text
    assert "no data" in text
    assert "%" not in text


def test_a_step_without_requests_has_neither_errors_nor_latency():
    points = [
        m.RedPoint(at=NOW, requests=120, errors=12, p50_ms=1, p95_ms=2),
        m.RedPoint(at=NOW + timedelta(seconds=60), requests=0, errors=0, p50_ms=None, p95_ms=None),
    ]
    frame = services.series_frame(points, 120, NOW + timedelta(hours=1))
    assert frame["requests"].tolist() == [2.0, 0.0]
    assert frame["errors"].tolist()[0] == 10.0
    assert frame[["errors", "p50", "p95"]].iloc[1].isna().all()


def test_a_trace_list_links_each_trace_and_marks_errors():
    summary = m.TraceSummary(
        trace_id="c" * 32,
        started_at=NOW,
        duration_ms=2400,
        service="s",
        name=ATTACK,
        spans=6,
        errors=2,
        services=["a"] * 6,
    )
    reader = read(traces.listing([summary], NOW))
    assert reader.hrefs == [f"trace?trace={'c' * 32}"]
    assert "✕ 2" in reader.text
    assert "and 2 more" in reader.text
    assert "img" not in reader.tags


def cache(**changes: object) -> m.Cache:
    values: dict[str, object] = {
        "name": "redis",
        "service": "checkout",
        "environment": "prod",
        "source": "spans",
        "window_s": 60,
        "hits": 9,
        "misses": 1,
        "hit_ratio": 0.9,
        "hit_latency": m.LatencyGroup(requests=9, p50_ms=1.0, p95_ms=2.0),
        "miss_latency": m.LatencyGroup(requests=1, p50_ms=21.0, p95_ms=41.0),
        "series": [],
    }
    return m.Cache.model_validate(values | changes)


def test_a_miss_is_priced_against_a_hit():
    assert caches.miss_cost(cache()) == "+20.0 ms at p50"
    assert caches.miss_cost(cache(miss_latency=m.LatencyGroup(requests=0, p50_ms=None, p95_ms=None))) == units.MISSING
    assert "no latency" in caches.miss_cost(cache(source="metrics", hit_latency=None, miss_latency=None))


def test_a_cache_that_was_not_asked_has_no_hit_ratio():
    text = read(caches.listing([cache(hits=0, misses=0, hit_ratio=None)])).text
    assert "no data" in text
    frame = caches.frame([m.CachePoint(at=NOW, hits=0, misses=0), m.CachePoint(at=NOW, hits=3, misses=1)])
    assert frame["hit ratio"].isna().tolist() == [True, False]
    assert frame["hit ratio"].tolist()[1] == 75.0


def test_caches_come_lowest_hit_ratio_first_and_unknown_last():
    items = [cache(name="high"), cache(name="none", hit_ratio=None), cache(name="low", hit_ratio=0.1)]
    assert [item.name for item in caches.lowest_first(items)] == ["low", "high", "none"]


# --- alerts and runs -------------------------------------------------------------------------------------------------


def test_alerts_come_firing_pages_first():
    items = [
        alert("old", state="resolved", resolved_at=NOW),
        alert("ticket", severity="ticket"),
        alert("waiting", state="pending"),
        alert("page"),
    ]
    assert [item.id for item in alerts.worst_first(items)] == ["page", "ticket", "waiting", "old"]


def test_an_alert_links_its_first_trace_from_the_list_and_all_on_its_page():
    item = alert(exemplar_trace_ids=["a" * 32, "b" * 32])
    assert f"trace?trace={'a' * 32}" in read(alerts.listing([item], NOW)).hrefs
    assert read(alerts.exemplars(item)).hrefs == [f"trace?trace={'a' * 32}", f"trace?trace={'b' * 32}"]
    assert "no trace kept" in read(alerts.listing([alert(exemplar_trace_ids=[])], NOW)).text


def test_the_reason_of_an_alert_explains_what_a_burn_rate_is():
    text = read(alerts.why(alert(), slo())).text
    assert "99.9 % requests without error over 30 days" in text
    assert "0.100 % may be bad" in text


def test_an_alert_begins_with_what_is_wrong_also_when_its_slo_is_gone():
    assert "a burns" in read(alerts.summary(alert())).text
    assert "a burns" not in read(alerts.why(alert(), None)).text


@given(
    st.dictionaries(
        st.text(max_size=10),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=6,
        ),
        max_size=4,
    )
)
def test_any_evidence_can_be_shown(details):
    assert not read(alerts.evidence(details | {"x": ATTACK})).tags & {"img", "script"}


def test_a_run_that_stopped_reporting_is_aborted_not_running():
    silent = run(status="running", verdict=None, ended_at=None, heartbeat_at=NOW - timedelta(seconds=31))
    alive = run(status="running", verdict=None, ended_at=None, heartbeat_at=NOW - timedelta(seconds=29))
    assert looks.run_status(silent, NOW) == "aborted"
    assert looks.run_status(alive, NOW) == "running"
    assert [item.id for item in runs.newest_first([run("done"), alive], NOW)] == ["r", "done"]


@pytest.mark.parametrize("verdict", list(looks.VERDICTS))
def test_every_verdict_is_a_word_with_a_sign(verdict):
    look = looks.VERDICTS[verdict]
    assert f"{look.icon} {look.word}" in re.sub(r"\s+", " ", read(looks.run(run(verdict=verdict), NOW)).text)


def test_a_finding_shows_both_arms_the_interval_and_the_margin():
    finding = m.Finding(
        hypothesis=ATTACK,
        service="checkout",
        sli="availability",
        verdict="inconclusive",
        control_bad=0,
        control_total=0,
        treatment_bad=5,
        treatment_total=100,
        difference=None,
        interval_low=-0.01,
        interval_high=0.02,
        margin=0.001,
        confidence=0.95,
        control_p95_ms=None,
        treatment_p95_ms=413.0,
        reason="too few",
    )
    reader = read(runs.findings([finding]))
    for expected in ("no data", "5 bad of 100", "95 % CI -1.00 pp to +2.00 pp", "+0.10 pp", "413 ms", "Inconclusive"):
        assert expected in reader.text
    assert "img" not in reader.tags


# --- overview and first run ------------------------------------------------------------------------------------------


def test_five_lines_need_attention_at_most_and_the_rest_is_counted():
    troubled = [slo(f"s{index}", state="exhausted", error_budget_remaining=-index) for index in range(8)]
    html = overview.attention(troubled, [], NOW)
    assert html.count("<li>") == overview.MOST_SHOWN
    assert "3 more" in html


def test_an_slo_that_fires_is_listed_once():
    html = overview.attention([slo(state="burning")], [alert()], NOW)
    assert html.count("<li>") == 1


def test_nothing_is_called_good_while_nothing_is_known():
    unknown = [slo(state="no_data", **EMPTY)]
    assert "✓" not in overview.attention(unknown, [], NOW)
    text = read(overview.tiles(status(), unknown, [], [], NOW)).text
    assert "no SLO has data yet" in text


def test_calm_is_said_with_the_number_of_slos_that_prove_it():
    assert "1 SLO with data" in overview.attention([slo()], [], NOW)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "✓ OK"),
        ({"newest_span_at": NOW - timedelta(minutes=6)}, "Quiet"),
        ({"newest_span_at": None}, "Quiet"),
        ({"ingest": [{"dead_letters": 2}]}, "Dead letters"),
        ({"ingest": [{"last_error": "disk full"}]}, "✕ Failing"),
    ],
)
def test_the_ingest_tile_says_what_is_wrong(changes, expected):
    base = {
        "signal": "traces",
        "accepted_items": 1,
        "spool_bytes": 0,
        "spool_segments": 0,
        "last_stored_at": None,
        "dead_letters": 0,
        "last_error": "",
    }
    filled = {key: [base | value[0]] if key == "ingest" else value for key, value in changes.items()}
    assert expected in read(overview.tiles(status(**filled), [], [], [], NOW)).text


def test_notices_and_broken_files_are_told_apart_and_absent_when_there_are_none():
    assert overview.notices(status()) == ""
    broken = [m.SloFileError(file="a.yaml", line=None, reason=ATTACK)]
    reader = read(overview.notices(status(slo_errors=broken, notices=["disk"], last_tick_error="code 241")))
    assert "1 SLO file is broken" in reader.text
    assert "a.yaml" in reader.text
    assert "disk" in reader.text
    assert "Evaluation failed" in reader.text
    assert "img" not in reader.tags


def test_the_python_snippet_is_a_program_for_this_server():
    python = next(item for item in first_run.snippets({"otlp_http": "127.0.0.1:9999"}) if item.language == "python")
    compile(python.code, "snippet", "exec")
    assert "http://127.0.0.1:9999/v1/traces" in python.code


def test_waiting_turns_into_arrived():
    ingest = m.IngestStatus(
        signal="traces",
        accepted_items=3,
        spool_bytes=0,
        spool_segments=0,
        last_stored_at=None,
        dead_letters=0,
        last_error="",
    )
    assert "Waiting for the first span on `http://127.0.0.1:4318` (up for 2 min)" in first_run.waiting(status(), NOW)
    assert first_run.waiting(status(ingest=[ingest]), NOW).startswith("✓ 3 items arrived")


def test_the_conditions_of_an_alert_name_both_windows_and_the_limit():
    window = {"window": "5m", "good": 2057, "bad": 70, "total": 2127, "burn_rate": 32.9}
    short = {"window": "1m", "good": 0, "bad": 0, "total": 0, "burn_rate": None}
    text = read(alerts.conditions({"conditions": [{"met": True, "factor": 14.4, "long": window, "short": short}]})).text
    for expected in ("over 14.4x", "32.9x over 5 min", "70 bad of 2,127", f"{units.MISSING} over 1 min"):
        assert expected in text
    assert alerts.conditions({}) == ""


def test_an_slo_is_not_called_by_its_service_twice():
    assert slos.title(slo(name="Checkout availability")) == "Checkout availability"
    assert slos.title(slo(name="availability")) == "checkout · availability"


def test_a_step_that_has_not_ended_has_no_rate_yet():
    points = [m.RedPoint(at=NOW + timedelta(minutes=i), requests=60, errors=0, p50_ms=1, p95_ms=2) for i in range(2)]
    frame = services.series_frame(points, 120, NOW + timedelta(seconds=75))
    assert frame["requests"].tolist()[0] == 1.0
    assert frame["requests"].isna().tolist() == [False, True]


def test_a_budget_overspent_many_times_cuts_the_axis_and_says_so():
    axis = budgets.burn_down([minute(0, 0.5), minute(1, -25.8)], [], [])["yAxis"][0]
    assert axis["min"] == -100
    assert "cut at -100 %" in axis["name"]
    assert "min" not in budgets.burn_down([minute(0, 0.5), minute(1, -0.5)], [], [])["yAxis"][0]
    assert budgets.burn_down([minute(0, 0.5)], [], [])["yAxis"][0]["min"] == 0


def test_a_chart_reaches_to_what_happened_after_its_last_point():
    option = charts.until(budgets.burn_down([minute(0, 0.5)], [], []), NOW + timedelta(minutes=7))
    assert option["xAxis"]["max"] == "2026-11-22T14:12:12Z"


def test_a_cache_counted_twice_has_two_titles():
    assert caches.title(cache()) != caches.title(cache(source="metrics"))
