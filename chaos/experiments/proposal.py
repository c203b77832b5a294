"""A first experiment for a service: its busiest dependency answers late. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from api.models import Dependency, Slo
from chaos.errors import ExperimentError
from chaos.wire import ProxyTarget

LEAST_MS = 200
SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Proposal:
    """An experiment to write, and the edge that it needs. `targets` is None where the fault daemon has the edge."""

    name: str
    experiment: str
    dependency: str
    listen: str
    upstream: str
    targets: str | None


def propose(
    service: str,
    dependencies: Sequence[Dependency],
    *,
    slos: Sequence[Slo],
    environment: str,
    edges: Sequence[ProxyTarget],
    listen: str,
    p95_ms: float | None,
) -> Proposal:
    """Return an experiment on the busiest dependency that a proxy can stand before.

    Args:
        service: who calls.
        dependencies: what it calls, the busiest first.
        slos: the service's objectives, which become the hypothesis.
        environment: where; "" for any.
        edges: what the fault daemon runs already.
        listen: host:port where a new edge would listen.
        p95_ms: of the service's own requests, for a hypothesis without objectives.

    Raises:
        ExperimentError: its spans name no destination; the message says what to do.
    """
    busiest = next((each for each in dependencies if each.address and each.port), None)
    if busiest is None:
        raise ExperimentError(
            f"the spans of {service} name no address and port that it calls (server.address, server.port of client"
            " spans); instrument its HTTP or database client, or write an experiment on a process of it"
        )
    upstream = f"{busiest.address}:{busiest.port}"
    callee = busiest.server or busiest.protocol or upstream
    known = next((edge for edge in edges if edge.client == service and edge.server == callee), None)
    edge = known.name if known else f"{service}-{callee}"
    http = busiest.protocol == "http"
    return Proposal(
        name=f"{edge}-latency",
        experiment=_experiment(busiest, _Words(service, callee, edge, environment), _hypothesis(service, slos, p95_ms)),
        dependency=callee,
        listen=known.listen if known else listen,
        upstream=known.upstream if known else upstream,
        targets=None if known else _targets(edge, listen, upstream, service, callee, http=http),
    )


def injected_ms(dependency: Dependency) -> int:
    """Return a delay that nobody overlooks: three times the dependency's p95, in steps of 50 ms, at least 200.

    >>> fields = {"address": "a", "port": 1, "server": "", "protocol": "", "calls": 1, "errors": 0, "p50_ms": 1.0}
    >>> injected_ms(Dependency(**fields, p95_ms=2.0)), injected_ms(Dependency(**fields, p95_ms=110.0))
    (200, 350)
    """
    return max(LEAST_MS, 50 * -(-round(3 * dependency.p95_ms) // 50))


@dataclass(frozen=True, slots=True)
class _Words:
    service: str
    callee: str
    edge: str
    environment: str


def _experiment(dependency: Dependency, words: _Words, hypothesis: list[dict[str, object]]) -> str:
    delay = injected_ms(dependency)
    document = {
        "title": f"{words.callee} answers {delay} ms late",
        "description": (
            f"{words.service} called {words.callee} {dependency.calls:,} times, half of them within"
            f" {dependency.p50_ms:.0f} ms. Does {words.service} keep its promises when {words.callee} is slow?"
        ),
        **({"environment": words.environment} if words.environment else {}),
        "hypothesis": hypothesis,
        "method": [{"latency_injection": {"target": words.edge, "latency_ms": delay}}],
        **({"groups": {"share": SHARE}} if dependency.protocol == "http" else {}),
        "baseline_s": 30,
        "duration_s": 60,
        "recovery_s": 20,
        "lease_s": 10,
        "min_samples": 100,
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _hypothesis(service: str, slos: Sequence[Slo], p95_ms: float | None) -> list[dict[str, object]]:
    if slos:
        return [{"slo": each.id} for each in slos]
    slow_ms = max(100, 50 * -(-round(2 * (p95_ms or 0)) // 50))
    return [
        {"service": service, "sli": "availability", "margin": 0.01},
        {"service": service, "sli": "latency", "threshold_ms": slow_ms, "margin": 0.05},
    ]


def _targets(edge: str, listen: str, upstream: str, client: str, server: str, *, http: bool) -> str:
    proxy = {"name": edge, "listen": listen, "upstream": upstream, "client": client, "server": server}
    return yaml.safe_dump({"proxies": [proxy | ({"protocol": "http"} if http else {})]}, sort_keys=False)
