"""The control that tells Ninelives of runs of stock `chaos run`: the journal to the API, spans over OTLP.

Chaos Toolkit logs the errors of controls at debug level only, so nothing is raised here: what goes wrong is an error
line, and the journal says it too.
"""

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from opentelemetry.trace import Span

from chaos.experiments.toolkit_names import ACTIONS
from chaos.toolkit.connection import CALL_TIMEOUT_S, Connection, connection
from chaos.toolkit.journal import note
from chaos.toolkit.plain import encode
from chaos.toolkit.run_span import RunSpan

__all__ = [
    "after_activity_control",
    "after_experiment_control",
    "before_activity_control",
    "before_experiment_control",
    "cleanup_control",
    "configure_control",
]

Activity = dict[str, Any]

_ENDINGS = frozenset({"revert", "emergency_stop"})
_MISSING = object()

log = logging.getLogger("chaostoolkit")


@dataclass(slots=True)
class _Recording:
    """The run that this process is in; Chaos Toolkit knows one at a time."""

    run_id: str
    where: Connection
    span: RunSpan | None
    problems: list[str] = field(default_factory=list)
    headers: dict[int, Any] = field(default_factory=dict)

    @contextmanager
    def loudly(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - Chaos Toolkit would hide it
            self.problems.append(f"{what} failed: {error}")
            log.error("the ninelives control: %s failed: %s", what, error)  # noqa: TRY400 - the trace helps nobody here


_current: dict[str, _Recording] = {}  # module state, because Chaos Toolkit calls functions of a module


def configure_control(experiment: dict[str, Any] | None = None, configuration: dict[str, Any] | None = None) -> None:
    """Begin a recording; OTLP spans only where `ninelives_otlp` or OTEL_EXPORTER_OTLP_ENDPOINT says where to."""
    run_id = f"chaostoolkit-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    recording = _Recording(run_id, connection(configuration), None)
    _current["run"] = recording
    if recording.where.otlp:
        with recording.loudly("starting the span of the run"):
            title = str((experiment or {}).get("title", ""))
            recording.span = RunSpan(recording.where.otlp, run_id=run_id, title=title, token=recording.where.otlp_token)


def before_experiment_control(context: dict[str, Any]) -> None:  # noqa: ARG001 - passed by this name
    """Note the start on the run's span."""
    _on_span("noting the start", lambda span: span.add_event("experiment.started"))


def before_activity_control(context: Activity) -> None:
    """Hand the run's trace on to what an http activity calls."""
    recording = _recording()
    provider = context.get("provider") or {}
    if recording.span is None or provider.get("type") != "http":
        return
    with recording.loudly("adding trace headers"):
        given = provider.get("headers", _MISSING)
        recording.headers[id(context)] = given
        provider["headers"] = {**recording.span.headers(), **(given if isinstance(given, dict) else {})}


def after_activity_control(context: Activity, state: dict[str, Any] | None = None) -> None:
    """Note the activity on the run's span, and take back its headers: the journal shows the file as it was written."""
    recording = _recording()
    if id(context) in recording.headers:
        given = recording.headers.pop(id(context))
        if given is _MISSING:
            context["provider"].pop("headers", None)
        else:
            context["provider"]["headers"] = given
    status = str((state or {}).get("status") or "interrupted")
    attributes = {"chaostoolkit.activity.name": str(context.get("name", "")), "chaostoolkit.activity.status": status}
    name = _event_name(context, status)
    _on_span("noting an activity", lambda span: span.add_event(name, attributes))


def after_experiment_control(context: dict[str, Any], state: dict[str, Any]) -> None:  # noqa: ARG001 - see above
    """End the span and post the journal; whatever failed on the way stands in the journal."""
    recording = _recording()
    if recording.span is not None:
        with recording.loudly("sending the span of the run"):
            recording.span.end(str(state.get("status")), deviated=bool(state.get("deviated")))
    with recording.loudly(f"posting the journal to {recording.where.api}"):
        journal = note(state, problems=recording.problems)
        journal["experiment"]["extensions"] = _named(journal["experiment"]["extensions"], recording.run_id)
        _post(recording.where, encode(journal))
    state["experiment"] = note(state, problems=recording.problems)["experiment"]


def cleanup_control() -> None:
    """Forget the run."""
    _current.clear()


def _recording() -> _Recording:
    """Return the present recording; one begins here if Chaos Toolkit could not configure the control."""
    if "run" not in _current:
        configure_control()
    return _current["run"]


def _on_span(what: str, change: Callable[[Span], object]) -> None:
    recording = _recording()
    if recording.span is not None:
        with recording.loudly(what):
            change(recording.span.span)


def _event_name(activity: Activity, status: str) -> str:
    provider = activity.get("provider") or {}
    if provider.get("module") != ACTIONS or status != "succeeded":
        return "activity"
    return "fault.reverted" if provider.get("func") in _ENDINGS else "fault.injected"


def _named(extensions: list[dict[str, Any]], run_id: str) -> list[dict[str, Any]]:
    return [{**each, "run": {**each["run"], "id": run_id}} if "run" in each else each for each in extensions]


def _post(where: Connection, journal: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    if where.token:
        headers["Authorization"] = f"Bearer {where.token}"
    with httpx.Client(timeout=CALL_TIMEOUT_S, trust_env=False) as client:
        answer = client.post(f"{where.api}/api/v1/runs/import", content=journal, headers=headers)
    if answer.is_error:
        raise httpx.HTTPError(f"HTTP {answer.status_code}: {answer.text[:200]}")
