"""Experiments that can be run from here: listed, checked beforehand, started."""

from typing import Final

from fastapi import APIRouter, Request

from api import models as m
from api.context import Context, Ctx, Launcher, LaunchError
from api.problem import ProblemError

router = APIRouter(tags=["runs"])

NO_LAUNCHER: Final = (
    "this server cannot start experiments: start it with 'ninelives up --demo' or 'ninelives up --faults', or run "
    "'ninelives chaos run FILE' beside it"
)


@router.get("/experiments")
def list_experiments(ctx: Ctx) -> m.Page[m.Experiment]:
    """Return the experiment files that this server knows, those that cannot be read with the reason."""
    return m.Page(items=[*_launcher(ctx).experiments()])


@router.get("/experiments/{name}")
def get_experiment(ctx: Ctx, name: str) -> m.Experiment:
    return _known(_launcher(ctx), name)


@router.post("/experiments/{name}/preflight")
def check_experiment(ctx: Ctx, name: str) -> m.Preflight:
    """Return what would happen; nothing is broken by asking."""
    launcher = _launcher(ctx)
    _runnable(launcher, name)
    try:
        return launcher.preflight(name)
    except LaunchError as error:
        raise ProblemError(409, str(error)) from error


@router.post("/runs", status_code=202)
def start_run(ctx: Ctx, request: Request, asked: m.StartRequest) -> m.StartedRun:
    """Start an experiment; its run reports within seconds. Refused while another run goes on."""
    launcher = _launcher(ctx)
    _runnable(launcher, asked.experiment)
    by = getattr(request.state, "token", "")
    try:
        return m.StartedRun(id=ctx.starts.start(ctx.database, lambda: launcher.start(asked.experiment, by)))
    except LaunchError as error:
        raise ProblemError(409, str(error)) from error


def _launcher(ctx: Context) -> Launcher:
    if ctx.launcher is None:
        raise ProblemError(409, NO_LAUNCHER)
    return ctx.launcher


def _known(launcher: Launcher, name: str) -> m.Experiment:
    found = next((item for item in launcher.experiments() if item.name == name), None)
    if found is None:
        raise ProblemError(404, f"no experiment {name!r}; GET /api/v1/experiments lists them")
    return found


def _runnable(launcher: Launcher, name: str) -> None:
    found = _known(launcher, name)
    if found.problem:
        raise ProblemError(409, f"experiment {name!r} cannot be run: {found.problem}")
