"""Alerts: order, reason, conditions and evidence."""

from datetime import timedelta
from typing import get_args

from api import models as m
from api.models.alerts import TimelineKind
from dashboard.views import alert_evidence, alert_timeline, alerts, incidents, silences, units
from tests.unit import dashboard_alerts as shop
from tests.unit.dashboard_models import NOW, alert, read, slo

HELD = m.Acknowledgement(at=NOW - timedelta(minutes=5), author="Ann", comment="", via="page")


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
    bare = m.AlertRecord.model_validate(item.model_dump())
    assert read(alerts.exemplars(bare)).hrefs == [f"trace?trace={'a' * 32}", f"trace?trace={'b' * 32}"]
    assert "no trace kept" in read(alerts.listing([alert(exemplar_trace_ids=[])], NOW)).text


def test_the_reason_of_an_alert_explains_what_a_burn_rate_is():
    text = read(alerts.why(alert(), slo())).text
    assert "99.9 % of requests to checkout in prod without error over 30 days" in text
    assert "0.100 % may be bad" in text


def test_an_alert_begins_with_what_is_wrong_also_when_its_slo_is_gone():
    assert read(alerts.summary(m.AlertRecord.model_validate(alert().model_dump()))).text.strip() == "a burns"
    assert "93 % of the failures are charged to payments" in read(alerts.summary(shop.record(alert()))).text
    assert "a burns" not in read(alerts.why(alert(), None)).text


def test_the_conditions_of_an_alert_name_both_windows_and_the_limit():
    window = {"window": "5m", "good": 2057, "bad": 70, "total": 2127, "burn_rate": 32.9}
    short = {"window": "1m", "good": 0, "bad": 0, "total": 0, "burn_rate": None}
    text = read(alerts.conditions({"conditions": [{"met": True, "factor": 14.4, "long": window, "short": short}]})).text
    for expected in ("over 14.4x", "32.9x over 5 min", "70 bad of 2,127", f"{units.MISSING} over 1 min"):
        assert expected in text
    assert alerts.conditions({}) == ""


def test_with_evidence_each_trace_opens_at_its_guilty_span():
    item = shop.record(alert(state="firing"))
    assert read(alerts.exemplars(item)).hrefs == [f"trace?trace={shop.TRACE_ID}&span={shop.GUILTY}"]


def test_silenced_alerts_are_a_choice_of_their_own_and_no_longer_firing():
    items = [alert("loud"), alert("quiet", silenced_by=["s"]), alert("over", state="resolved", silenced_by=["s"])]
    chosen = {choice: [item.id for item in alerts.chosen(items, choice)] for choice in alerts.CHOICES}
    assert chosen == {
        "All": ["loud", "quiet", "over"],
        "Firing": ["loud"],
        "Pending": [],
        "Silenced": ["quiet"],
        "Resolved": ["over"],
    }


def test_the_tiles_say_how_many_pages_nobody_has_taken_on():
    items = [alert("a"), alert("b", acknowledgements=[HELD]), alert("c", severity="ticket")]
    text = read(alerts.tiles(items, [shop.incident()])).text
    for expected in ("2", "1 that nobody has taken on", "Tickets firing", "Incidents going on"):
        assert expected in text


def test_the_list_says_who_has_an_alert_and_what_keeps_it_from_being_told():
    held = alert("a", acknowledgements=[HELD], inhibited=True, flapping=True, silenced_by=["s-1"])
    text = read(alerts.listing([held, alert("b"), alert("c", state="resolved", resolved_at=NOW)], NOW)).text
    for expected in ("Ann", "nobody yet", "inhibited", "flapping", "silenced"):
        assert expected in text


def test_a_runbook_is_a_link_only_where_it_is_a_web_address():
    assert read(alerts.runbook("https://wiki/pay")).hrefs == ["https://wiki/pay"]
    for text in ("javascript:alert(1)", "ask the shop team"):
        assert read(alerts.runbook(text)).hrefs == []
        assert text in read(alerts.runbook(text)).text


def test_what_a_rule_over_a_metric_saw_is_told_with_its_limit():
    seen = {"metric": "queue.depth", "attributes": [], "value": 1250.0, "unit": "{mail}"}
    given = seen | {"operator": ">", "limit": 1000.0}
    text = read(alerts.measurement({"measurement": given})).text
    assert "queue.depth" in text
    assert "1,250 {mail}" in text
    assert "> 1,000 {mail}" in text
    assert alerts.measurement({}) == alerts.measurement({"measurement": None}) == ""


def test_the_evidence_shows_every_part_and_escapes_what_was_sent():
    found = shop.evidence()
    parts = [
        part(found)
        for part in (
            alert_evidence.in_short,
            alert_evidence.spenders,
            alert_evidence.differences,
            alert_evidence.same_time,
            alert_evidence.logs,
            alert_evidence.past,
            alert_evidence.missing,
        )
    ]
    text = " ".join(read(part).text for part in parts)
    for expected in (
        "the budget is gone",
        "the budget lasts",
        "93.0 %",
        "only in bad ones",
        "4.8",
        "payments 1.8.1 to 1.8.2",
        "redis +300 ms",
        "card refused",
        "pool was too small",
        "goes on still",
        "not enough time",
    ):
        assert expected in text
    assert not {"img", "script"} & {tag for part in parts for tag in read(part).tags}


def test_episodes_of_one_rule_share_a_lane_within_the_last_day():
    over = {"state": "resolved", "fired_at": NOW - timedelta(hours=3), "started_at": NOW - timedelta(hours=3)}
    items = [
        alert("now", rule="x", fired_at=NOW, acknowledgements=[HELD]),
        alert("before", rule="x", resolved_at=NOW - timedelta(hours=2), **over),
        alert("long ago", rule="y", **over | {"resolved_at": NOW - timedelta(days=2)}),
        alert("waits", rule="z", state="pending"),
    ]
    drawn = read(alert_timeline.lanes(items, NOW))
    assert [href for href in drawn.hrefs if "now" in href] == ["alert?id=now", "alert?id=now"], "its name and its bar"
    assert "alert?id=before" in drawn.hrefs
    assert not any("long" in href or "waits" in href for href in drawn.hrefs)
    assert alert_timeline.lanes(items[2:], NOW) == ""


def test_a_day_with_many_alerts_names_how_many_are_not_drawn():
    items = [alert(f"a{number}", rule=f"r{number}", fired_at=NOW) for number in range(alert_timeline.MOST_LANES + 2)]
    assert "and 2 other alerts" in read(alert_timeline.lanes(items, NOW)).text


def test_the_timeline_is_newest_first():
    text = read(alert_timeline.events(shop.record(alert()).timeline)).text
    assert text.index("Ann has it") < text.index("sent to oncall/slack-1") < text.index("burn rate 14.2x")


def test_a_silence_of_an_alert_matches_its_labels_exactly_whatever_they_hold():
    labels = {"alertname": "Burn", "slo_id": 'a"b\\c\nd', "service_name": "checkout", "environment": "", "extra": "x"}
    made = silences.of_alert(alert(labels=labels), "Ann", "known", "2 hours", NOW)
    assert made.matchers == [
        'alertname="Burn"',
        'slo_id="a\\"b\\\\c\\nd"',
        'service_name="checkout"',
        'severity="page"',
    ]
    assert (made.ends_at, made.until_resolved) == (NOW + timedelta(hours=2), False)
    *_, longest = silences.LENGTHS
    assert silences.of_alert(alert(), "Ann", "", longest, NOW).until_resolved


def test_a_comma_within_quotes_separates_no_matchers():
    made = silences.by_labels('service_name="a,b" , severity=~"page|ticket",', "Ann", "x", NOW)
    assert made.matchers == ['service_name="a,b"', 'severity=~"page|ticket"']


def test_the_silences_say_until_when_and_offer_their_end():
    item = shop.silence()
    html = silences.listing([item], shop.now())
    for expected in ('service_name="inventory"', "1 h 30 min left", "Ann", "1 alert"):
        assert expected in read(html).text
    assert 'data-select="expire:s-1"' in html
    over = item.model_copy(update={"state": "expired", "expired_at": shop.now()})
    assert "data-select" not in silences.listing([over], shop.now())


def test_incidents_say_how_long_people_took():
    text = read(incidents.listing([shop.incident()], shop.now())).text
    for expected in ("checkout availability burns", "1 page, 1 ticket", "1 note", "so far"):
        assert expected in text
    text = read(incidents.metrics([shop.incident_metrics()])).text
    for expected in ("5 min 12 s", "1 min 36 s", "30 min 4 s", "6 d 22 h"):
        assert expected in text
    assert "rolled 1.8.2 back" in read(incidents.notes(shop.incident_record().notes)).text


def test_everything_that_can_happen_to_an_alert_is_drawn_in_its_timeline():
    events = [m.TimelineEvent(at=NOW, kind=kind, text=f"{kind} told") for kind in get_args(TimelineKind)]
    text = read(alert_timeline.events(events)).text
    assert all(f"{event.kind} told" in text for event in events)


def test_matchers_are_split_at_commas_and_a_mistake_reaches_the_api_whole():
    assert silences.split('a="x, y" , b=~z') == ['a="x, y"', "b=~z"]
    assert silences.split(r'a="say \"x, y\"", b=c') == [r'a="say \"x, y\""', "b=c"]
    for mistake in ('a="x', "a~x", 'a=x"y', '"', "a=\\", 'a="\\'):
        assert silences.split(mistake) == [mistake]


def test_when_the_budget_runs_out_is_told_only_while_some_is_left():
    found = shop.evidence()
    assert "If the last" in read(alert_evidence.in_short(found)).text
    assert (
        "If the last"
        not in read(alert_evidence.in_short(found.model_copy(update={"error_budget_remaining": -0.5}))).text
    )
