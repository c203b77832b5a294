"""A first experiment for a service: its busiest dependency answers late. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import yaml

from api.models import Dependency, Slo
from chaos.address import Address
from chaos.errors import ExperimentError
from chaos.judge.sample_size import samples_to_plan
from chaos.wire import ProxyTarget

LEAST_MS = 200
LEAST_THRESHOLD_MS = 100
SHARE = 0.3
LEAST_MARGIN = 0.02  # with it 300 requests an arm decide; with a tenth of it, thousands
FAILS_ANYWAY = 0.001
LEAST_HELD_S = 60
MOST_HELD_S = 600


@dataclass(frozen=True, slots=True)
class Caller:
    """The service that the experiment is about, as its traffic is now; `p95_ms` None where there is none."""

    name: str
    environment: str = ""
    p95_ms: float | None = None
    requests_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """An experiment to write, and the edge that it needs. `targets` is None where the fault daemon has the edge."""

    edge: str
    experiment: str
    dependency: str
    listen: str
    upstream: str
    held_s: int
    targets: str | None

    @property
    def name(self) -> str:
        return f"{self.edge}-latency"


def propose(
    caller: Caller,
    dependencies: Sequence[Dependency],
    *,
    slos: Sequence[Slo],
    edges: Sequence[ProxyTarget],
    listen: str,
) -> Proposal:
    """Return an experiment on the busiest dependency that a proxy can stand before.

    Args:
        caller: who calls.
        dependencies: what it calls, the busiest first.
        slos: the service's objectives, which become the hypothesis.
        edges: what the fault daemon runs already.
        listen: host:port where a new edge would listen.

    Raises:
        ExperimentError: the service calls nothing, its spans name no destination, or *listen* is taken; the message
            says what to do.
    """
    busiest = _busiest(caller.name, dependencies)
    upstream = str(Address(busiest.address.removeprefix("[").removesuffix("]"), busiest.port))
    callee = busiest.server or busiest.protocol or upstream
    known = next((edge for edge in edges if edge.client == caller.name and edge.server == callee), None)
    if known is None:
        _require_free(listen, upstream, edges)
    edge = known.name if known else _file_name(f"{caller.name}-{callee}")
    http = busiest.protocol == "http" if known is None else known.protocol == "http"
    lines = _hypothesis(caller, slos)
    held_s = _held_s(caller.requests_per_s, SHARE if http else 1.0)
    return Proposal(
        edge=edge,
        experiment=_experiment(busiest, caller, callee, edge, lines, held_s=held_s, http=http, slos=slos),
        dependency=callee,
        listen=known.listen if known else listen,
        upstream=known.upstream if known else upstream,
        held_s=held_s,
        targets=None if known else _targets(edge, listen, upstream, caller.name, callee, http=http),
    )


def injected_ms(dependency: Dependency, threshold_ms: float = 0.0) -> int:
    """Return a delay that nobody overlooks, in steps of 50 ms.

    Three times what the dependency takes as a rule (its median: the p95 of its first minutes is that of its start), and
    twice what the caller may take (*threshold_ms*): only a caller who does not wait for it can keep its promise.

    >>> fields = {"address": "a", "port": 1, "server": "", "protocol": "", "calls": 1, "errors": 0, "p95_ms": 900.0}
    >>> injected_ms(Dependency(**fields, p50_ms=2.0)), injected_ms(Dependency(**fields, p50_ms=110.0))
    (200, 350)
    >>> injected_ms(Dependency(**fields, p50_ms=2.0), threshold_ms=250.0)
    500
    """
    return max(LEAST_MS, _steps(3 * dependency.p50_ms), _steps(2 * threshold_ms))


def _busiest(service: str, dependencies: Sequence[Dependency]) -> Dependency:
    if not dependencies:
        raise ExperimentError(
            f"{service} has called nothing in the last 15 minutes, as far as its spans tell; send it requests, look at"
            " the name (ninelives doctor shows who sends spans), and instrument its HTTP or database client"
        )
    found = next((each for each in dependencies if each.address and each.port), None)
    if found is None:
        raise ExperimentError(
            f"the spans of {service} name no address and port that it calls (server.address and server.port, or"
            " url.full, of client spans); bring its instrumentation up to date, or write an experiment on a process"
        )
    return found


def _require_free(listen: str, upstream: str, edges: Sequence[ProxyTarget]) -> None:
    if listen == upstream:
        raise ExperimentError(
            f"the calls go to {listen} already, where the fault proxy would listen: it would call itself. If this is"
            " its proxy, start the fault daemon first; otherwise choose another address with --listen HOST:PORT"
        )
    taken = next((edge for edge in edges if edge.listen == listen), None)
    if taken is not None:
        raise ExperimentError(
            f"the edge {taken.name} of the fault daemon listens on {listen}; choose another with --listen HOST:PORT"
        )


def _file_name(text: str) -> str:
    """Return *text* as a file can be called.

    >>> _file_name("shop/web-127.0.0.1:5432")
    'shop-web-127.0.0.1-5432'
    """
    return "".join(each if each.isalnum() or each in "._-" else "-" for each in text).lstrip(".-") or "edge"


def _experiment(
    dependency: Dependency,
    caller: Caller,
    callee: str,
    edge: str,
    hypothesis: list[dict[str, object]],
    *,
    held_s: int,
    http: bool,
    slos: Sequence[Slo],
) -> str:
    thresholds = [float(each.threshold_ms) for each in slos if each.threshold_ms is not None]
    delay = injected_ms(dependency, max(thresholds, default=_threshold_ms(caller)))
    document = {
        "title": f"{callee} answers {delay} ms late",
        "description": (
            f"{caller.name} called {callee} {dependency.calls:,} times, half of them within"
            f" {dependency.p50_ms:.0f} ms. Does {caller.name} keep its promises when {callee} is slow?"
        ),
        **({"environment": caller.environment} if caller.environment else {}),
        "hypothesis": hypothesis,
        "method": [{"latency_injection": {"target": edge, "latency_ms": delay}}],
        **({"groups": {"share": SHARE}} if http else {}),
        "baseline_s": 30 if http else held_s,  # before/after compares windows of the same length
        "duration_s": held_s,
        "recovery_s": 20,
        "lease_s": 10,
        "min_samples": 100,
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _hypothesis(caller: Caller, slos: Sequence[Slo]) -> list[dict[str, object]]:
    """Return the lines; an objective stricter than LEAST_MARGIN gets a margin that a first run can prove."""
    if slos:
        strict = {each.id for each in slos if 1 - each.objective < LEAST_MARGIN}
        return [{"slo": each.id, **({"margin": LEAST_MARGIN} if each.id in strict else {})} for each in slos]
    return [
        {"service": caller.name, "sli": "availability", "margin": LEAST_MARGIN},
        {"service": caller.name, "sli": "latency", "threshold_ms": _threshold_ms(caller), "margin": 0.05},
    ]


def _threshold_ms(caller: Caller) -> int:
    return max(LEAST_THRESHOLD_MS, _steps(2 * (caller.p95_ms or 0)))


def _held_s(requests_per_s: float, share: float) -> int:
    """Return for how long the fault brings an arm the requests that show a fault without effect to have none.

    >>> [_held_s(rate, 0.3) for rate in (0.0, 5.0, 20.0, 200.0)]
    [60, 190, 60, 60]
    """
    needed = samples_to_plan(FAILS_ANYWAY, FAILS_ANYWAY, LEAST_MARGIN)
    if needed is None or requests_per_s <= 0:
        return LEAST_HELD_S
    return min(MOST_HELD_S, max(LEAST_HELD_S, 10 * ceil(needed / (requests_per_s * share) / 10)))


def _steps(milliseconds: float) -> int:
    return 50 * -(-round(milliseconds) // 50)


def _targets(edge: str, listen: str, upstream: str, client: str, server: str, *, http: bool) -> str:
    proxy = {"name": edge, "listen": listen, "upstream": upstream, "client": client, "server": server}
    return yaml.safe_dump({"proxies": [proxy | ({"protocol": "http"} if http else {})]}, sort_keys=False)
