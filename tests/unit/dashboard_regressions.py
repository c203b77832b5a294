"""What got slower or fails more in the shop, as the API tells it."""

from api import models as m


def operation_change(**changes: object) -> m.OperationChange:
    """Return that checkout's orders became slower, with *changes*."""
    values: dict[str, object] = {
        "operation": "POST /orders",
        "kind": "server",
        "measure": "latency",
        "verdict": "worse",
        "requests_before": 1200,
        "requests_after": 900,
        "before": 0.05,
        "after": 0.31,
        "difference": 0.26,
        "low": 0.21,
        "high": 0.31,
        "before_ms": 420.5,
        "after_ms": 980.0,
        "reason": "the whole interval is above the margin",
    }
    return m.OperationChange.model_validate(values | changes)


def regressions(**changes: object) -> m.ServiceRegressions:
    values: dict[str, object] = {
        "service": "checkout",
        "environment": "prod",
        "against": "version",
        "before": "version 1.4",
        "after": "version 1.5",
        "compared": 1,
        "text": "version 1.5 against version 1.4: 1 operations had 100 requests on both sides",
        "items": [operation_change()],
    }
    return m.ServiceRegressions.model_validate(values | changes)
