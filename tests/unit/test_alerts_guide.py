"""The guide to alerts shows files that are read, and times that are kept."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from alerts.config import read_config
from alerts.dispatch import due
from alerts.labels import labels_of
from alerts.past import Past
from alerts.route import GROUP_INTERVAL, GROUP_WAIT, REPEAT_INTERVAL
from alerts.silence import new_silence
from slo.duration import format_duration
from tests.unit.alert_timeline import Timeline, alert

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
FILES = [text for text in re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL) if "route:" in text]
ROUTED = next(text for text in FILES if "payments" in text)
SILENCES = [text for text in re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL) if "ends_at" in text]


@pytest.mark.parametrize("text", FILES, ids=range(len(FILES)))
def test_each_file_of_the_guide_is_read(text):
    config = read_config(text, "alerts.yaml")
    assert all("secrets/" in warning.reason for warning in config.warnings)
    assert config.channels_of


def test_the_guide_names_the_channels_that_its_file_with_routes_makes():
    for channels in read_config(ROUTED, "alerts.yaml").channels_of.values():
        for channel in channels:
            assert f"`{channel}`" in GUIDE or channel == "payments/email-1"


def test_the_file_with_routes_leads_where_it_says():
    route = read_config(ROUTED, "alerts.yaml").route
    page = {"severity": "page", "environment": "prod", "service_name": "pay"}
    assert [found.receiver for found in route.routes_of(page)] == ["oncall", "payments"]
    assert [found.receiver for found in route.routes_of(page | {"environment": "test"})] == ["payments"]
    assert [found.receiver for found in route.routes_of({"severity": "ticket"})] == ["team"]


def test_the_guide_tells_the_default_times():
    rows = dict(re.findall(r"^\| `(group_wait|group_interval|repeat_interval)` \| `(\w+)` \|", GUIDE, re.MULTILINE))
    assert rows["group_wait"] == "0s"
    assert timedelta(0) == GROUP_WAIT
    assert rows["group_interval"] == format_duration(GROUP_INTERVAL)
    assert rows["repeat_interval"] == format_duration(REPEAT_INTERVAL)


def test_the_table_of_times_is_what_happens():
    events = [
        (0, "fire", "availability"), (2, "fire", "latency"), (20, "end", "availability"), (271, "end", "latency"),
    ]  # fmt: skip
    timeline = Timeline("receiver: team, group_by: [service_name, environment]")
    timeline.run(events, 280)
    rows = [[cell.strip() for cell in row.split("|")[1:4]] for row in re.findall(r"^\| 1\d:.*$", GUIDE, re.MULTILINE)]
    expected = [(time, text) for time, _, text in rows if text]
    assert [(f"{item.at:%H:%M}", words(item)) for item in timeline.stored] == expected


def words(notification):
    """Return a notification in the words of the guide."""
    parts = {
        "firing": [item.alert_id for item in notification.alerts if item.state == "firing"],
        "resolved": [item.alert_id for item in notification.alerts if item.state == "resolved"],
    }
    return "; ".join(f"{state}: {', '.join(names)}" for state, names in parts.items() if names)


def test_the_silence_of_the_guide_can_be_made():
    (text,) = SILENCES
    given = yaml.safe_load(text)
    silence = new_silence("s", given.pop("matchers"), **given, now=datetime(2026, 3, 1, tzinfo=UTC))
    assert silence.until_resolved
    assert silence.matches({"service_name": "checkout", "environment": "test"})


def test_every_label_of_an_alert_is_in_the_guide():
    item = alert("a", 0)
    for name in labels_of(item):
        assert f"`{name}`" in GUIDE


def test_without_a_route_nobody_is_told():
    config = read_config("alertmanagers: ['http://am:9093']", "alerts.yaml")
    assert (
        due([alert("a", 0)], config.route, config.channels_of, Past(), [], (), datetime(2026, 3, 1, 13, tzinfo=UTC))
        == []
    )
