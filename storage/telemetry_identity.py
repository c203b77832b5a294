"""Findings about what services say of themselves: name, version, environment, kinds of their spans."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from storage import telemetry_remedies as remedies
from storage.telemetry_finding import FEWEST, Finding, Row, finding

UNKNOWN = "unknown_service"
ALIASES = {"production": "prod", "prd": "prod", "live": "prod", "stage": "staging", "stg": "staging",
           "development": "dev", "testing": "test"}  # fmt: skip


def requests(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        spans, outgoing = row["spans"], row["outgoing"]
        if spans < FEWEST:
            continue
        kinds = f"{outgoing:,} of them are calls to others" if outgoing else "all are of kind INTERNAL"
        yield finding(
            "no_request_spans",
            row,
            "info" if outgoing else "warning",
            f"none of {spans:,} spans is a request (kind SERVER or CONSUMER), {kinds}: no rate, no objectives",
            remedy=remedies.ONLY_CALLS if outgoing else remedies.REQUEST_SPANS,
            evidence={"spans": spans, "internal_spans": row["internal"], "outgoing_spans": outgoing},
        )


def identity(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        yield from _unnamed(row) if row["service"].startswith(UNKNOWN) else _incomplete(row)
    for service, group in groupby(rows, key=lambda row: str(row["service"])):
        if not service.startswith(UNKNOWN):
            yield from _environments(service, list(group))


def _unnamed(row: Row) -> Iterator[Finding]:
    yield finding(
        "missing_service_name",
        row,
        "critical",
        f"{row['origins']:,} resources have no service.name, so their services cannot be told apart",
        remedy=remedies.SERVICE_NAME,
        evidence={"resources": row["origins"]},
    )


def _incomplete(row: Row) -> Iterator[Finding]:
    origins = row["origins"]
    if without := row["without_version"]:
        text = f"{without:,} of {origins:,} resources have no service.version"
        evidence = {"resources": origins, "resources_without_version": without}
        yield finding(
            "missing_service_version",
            row,
            "info",
            text,
            remedy=remedies.SERVICE_VERSION,
            evidence=evidence,
            examples=[],
        )
    if not row["environment"]:
        text = f"{origins:,} resources have no deployment.environment.name"
        evidence = {"resources": origins}
        yield finding(
            "missing_environment", row, "warning", text, remedy=remedies.ENVIRONMENT, evidence=evidence, examples=[]
        )


def _environments(service: str, rows: Sequence[Row]) -> Iterator[Finding]:
    """Find one environment under two names, or with and without a name."""
    names = [str(row["environment"]) for row in rows]
    named = [name for name in names if name]
    if not named or (len(named) == len(names) and len({_plain(name) for name in named}) == len(named)):
        return
    shown = ", ".join(repr(name) if name else "none" for name in names)
    text = f"its telemetry names {len(names)} environments ({shown}) that look like fewer, and each is a service here"
    evidence = {f"resources_{row['environment'] or 'none'}": row["origins"] for row in rows}
    yield Finding("mixed_environments", service, "", "warning", text, remedies.ENVIRONMENT, evidence, named)


def _plain(environment: str) -> str:
    return ALIASES.get(environment.casefold(), environment.casefold())
