"""When an alert changes its state: inactive, pending, firing, resolved.

Pure: the same memory, signal and time give the same answer, so that a tick may be repeated after a crash.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.signal import AlertSignal
from alerts.transition import AlertDetails, AlertState, Transition

_DNS_LABEL_LENGTH: Final = 63


@dataclass(frozen=True, slots=True)
class AlertTiming:
    """How long a condition must be met before the alert fires, and clear before it is resolved."""

    pending_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)


IMMEDIATELY: Final = AlertTiming()


@dataclass(frozen=True, slots=True)
class AlertMemory:
    """What an alert remembers from tick to tick.

    Only `last` needs to be stored: without `clear_since` an alert with `keep_firing_for` fires a little longer.
    """

    last: Transition
    clear_since: datetime | None = None


def decide(
    previous: AlertMemory | None, signal: AlertSignal, now: datetime, timing: AlertTiming = IMMEDIATELY
) -> Transition | None:
    """Return the change of state that *signal* causes at *now*, or None.

    Without data nothing changes: an alert neither fires nor ends. A time that was decided already changes nothing.

    Args:
        previous: memory of the alert of this objective and severity, None if it never was active.
        signal: what the evaluation says.
        now: time of the evaluation, UTC.
        timing: delays of the policy.
    """
    if previous is None:
        return _begun(signal, now, timing, None) if signal.met else None
    last = previous.last
    if now <= last.at:
        return None
    if last.state == "resolved":
        return _begun(signal, now, timing, last) if signal.met else None
    if signal.met:
        ripe = last.state == "pending" and now - last.started_at >= timing.pending_for
        return _fired(last, signal, now) if ripe else None
    if not signal.clear:
        return None
    held = last.state == "firing" and now - (previous.clear_since or now) < timing.keep_firing_for
    return None if held else _resolved(last, signal, now)


def remember(
    previous: AlertMemory | None, change: Transition | None, signal: AlertSignal, now: datetime
) -> AlertMemory | None:
    """Return the memory for the next tick, after `decide` answered *change* and it was stored."""
    if change is not None:
        return AlertMemory(change)
    if previous is None or now <= previous.last.at or previous.last.state != "firing":
        return previous
    if signal.met:
        return replace(previous, clear_since=None)
    return replace(previous, clear_since=previous.clear_since or now) if signal.clear else previous


def _begun(signal: AlertSignal, now: datetime, timing: AlertTiming, before: Transition | None) -> Transition:
    state: AlertState = "firing" if timing.pending_for <= timedelta(0) else "pending"
    return Transition(
        alert_id=_alert_id(signal, now, before),
        sequence=1,
        rule=signal.rule,
        slo_id=signal.slo_id,
        service=signal.service,
        environment=signal.environment,
        severity=signal.severity,
        state=state,
        at=now,
        started_at=now,
        fired_at=now if state == "firing" else None,
        resolved_at=None,
        summary=signal.firing_summary(),
        details=signal.details(),
    )


def _fired(last: Transition, signal: AlertSignal, now: datetime) -> Transition:
    return replace(
        last,
        sequence=last.sequence + 1,
        state="firing",
        at=now,
        fired_at=now,
        summary=signal.firing_summary(),
        details=_details(last, signal),
    )


def _resolved(last: Transition, signal: AlertSignal, now: datetime) -> Transition:
    return replace(
        last,
        sequence=last.sequence + 1,
        state="resolved",
        at=now,
        resolved_at=now,
        summary=signal.resolved_summary(),
        details=replace(_details(last, signal), alert_name=last.details.alert_name, links=last.details.links),
    )


def _details(last: Transition, signal: AlertSignal) -> AlertDetails:
    return replace(signal.details(), exemplar_trace_ids=last.details.exemplar_trace_ids)


def _alert_id(signal: AlertSignal, now: datetime, before: Transition | None) -> str:
    """Return `<rule>-<severity>-<unix minute>` as a DNS label that no earlier episode of this alert has."""
    minute = int(now.timestamp()) // 60
    if before is not None:
        minute = max(minute, int(before.alert_id.rpartition("-")[2]) + 1)
    suffix = f"-{signal.severity}-{minute}"
    return _label(signal.rule, _DNS_LABEL_LENGTH - len(suffix)) + suffix


def _label(rule: str, longest: int) -> str:
    label = re.sub(r"[^a-z0-9-]", "-", rule.lower())
    if label == rule and len(label) <= longest:
        return label
    # a hash keeps apart what cutting and replacing would make equal
    digest = hashlib.blake2b(rule.encode(), digest_size=4).hexdigest()
    return f"{label[: longest - len(digest) - 1]}-{digest}"
