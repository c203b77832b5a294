"""The client's calls about experiments and their runs, and the counts that they are judged by."""

from datetime import datetime
from typing import Any

from api import models as m
from api.transport import Transport, segment


class RunCalls(Transport):
    """Typed calls. *environment* and *version* None mean any; an *arm* needs the *groups* that split the requests."""

    def runs(self) -> list[m.Run]:
        return self._get(m.Page[m.Run], "runs").items

    def run(self, run_id: str) -> m.Run:
        return self._get(m.Run, f"runs/{segment(run_id)}")

    def save_run(self, run: m.Run) -> None:
        """Store the run's present state; a later state replaces an earlier one."""
        self._send("PUT", f"runs/{segment(run.id)}", content=run.model_dump_json().encode())

    def sli(
        self,
        service: str,
        *,
        start: datetime,
        end: datetime,
        environment: str | None = None,
        threshold_ms: float | None = None,
        arm: m.Arm | None = None,
        groups: m.Groups | None = None,
        version: str | None = None,
    ) -> m.SliCount:
        """Count the requests of *service* that started in [start, end)."""
        selected = _selected(start=start, end=end, environment=environment, version=version, arm=arm, groups=groups)
        return self._get(m.SliCount, "sli", service=service, threshold_ms=threshold_ms, **selected)

    def edge(
        self,
        client: str,
        server: str,
        *,
        start: datetime,
        end: datetime,
        environment: str | None = None,
        arm: m.Arm | None = None,
        groups: m.Groups | None = None,
        version: str | None = None,
    ) -> m.EdgeCount:
        """Count the calls from *client* to *server* that started in [start, end); *version* is the client's."""
        selected = _selected(start=start, end=end, environment=environment, version=version, arm=arm, groups=groups)
        return self._get(m.EdgeCount, "edges", client=client, server=server, **selected)

    def latencies(
        self,
        service: str,
        *,
        start: datetime,
        end: datetime,
        environment: str | None = None,
        arm: m.Arm | None = None,
        groups: m.Groups | None = None,
        version: str | None = None,
        limit: int = 2000,
    ) -> m.LatencySample:
        """Return the durations of at most *limit* requests, the shortest first; the same ones at every call."""
        selected = _selected(start=start, end=end, environment=environment, version=version, arm=arm, groups=groups)
        return self._get(m.LatencySample, "latencies", service=service, limit=limit, **selected)

    def exemplars(
        self,
        service: str,
        *,
        start: datetime,
        end: datetime,
        environment: str | None = None,
        arm: m.Arm | None = None,
        groups: m.Groups | None = None,
        version: str | None = None,
        threshold_ms: float | None = None,
        limit: int = 10,
    ) -> list[str]:
        """Return trace ids, failed requests first, then the slowest; with a threshold only what is worse than it."""
        selected = _selected(start=start, end=end, environment=environment, version=version, arm=arm, groups=groups)
        return self._get(
            m.Page[str], "exemplars", service=service, threshold_ms=threshold_ms, limit=limit, **selected
        ).items


def _selected(
    *,
    start: datetime,
    end: datetime,
    environment: str | None,
    version: str | None,
    arm: m.Arm | None,
    groups: m.Groups | None,
) -> dict[str, Any]:
    """Return what selects requests; *groups* without an arm selects nothing."""
    split = {} if arm is None or groups is None else {"share": groups.share, "seed": groups.seed}
    return {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "environment": environment,
        "version": version,
        "arm": arm,
        **split,
    }
