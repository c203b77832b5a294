"""Who spent the budget: every bad request is charged to exactly one service and operation."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from slo.critical_path import own_times
from slo.indicator import FasterThan, Good, NotError
from slo.predicate import And, Comparison, Not, Or, Predicate
from slo.span_tree import SpanTree, TraceSpan, build_tree

Cause = Literal["error", "latency", "other"]
Operation: TypeAlias = tuple[str, str]  # of a service


@dataclass(frozen=True, slots=True)
class Charge:
    """One bad request, charged to the service and operation of one span.

    `why` says it in words. `unanswered`: the span is a call whose other side sent no span, and whom it called is not
    known; `charge_peer` corrects that.
    """

    service: str
    operation: str
    span_id: str
    why: str
    unanswered: bool = False


def cause_of(good: Good, *, failed: bool) -> Cause:
    """Return why a request that is not *good* is bad; *failed*: its span is an error.

    A predicate over nothing but the duration speaks of latency; any other that a failed request does not meet, of the
    error. What is left, such as a predicate over an attribute, is explained by no span below: "other".
    """
    match good:
        case NotError():
            return "error"
        case FasterThan():
            return "latency"
    fields = set(_fields(good.predicate))
    if failed and fields != {"duration_ms"}:
        return "error"
    return "latency" if "duration_ms" in fields else "other"


def charge(
    request: TraceSpan, spans: Iterable[TraceSpan], *, cause: Cause, typical: Mapping[Operation, int] | None = None
) -> Charge:
    """Return to whom the bad *request* is charged, given the *spans* of its trace.

    An error goes to the deepest failing span that failing children lead to. Where several children failed, the way
    leads to the one that ended last: of an attempt and its retries, the last one is what the caller failed by. Of
    those, to the one that started first.

    A slow request goes to the operation with the largest excess: its own time on the critical path, above *typical*,
    the nanoseconds that the operation usually has there in one request (0 where it is not listed). The spans of an
    operation count together, so a thousand quick queries weigh as much as one slow query; the one with the most own
    time stands for them.

    If that span is a call whose other side sent no span, the callee is charged by the name that the call gives it
    (`peer`), or else the caller. Any other cause goes to the request itself.
    """
    tree = build_tree(request, spans)
    if cause == "error":
        return _error_charge(tree)
    if cause == "latency":
        return _latency_charge(tree, typical or {})
    return _charged(tree, request, "the request itself: what made it bad is no error and no duration")


def charge_peer(charged: Charge, peer: str) -> Charge:
    """Return an unanswered call's charge moved to the service named *peer*; any other, and without a name, as it is."""
    if not charged.unanswered or not peer:
        return charged
    return replace(charged, service=peer, why=f"{charged.why}; {peer} sent no span", unanswered=False)


def own_times_by_operation(request: TraceSpan, spans: Iterable[TraceSpan]) -> dict[Operation, int]:
    """Return the nanoseconds that each operation has for itself on the critical path of *request*.

    Their medians over good requests are the typical times that `charge` wants.
    """
    tree = build_tree(request, spans)
    return {operation: sum(times.values()) for operation, times in _own_times(tree).items()}


def _error_charge(tree: SpanTree) -> Charge:
    span, depth = tree.request, 0
    while failing := [child for child in tree.children(span) if child.error]:
        span, depth = min(failing, key=lambda each: (-each.end_ns, each.start_ns, each.span_id)), depth + 1
    why = f"the deepest failing span, {depth} below the request" if depth else "it failed, and no call below it did"
    return _charged(tree, span, why)


def _latency_charge(tree: SpanTree, typical: Mapping[Operation, int]) -> Charge:
    by_operation = _own_times(tree)
    excess = {operation: sum(times.values()) - typical.get(operation, 0) for operation, times in by_operation.items()}
    spans = {span.span_id: span for span in tree}

    def rank(operation: Operation) -> tuple[int, int, Operation]:
        return -excess[operation], -sum(by_operation[operation].values()), operation

    guilty = min(excess, key=rank)
    times = by_operation[guilty]
    span = min(
        (spans[span_id] for span_id in times), key=lambda each: (-times[each.span_id], each.start_ns, each.span_id)
    )
    return _charged(
        tree, span, f"{_milliseconds(excess[guilty])} ms of its own time on the critical path above the usual"
    )


def _own_times(tree: SpanTree) -> dict[Operation, dict[str, int]]:
    """Return the own time on the critical path of every span there, and of the request, by operation and span id."""
    times = {tree.request.span_id: 0} | own_times(tree)
    found: defaultdict[Operation, dict[str, int]] = defaultdict(dict)
    for span in tree:
        if span.span_id in times:
            found[span.service, span.operation][span.span_id] = times[span.span_id]
    return found


def _charged(tree: SpanTree, span: TraceSpan, why: str) -> Charge:
    unanswered = span.kind == "client" and not tree.answered(span)
    return charge_peer(Charge(span.service, span.operation, span.span_id, why, unanswered), span.peer)


def _fields(predicate: Predicate) -> Iterator[str]:
    match predicate:
        case Comparison(field):
            yield field
        case Not(operand):
            yield from _fields(operand)
        case And(operands) | Or(operands):  # pragma: no branch -- every kind of predicate is above
            for operand in operands:
                yield from _fields(operand)


def _milliseconds(nanoseconds: int) -> str:
    """Return whole milliseconds, or more of them where there are few."""
    return f"{nanoseconds / 1e6:,.3g}" if abs(nanoseconds) < 10**8 else f"{nanoseconds // 10**6:,}"
