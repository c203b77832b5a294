"""Did the page come, and how fast? An alert that a fault should raise is part of the hypothesis."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from api.models import Alert, ExpectedAlert
from chaos.experiments.hypotheses import AlertHypothesis
from chaos.runner.measure import Measurement

POLL_S = 2.0
DEFAULT_WITHIN_S = 300.0


def expected_alerts(
    measured: Measurement,
    services: Sequence[str],
    *,
    clock: Callable[[], datetime],
    wait: Callable[[float], object],
) -> list[ExpectedAlert]:
    """Return every expected alert, and the unexpected ones of *services*, since the injection.

    Waits for those that may still come, at most as long as their line allows. Raises ApiError.
    """
    lines = measured.experiment.expected_alerts
    start = measured.windows.fault.started_at
    while True:
        alerts = [alert for alert in measured.counting.api.alerts(since=start) if (alert.fired_at or start) >= start]
        found = [_found(line, alerts, start) for line in lines]
        late = [line for line, each in zip(lines, found, strict=True) if not each.fired and clock() < _end(line, start)]
        if not late:
            break
        wait(POLL_S)
    known = {each.alert_id for each in found}
    others = [alert for alert in alerts if alert.fired_at and alert.service in services and alert.id not in known]
    return [*found, *(_unexpected(alert, start) for alert in others)]


def _end(line: AlertHypothesis, start: datetime) -> datetime:
    return start + timedelta(seconds=line.within_s or DEFAULT_WITHIN_S)


def _found(line: AlertHypothesis, alerts: Sequence[Alert], start: datetime) -> ExpectedAlert:
    own = [alert for alert in alerts if line.alert in {alert.slo_id, alert.rule, alert.rule.partition("/")[0]}]
    first = min((alert for alert in own if alert.fired_at is not None), key=_fired_at, default=None)
    within_s = line.within_s or DEFAULT_WITHIN_S
    after_s = None if first is None else (_fired_at(first) - start).total_seconds()
    return ExpectedAlert(
        alert=line.alert,
        expected=True,
        fired=after_s is not None and after_s <= within_s,
        after_s=after_s,
        within_s=within_s,
        alert_id="" if first is None else first.id,
    )


def _unexpected(alert: Alert, start: datetime) -> ExpectedAlert:
    after_s = (_fired_at(alert) - start).total_seconds()
    return ExpectedAlert(
        alert=alert.slo_id or alert.rule, expected=False, fired=True, after_s=after_s, alert_id=alert.id
    )


def _fired_at(alert: Alert) -> datetime:
    return alert.fired_at or alert.started_at
