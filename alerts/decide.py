"""When an alert changes its state: inactive, pending, firing, resolved.

Pure, and the last stored transition is all that an alert remembers: the same transition, signal and time give the same
answer, so that a tick may be repeated after a crash, and a restart changes nothing.
"""

import hashlib
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal

from alerts.flapping import flapping_note, held_for, is_flapping, recent_firings
from alerts.signal import AlertSignal
from alerts.timing import IMMEDIATELY, AlertTiming
from alerts.transition import AlertDetails, Transition

Verdict = Literal["met", "clear", "unknown"]
# hold and resume are the begin and the end of a wait within "firing": the condition is clear, or met again
Step = Literal["begin", "fire", "hold", "resume", "resolve"]

_DNS_LABEL_LENGTH: Final = 63
_NOW: Final = timedelta(0)


def decide(
    last: Transition | None, signal: AlertSignal, now: datetime, timing: AlertTiming = IMMEDIATELY
) -> Transition | None:
    """Return the change that *signal* causes at *now*, to be stored before the next decision, or None.

    Args:
        last: the last change of the alert of this rule and severity, None if it never was active.
        signal: what the evaluation says.
        now: time of the evaluation, UTC.
        timing: delays of the rule.
    """
    verdict: Verdict = "met" if signal.met else "clear" if signal.clear else "unknown"
    match next_step(last, verdict, now, timing):
        case None:
            return None
        case "begin":
            return _begun(signal, now, timing, last)
        case step:
            assert last is not None
            return _changed(last, step, signal, now)


def next_step(last: Transition | None, verdict: Verdict, now: datetime, timing: AlertTiming) -> Step | None:
    """Return what happens to an alert at *now*, None if nothing does; arguments are those of `decide`.

    Without data nothing changes: an alert neither fires nor ends. A time that was decided already changes nothing,
    and neither does a clock that went back.
    """
    if verdict == "unknown" or (last is not None and now <= last.at):
        return None
    if last is None or last.state == "resolved":
        return "begin" if verdict == "met" else None
    if last.state == "pending":
        if verdict == "clear":
            return "resolve"
        return "fire" if now - last.started_at >= timing.pending_for else None
    return _step_of_firing(last, verdict, now, timing)


def closed(last: Transition, now: datetime, reason: str) -> Transition:
    """Return the end of an alert whose rule has ended: no signal would ever resolve it."""
    return replace(
        last,
        sequence=last.sequence + 1,
        state="resolved",
        at=now,
        resolved_at=now,
        clear_since=None,
        summary=f"{last.details.slo_name}: {reason}",
    )


def _step_of_firing(last: Transition, verdict: Verdict, now: datetime, timing: AlertTiming) -> Step | None:
    if verdict == "met":
        return None if last.clear_since is None else "resume"
    wait = held_for(timing.keep_firing_for, flapping=last.flapping)
    if now - (last.clear_since or now) >= wait:
        return "resolve"
    return "hold" if last.clear_since is None else None


def _begun(signal: AlertSignal, now: datetime, timing: AlertTiming, before: Transition | None) -> Transition:
    pending = Transition(
        alert_id=_alert_id(signal, now, before),
        sequence=1,
        rule=signal.rule,
        slo_id=signal.slo_id,
        service=signal.service,
        environment=signal.environment,
        severity=signal.severity,
        state="pending",
        at=now,
        started_at=now,
        fired_at=None,
        resolved_at=None,
        summary=signal.firing_summary(),
        details=signal.details(),
        firings=() if before is None else recent_firings(before.firings, now),
        labels=signal.labels,
    )
    return pending if timing.pending_for > _NOW else _fired(pending, now)


def _changed(last: Transition, step: Step, signal: AlertSignal, now: datetime) -> Transition:
    following = replace(last, sequence=last.sequence + 1, at=now)
    match step:
        case "hold":
            return replace(following, clear_since=now)
        case "resume":
            return replace(following, clear_since=None)
        case "resolve":
            return replace(
                following,
                state="resolved",
                resolved_at=now,
                clear_since=None,
                summary=signal.resolved_summary(),
                details=replace(_details(last, signal), alert_name=last.details.alert_name, links=last.details.links),
            )
        case _:
            told = replace(following, summary=signal.firing_summary(), details=_details(last, signal))
            return _fired(told, now)


def _fired(pending: Transition, now: datetime) -> Transition:
    firings = (*recent_firings(pending.firings, now), now)
    flapping = is_flapping(firings)
    summary = f"{pending.summary}; {flapping_note(firings)}" if flapping else pending.summary
    return replace(pending, state="firing", fired_at=now, firings=firings, flapping=flapping, summary=summary)


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
