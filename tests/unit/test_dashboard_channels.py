"""What the Alerts page says of the channels: that there are none, or that one fails."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.config import read_config
from api import models as m
from dashboard.views import channels
from dashboard.views.markup import escape_markdown
from tests.unit.dashboard_api import build_api, serving
from tests.unit.dashboard_models import NOW
from tests.unit.test_dashboard_pages import closed_clients, drawn, known_components, open_page

__all__ = ["closed_clients", "known_components"]

HOUR = timedelta(hours=1)


def channel(name="team/slack-1", *, failed=None, sent=None, at=NOW, **fields):
    """Return a channel that failed, and took a message, so many hours before *at*."""
    return m.AlertChannel(
        name=name,
        receiver="team",
        kind="slack",
        last_failure_at=None if failed is None else at - failed * HOUR,
        last_success_at=None if sent is None else at - sent * HOUR,
        **fields,
    )


@pytest.mark.parametrize(
    ("known", "nobody"),
    [
        ([], True),
        ([channel(sent=30, configured=False)], True),
        ([channel()], False),
        ([channel(failed=1)], False),
        ([channel(sent=1, configured=False)], False),
    ],
    ids=["none", "one that is gone", "one", "one that fails", "one of an evaluator elsewhere"],
)
def test_nobody_is_told_without_a_channel(known, nobody):
    assert channels.nobody_is_told(known, NOW) is nobody


def test_a_channel_fails_until_it_takes_a_message_again_or_a_day_has_passed():
    known = [
        channel("never worked", failed=2),
        channel("works again", failed=2, sent=1),
        channel("worked before", failed=1, sent=2),
        channel("long ago", failed=25),
        channel("gone", failed=1, configured=False),
        channel("unused"),
    ]
    assert [item.name for item in channels.failing(known, NOW)] == ["worked before", "never worked"]


def test_the_two_lines_that_are_shown_are_a_whole_configuration():
    assert len(channels.REMEDY.splitlines()) == 2
    assert read_config(channels.REMEDY, "alerts.yaml").channels_of == {"team": ("team/slack-1",)}


def page(monkeypatch, *known):
    app = build_api()
    app.state.channels = list(known)
    with serving(app) as url:
        return open_page(monkeypatch, url, "alerts")


def test_the_alerts_page_says_that_nobody_is_told_and_what_to_write(monkeypatch):
    at = page(monkeypatch)
    assert "no channel is configured" in at.warning[0].value
    assert "docs/alerts.md" in at.warning[0].value
    assert at.code[0].value == channels.REMEDY


def test_the_alerts_page_names_a_channel_that_fails_with_its_reason_and_nothing_of_what_works(monkeypatch):
    present = datetime.now(UTC)
    broken = channel(failed=1, at=present, last_error="HTTP 404: no_team ![x](http://evil)")
    at = page(monkeypatch, channel("team/webhook-1", sent=1, at=present), broken)
    assert not at.warning
    (told,) = at.error
    assert escape_markdown("team/slack-1 failed 1 h ago: HTTP 404: no_team ![x](http://evil).") in told.value
    assert "ninelives alerts test team/slack-1" in told.value
    assert "webhook-1" not in drawn(at)
