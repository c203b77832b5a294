"""Messages that tell of everything that a message can tell of: templates are tried on them before anybody is paged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from alerts.evidence import (
    Deployment,
    Difference,
    Evidence,
    EvidenceTrace,
    Experiment,
    Forecast,
    LogLine,
    PastAlert,
    Spender,
)
from alerts.labels import labels_of
from alerts.message import Message, MessageAlert
from alerts.transition import AlertDetails, ConditionDetails, Measurement, Transition, WindowDetails

_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_URL: Final = "https://ninelives.example/sample"
_WINDOW: Final = WindowDetails("1h", 98, 2, 100, 20.0)
_FIRING: Final = Transition(
    alert_id="sample-page-1",
    sequence=1,
    slo_id="sample",
    service="sample",
    environment="sample",
    severity="page",
    state="firing",
    at=_AT,
    started_at=_AT - timedelta(minutes=1),
    fired_at=_AT,
    resolved_at=None,
    summary="This is a sample. Nothing is wrong.",
    details=AlertDetails(
        "Sample",
        "sample",
        Decimal("0.999"),
        200.0,
        _WINDOW,
        0.5,
        (ConditionDetails(True, 14.4, _WINDOW, _WINDOW),),
        Measurement("sample", (("sample", "sample"),), 1.0, ">", 0.0, "1"),
    ),
    firings=(_AT, _AT),
    flapping=True,
    labels=(("sample", "sample"),),
)
_RESOLVED: Final = replace(_FIRING, sequence=2, state="resolved", resolved_at=_AT + timedelta(minutes=1))
_TICKET: Final = replace(_FIRING, alert_id="sample-ticket-1", severity="ticket", service="", environment="")
_EVIDENCE: Final = Evidence(
    alert_id="sample-page-1",
    gathered_at=_AT,
    start=_AT,
    end=_AT,
    summary="a sample",
    error_budget_spent=0.1,
    forecasts=(Forecast(1, _AT), Forecast(24, None)),
    traces=(EvidenceTrace("0" * 32, "GET /", _AT, 1.0, True, "0" * 16, "sample", "sample"),),
    spenders=(Spender("sample", "sample", 1, 1.0),),
    differences=(Difference("sample", "sample", 1.0, 0.5, 2.0),),
    deployments=(Deployment("sample", "2", "1", _AT),),
    experiments=(Experiment("1", "sample", _AT, None),),
    logs=(LogLine(_AT, "ERROR", "sample", "sample", ""),),
    past=(PastAlert("sample", _AT, 60.0, "sample"),),
    owner="sample",
)


def sample_messages(receiver: str = "sample") -> tuple[Message, ...]:
    """Return one that fires, with evidence; its end; and a group of all kinds, without."""
    return (
        _message(receiver, _alert(_FIRING, _EVIDENCE)),
        _message(receiver, _alert(_RESOLVED, _EVIDENCE)),
        _message(receiver, _alert(_FIRING), _alert(_TICKET), _alert(_RESOLVED), truncated=1),
        _message(receiver, MessageAlert(_FIRING, labels_of(_FIRING))),
    )


def _alert(transition: Transition, evidence: Evidence | None = None) -> MessageAlert:
    return MessageAlert(transition, labels_of(transition), evidence, _URL, _URL, _URL, (_URL,), _URL)


def _message(receiver: str, *alerts: MessageAlert, truncated: int = 0) -> Message:
    return Message("sample", receiver, alerts[0].status, "sample", {"service_name": "sample"}, alerts, _URL, truncated)
