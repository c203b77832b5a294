"""Minutes of alerts, silences and configurations, and what each channel is told of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerts.config import read_config
from alerts.dispatch import due
from alerts.matcher import parse_matchers
from alerts.past import Past
from alerts.silence import Silence
from alerts.transition import AlertDetails, Transition

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RECEIVERS = """
receivers:
  - {name: team, webhook_configs: [{url: "https://team.example"}]}
  - {name: oncall, pagerduty_configs: [{routing_key: k}], webhook_configs: [{url: "https://oncall.example"}]}
  - {name: other, webhook_configs: [{url: "https://other.example"}]}
"""


def at(minute):
    return START + timedelta(minutes=minute)


def config(route):
    return read_config(f"route: {{{route}}}\n{RECEIVERS}", "alerts.yaml")


def alert(name, minute, *, severity="page", slo="", service="shop", environment="prod", labels=(), state="firing"):
    """Return an alert *name* that began at *minute*."""
    return Transition(
        alert_id=name, sequence=1, slo_id=slo or f"slo-{name}", service=service, environment=environment,
        severity=severity, state=state, at=at(minute), started_at=at(minute),
        fired_at=at(minute) if state == "firing" else None, resolved_at=None, summary="", labels=labels,
        details=AlertDetails("SLOErrorBudgetBurn", slo or f"slo-{name}"),
    )  # fmt: skip


def told(notification, start=START):
    """Return a notification as "<minute> <channel> <reason>: <firing alerts> / <ended alerts>"."""
    minute = (notification.at - start) / timedelta(minutes=1)
    firing = " ".join(sorted(item.alert_id for item in notification.alerts if item.state == "firing"))
    ended = " ".join(sorted(item.alert_id for item in notification.alerts if item.state == "resolved"))
    return f"{minute:g} {notification.channel} {notification.reason}: {firing}{' / ' + ended if ended else ''}"


class Timeline:
    """Does what its events say at their minutes, and asks each minute who is to be told."""

    def __init__(self, route):
        self.config = config(route)
        self.past, self.stored = Past(), []
        self.alerts, self.silences, self.acknowledged = {}, {}, set()

    def run(self, events, minutes):
        """Return what was told in minutes 0 to *minutes*; *events* are (minute, what, *arguments)."""
        for minute in range(minutes + 1):
            for when, what, *arguments in events:
                if when == minute:
                    options = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
                    getattr(self, what)(minute, *arguments, **options)
            self.tick(at(minute))
        return [told(item) for item in self.stored]

    def tick(self, now):
        found = due(
            list(self.alerts.values()), self.config.route, self.config.channels_of, self.past,
            list(self.silences.values()), self.acknowledged, now,
        )  # fmt: skip
        for item in found:
            self.past = self.past.with_all((item,))
        self.stored += found
        return found

    def fire(self, minute, *names, **options):
        for name in names:
            self.alerts[name] = alert(name, minute, **options)

    def pend(self, minute, name):
        self.alerts[name] = alert(name, minute, state="pending")

    def ripen(self, minute, name):
        last = self.alerts[name]
        self.alerts[name] = replace(last, sequence=2, state="firing", at=at(minute), fired_at=at(minute))

    def end(self, minute, *names):
        for name in names:
            last = self.alerts[name]
            self.alerts[name] = replace(
                last, sequence=last.sequence + 1, state="resolved", at=at(minute), resolved_at=at(minute)
            )

    def silence(self, minute, name, matchers, until):
        self.silences[name] = Silence(name, parse_matchers(matchers), at(minute), at(until), "ada", "", at(minute))

    def expire(self, minute, name):
        self.silences[name] = self.silences[name].expired(at(minute))

    def acknowledge(self, _minute, *names):
        self.acknowledged |= set(names)

    def route(self, _minute, text):
        self.config = config(text)

    def forget(self, _minute, name):
        del self.alerts[name]

    def restart(self, _minute):
        self.past = Past.of(self.stored)
