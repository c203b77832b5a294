"""Other people's journals, old and new, as runs of ours. Pure."""

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any

import orjson

from api.models import Run, RunEvent, RunSource, RunStatus
from chaos.errors import ChaosError
from chaos.toolkit import journal_parts as parts
from chaos.toolkit.interpretation import ToolkitResult, interpret
from chaos.toolkit.journal import Journal, noted
from chaos.toolkit.redaction import redact

MOST_BYTES = 5_000_000
MOST_EVENTS = 500
DEPTH = 60


class JournalError(ChaosError):
    """A journal cannot be used; the message says why."""


def read_journal(content: bytes) -> Run:
    """Return the run that a Chaos Toolkit journal records, judged anew by what it proves.

    Secrets, header values and lines of environments are replaced by "[redacted]" before anything is kept. The id is
    made of the content, so the same journal is the same run however often it is read.

    Raises:
        JournalError: it is larger than 5 MB, no JSON, no journal, or says nothing of when it ran.
    """
    if len(content) > MOST_BYTES:
        raise JournalError(f"the journal has {len(content)} bytes; at most {MOST_BYTES} are taken, cut its outputs")
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise JournalError(f"the journal is not JSON ({error}); a runner that was killed may have cut it") from error
    if not isinstance(document, dict) or not isinstance(document.get("experiment"), dict):
        raise JournalError("this is no Chaos Toolkit journal: it has no experiment")
    return run_of(document, run_id=_id(document, content))


def run_of(journal: Journal, *, run_id: str, source: RunSource = "imported") -> Run:
    """Return the run with the id *run_id* that *journal* records (raises JournalError, see `read_journal`).

    Args:
        journal: Chaos Toolkit's.
        run_id: what the run is called.
        source: "imported" is other people's, whose tolerances are not all evaluated; "chaostoolkit" was run here.
    """
    started_at = parts.moment(journal.get("start"))
    if started_at is None:
        raise JournalError(f"the journal's start is no time (got {journal.get('start')!r})")
    ended_at = _end(journal, started_at)
    if _depth(journal) > DEPTH:
        raise JournalError(f"the journal is nested more than {DEPTH} levels deep")
    result = interpret({**journal, "end": ended_at.isoformat()}, trusted=source != "imported")
    safe = redact(journal)
    title = str(safe["experiment"].get("title") or "(no title)")
    return Run(
        id=run_id,
        experiment=_slug(title),
        title=title,
        status=_status(result),
        verdict=result.verdict,
        started_at=started_at,
        ended_at=ended_at,
        heartbeat_at=ended_at,
        method=[_fault(each) for each in parts.runs(safe.get("run")) if parts.activity(each).get("type") == "action"],
        source=source,
        hypothesis=_hypothesis(safe["experiment"]),
        windows=result.windows,
        events=_events(safe, started_at)[:MOST_EVENTS],
        document=safe["experiment"],
        journal=safe,
        summary=redact(_summary(result)),
    )


def _end(journal: Journal, started_at: datetime) -> datetime:
    """When it ended: as it says, after its duration, or with its last activity."""
    declared, duration = parts.moment(journal.get("end")), journal.get("duration")
    if declared is not None:
        return max(declared, started_at)
    if isinstance(duration, int | float) and 0 <= duration <= 366 * 86_400:
        return started_at + timedelta(seconds=duration)
    every = [*parts.runs(journal.get("run")), *parts.runs(journal.get("rollbacks"))]
    times = [parts.moment(each.get(name)) for each in every for name in ("start", "end")]
    return max([started_at, *(at for at in times if at is not None)])


def _events(journal: Journal, started_at: datetime) -> list[RunEvent]:
    found = []
    checks = [(f"hypothesis {phase}", parts.probe_runs(journal, phase)) for phase in ("before", "during", "after")]
    played = [("method", parts.runs(journal.get("run"))), ("rollback", parts.runs(journal.get("rollbacks")))]
    for step, runs in (*checks, *played):
        for each in runs:
            status = each.get("status") or "interrupted"
            message = (
                f"{parts.activity(each).get('type', 'activity')} {parts.activity(each).get('name', '?')}: {status}"
            )
            found.append(RunEvent(at=parts.moment(each.get("start")) or started_at, step=step, message=message))
    found += [RunEvent(at=started_at, step="problem", message=str(each)) for each in noted(journal)["problems"]]
    return sorted(found, key=lambda event: event.at)


def _fault(run: dict[str, Any]) -> dict[str, Any]:
    activity = parts.activity(run)
    provider = parts.mapping(activity.get("provider"))
    called = ".".join(str(provider[name]) for name in ("module", "func") if provider.get(name))
    arguments = parts.mapping(provider.get("arguments"))
    kind = called or str(provider.get("path") or provider.get("url") or provider.get("type") or "?")
    return {**arguments, "kind": kind, "target": str(arguments.get("target") or activity.get("name") or "?")}


def _hypothesis(experiment: dict[str, Any]) -> list[str]:
    probes = parts.runs(parts.mapping(experiment.get("steady-state-hypothesis")).get("probes"))
    return [str(each.get("name", "?")) for each in probes]


def _status(result: ToolkitResult) -> RunStatus:
    if result.verdict == "aborted":
        return "aborted"
    return "finished" if result.ran else "failed"


def _summary(result: ToolkitResult) -> str:
    opening = result.verdict.replace("_", " ").capitalize() if result.ran or result.verdict == "aborted" else "Not run"
    return f"{opening}: {result.reason}. Judged from the activities that the journal records, not from spans."


def _id(journal: Journal, content: bytes) -> str:
    given = noted(journal).get("id")  # from our control; its prefix keeps it apart from runs of ours
    if isinstance(given, str) and re.fullmatch(r"chaostoolkit-[A-Za-z0-9._-]{1,90}", given):
        return given
    return f"imported-{hashlib.sha256(content).hexdigest()[:16]}"


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "untitled"


def _depth(value: Any) -> int:
    """Levels of nesting, counted without recursion; stops soon after `DEPTH`."""
    level, depth = [value], 0
    while level and depth <= DEPTH:
        level = [
            each
            for parent in level
            for each in (parent.values() if isinstance(parent, dict) else parent if isinstance(parent, list) else ())
        ]
        depth += 1
    return depth
