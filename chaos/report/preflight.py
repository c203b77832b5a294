"""A pre-flight as text for a terminal. Pure."""

from api.models import PredictedCost, Preflight, RunCheck


def preflight_text(found: Preflight) -> str:
    """Return what a run would mean: claim, faults, who may be hurt, what it may cost, every check, what ends it."""
    lines = [
        f"{found.title} ({found.experiment})",
        f"  environment   {found.environment or 'any'}",
        f"  compared      {_compared(found)}",
        *_list("hypothesis", found.hypothesis),
        *_list("method", [_fault(fault) for fault in found.method]),
        f"  may hurt      {', '.join(found.affected) or 'nobody that traces know'}",
        *_list("cost", [_cost(each) for each in found.predicted] or ["no objective of these services has a budget"]),
        *_list("ends early", found.safeguards),
        "Checks",
        *(f"  {_sign(check)} {check.name}: {check.detail}" for check in found.checks),
        "Ready: nothing was broken by asking." if found.runnable else "Not ready: it would be refused.",
    ]
    return "\n".join(lines)


def _compared(found: Preflight) -> str:
    if found.comparison == "concurrent":
        return f"{found.share:.0%} of the requests are treated, as many are control, for {found.duration_s:g} s"
    return f"before and after (weaker: drift counts as effect), every request for {found.duration_s:g} s"


def _list(name: str, items: list[str]) -> list[str]:
    return [f"  {name if not index else '':<13} {item}" for index, item in enumerate(items)]


def _fault(fault: dict[str, object]) -> str:
    rest = ", ".join(f"{name} {value}" for name, value in fault.items() if name not in {"kind", "target"})
    return f"{fault.get('kind')} on {fault.get('target')}" + (f" ({rest})" if rest else "")


def _cost(cost: PredictedCost) -> str:
    if cost.predicted_share is None:
        return f"{cost.slo_id}: {cost.explanation}"
    return f"{cost.slo_id}: at most {cost.predicted_share:.2%} of its budget ({cost.explanation})"


def _sign(check: RunCheck) -> str:
    return "ok  " if check.ok else "STOP" if check.blocks else "note"
