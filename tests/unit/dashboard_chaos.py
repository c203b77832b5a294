"""What the API knows of experiments and their runs, for the pages."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from api import models as m
from tests.unit import chaos_runs
from tests.unit.dashboard_answers import ATTACK, now, runs
from tests.unit.dashboard_signals import Kept

MINUTE = timedelta(minutes=1)


def all_runs() -> list[m.Run]:
    """Return the shop's runs, and one of every kind that a page must show."""
    hour = now() - timedelta(hours=1)
    older = [
        chaos_runs.run(
            f"cache-latency-old-{age}",
            start=hour - age * timedelta(days=1),
            verdict="held",
            findings=[chaos_runs.latency(verdict="held")],
        )
        for age in (1, 2, 3)
    ]
    return [
        *runs(),
        chaos_runs.run(start=hour),
        chaos_runs.running(now=now()),
        chaos_runs.stopped(),
        chaos_runs.imported(),
        chaos_runs.refused(),
        chaos_runs.hostile(),
        *older,
    ]


def experiments() -> list[m.Experiment]:
    """Return what can be run: one that deviated, one that never ran, one whose file is broken, one of an enemy."""
    finished = chaos_runs.summary_of(chaos_runs.run(start=now() - timedelta(hours=1)))
    told = chaos_runs.preflight()
    first = m.Experiment(
        name="cache-latency",
        path="experiments/cache-latency.yaml",
        title=told.title,
        description="Does the shop survive a slow cache?",
        environment="demo",
        services=["gateway", "orders"],
        method=told.method,
        hypothesis=told.hypothesis,
        comparison="concurrent",
        schedule="0 10 * * 5",
        next_run_at=now() + timedelta(days=2),
        last_run=finished,
    )
    changes = {"name": "orders-kill", "title": "Orders dies", "schedule": "", "next_run_at": None, "last_run": None}
    return [
        m.Experiment(name="broken", path="experiments/broken.yaml", problem=f"line 3: unknown fault {ATTACK}"),
        first.model_copy(update=changes),
        first,
        first.model_copy(update={"name": "blocked", "title": chaos_runs.HOSTILE, "last_run": None}),
    ]


def routes(app: FastAPI, kept: Kept) -> None:
    """Answer for experiments and runs; `app.state.started` and `app.state.stopped` keep what was asked."""
    app.state.started, app.state.stopped = [], []

    @app.get("/api/v1/experiments")
    def get_experiments():
        return _page(kept(experiments()))

    @app.get("/api/v1/experiments/{name}")
    def get_experiment(name: str):
        return _found([item for item in kept(experiments()) if item.name == name], name)

    @app.post("/api/v1/experiments/{name}/preflight")
    def post_preflight(name: str):
        return chaos_runs.blocked() if name == "blocked" else chaos_runs.preflight(experiment=name)

    @app.post("/api/v1/runs", status_code=202)
    def start_run(asked: m.StartRequest):
        if app.state.started and app.state.started[-1] == "refuse":
            return _problem(409, "another run breaks orders-cache; wait until it is over")
        app.state.started.append(asked.experiment)
        return m.StartedRun(id="cache-latency-2")

    @app.get("/api/v1/runs")
    def get_runs(experiment: str = "", limit: int = 100):
        found = [item for item in all_runs() if experiment in ("", item.experiment)]
        return _page(kept([chaos_runs.summary_of(item) for item in found])[:limit])

    @app.get("/api/v1/runs/{run_id}")
    def get_run(run_id: str):
        return _found([item for item in kept(all_runs()) if item.id == run_id], run_id)

    @app.post("/api/v1/runs/{run_id}/stop", status_code=202)
    def stop_run(run_id: str, asked: m.StopRequest):
        app.state.stopped.append((run_id, asked))
        return m.RunState(stop_reason=f"stopped by {asked.by}: {asked.reason}")

    @app.get("/api/v1/sli")
    def get_sli(service: str, start: datetime, end: datetime, arm: str = ""):
        seconds = (end - start).total_seconds()
        bad = 0.04 if arm == "treatment" else 0.0
        total = round(50 * seconds)
        return m.SliCount(
            service=service,
            environment="demo",
            total=total,
            errors=round(bad * total),
            slow=0,
            threshold_ms=None,
            p50_ms=20.0,
            p95_ms=410.0 if arm == "treatment" else 120.0,
            newest_span_at=end,
        )


def _page(items: Sequence[m.Model]) -> dict[str, object]:
    return {"items": [item.model_dump(mode="json") for item in items], "next_cursor": None}


def _found(items: Sequence[m.Model], name: str) -> Response:
    return JSONResponse(items[0].model_dump(mode="json")) if items else _problem(404, f"nothing is called {name!r}")


def _problem(status: int, detail: str) -> Response:
    problem = m.Problem(title="Refused", status=status, detail=detail)
    return JSONResponse(problem.model_dump(mode="json"), status_code=status)
