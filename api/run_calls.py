"""The client's calls about experiments and their runs, and the counts that they are judged by."""

from datetime import datetime
from typing import Any

from api import models as m
from api.transport import Transport, segment


class RunCalls(Transport):
    """Typed calls. *environment* and *version* None mean any; an *arm* needs the *groups* that split the requests."""

    def runs(self, *, experiment: str = "", environment: str = "", limit: int = 200) -> list[m.RunSummary]:
        """Return the newest runs of one experiment and environment, "" for any; `run` returns all of one."""
        return self.runs_page(experiment=experiment, environment=environment, limit=limit).items

    def runs_page(
        self, *, experiment: str = "", environment: str = "", limit: int = 100, cursor: str = ""
    ) -> m.Page[m.RunSummary]:
        """Return a page of runs, newest first; *cursor* is `next_cursor` of the page before."""
        return self._get(
            m.Page[m.RunSummary], "runs", experiment=experiment, environment=environment, limit=limit, cursor=cursor
        )

    def run(self, run_id: str) -> m.Run:
        return self._get(m.Run, f"runs/{segment(run_id)}")

    def save_run(self, run: m.Run) -> m.RunState:
        """Store the run's present state in place of an earlier one; returns whether someone wants it to end."""
        answer = self._send("PUT", f"runs/{segment(run.id)}", content=run.model_dump_json().encode())
        return m.RunState.model_validate_json(answer.content)

    def import_journal(self, journal: bytes) -> m.Run:
        """Store the run that a Chaos Toolkit *journal* records, and return it; refused (422) with the reason."""
        return m.Run.model_validate_json(self._send("POST", "runs/import", content=journal).content)

    def stop_run(self, run_id: str, *, by: str = "", reason: str = "") -> m.RunState:
        """Ask for the end of a run; its runner hears of it with its next heartbeat."""
        return self._post(m.RunState, f"runs/{segment(run_id)}/stop", m.StopRequest(by=by, reason=reason))

    def experiments(self) -> list[m.Experiment]:
        """Return the experiments that the server can start; refused (409) by one that can start none."""
        return self._get(m.Page[m.Experiment], "experiments").items

    def experiment(self, name: str) -> m.Experiment:
        return self._get(m.Experiment, f"experiments/{segment(name)}")

    def preflight(self, name: str) -> m.Preflight:
        """Return what a run of an experiment would do; nothing is broken by asking."""
        return m.Preflight.model_validate_json(self._send("POST", f"experiments/{segment(name)}/preflight").content)

    def start_run(self, experiment: str) -> m.StartedRun:
        """Start an experiment; refused (409) while another run goes on, whose id is in the message."""
        return self._post(m.StartedRun, "runs", m.StartRequest(experiment=experiment))

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

    def dependencies(self, service: str, *, environment: str = "", window_s: int = 900) -> list[m.Dependency]:
        """Return what *service* called in the last *window_s* seconds, the busiest destination first."""
        return self._get(
            m.Page[m.Dependency], "dependencies", service=service, environment=environment, window_s=window_s
        ).items

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
