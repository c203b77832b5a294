"""Why an alert fires, as short plain lines: who spent the budget, what differs, what changed."""

from datetime import timedelta
from typing import Final

from alerts.evidence import Deployment, Difference, Evidence, Experiment, LogLine, PastAlert, Spender
from alerts.plain_text import length_of_time, number, one_line, percent_of_share, utc

_NAME: Final = 120


def causes(evidence: Evidence | None) -> tuple[str, ...]:
    """Return the strongest findings, most telling first; nothing without evidence."""
    if evidence is None:
        return ()
    return (
        *spent_by(evidence),
        *(difference_text(difference) for difference in evidence.differences[:1]),
        *changes(evidence),
        *(_log(line) for line in evidence.logs[:1]),
        *(_past(alert) for alert in evidence.past[:1]),
    )


def spent_by(evidence: Evidence) -> tuple[str, ...]:
    """Return who is charged with most bad requests; without shares, who is to blame in the first trace."""
    if evidence.spenders:
        return (spender_text(evidence.spenders[0]),)
    return tuple(
        f"{_operation(trace.guilty_service, trace.guilty_operation)} is to blame in the first trace"
        for trace in evidence.traces[:1]
        if trace.guilty_service
    )


def spender_text(spender: Spender) -> str:
    who = _operation(spender.service, spender.operation)
    return f"{who} caused {percent_of_share(spender.share)} of the bad requests ({spender.bad:,})"


def difference_text(difference: Difference) -> str:
    what = f"{one_line(difference.attribute, _NAME)}={one_line(difference.value, _NAME)}"
    shares = f"{percent_of_share(difference.share_of_bad)} of bad, {percent_of_share(difference.share_of_good)} of good"
    lift = "only bad requests have it" if difference.lift is None else f"lift {number(difference.lift)}x"
    return f"{what}: {shares} requests; {lift}"


def changes(evidence: Evidence) -> tuple[str, ...]:
    """Return the deployments and experiments of the window, newest deployments first."""
    newest = sorted(evidence.deployments, key=lambda deployment: deployment.at, reverse=True)
    return (
        *(deployment_text(deployment) for deployment in newest[:2]),
        *(experiment_text(experiment) for experiment in evidence.experiments[:2]),
    )


def deployment_text(deployment: Deployment) -> str:
    before = f", before {one_line(deployment.before, 60)}" if deployment.before else ""
    version = f"{one_line(deployment.service, _NAME)} {one_line(deployment.version, 60)}"
    return f"deployment of {version} at {utc(deployment.at)}{before}"


def experiment_text(experiment: Experiment) -> str:
    until = "still running" if experiment.ended_at is None else f"until {utc(experiment.ended_at)}"
    return f"experiment {one_line(experiment.title, _NAME)} since {utc(experiment.started_at)}, {until}"


def _log(line: LogLine) -> str:
    return f"log of {one_line(line.service, _NAME)}: {one_line(line.severity, 20)} {one_line(line.body, 200)}"


def _past(alert: PastAlert) -> str:
    length = "" if alert.lasted_s is None else f" for {length_of_time(timedelta(seconds=alert.lasted_s))}"
    note = f": {one_line(alert.note, 200)}" if alert.note else ""
    return f"last time: {utc(alert.fired_at)}{length}{note}"


def _operation(service: str, operation: str) -> str:
    return f"{one_line(service, _NAME)} ({one_line(operation, _NAME)})" if operation else one_line(service, _NAME)
