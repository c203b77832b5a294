"""The process that runs the activities of one Chaos Toolkit document, started by `chaos.toolkit.engine`.

A process for each run, because the toolkit's library works in the main thread only and keeps activities and controls
in module globals. Standard input is the life line: when it ends, the parent has died.
"""

import importlib
import json
import os
import signal
import sys
import threading
import time
from copy import deepcopy
from pathlib import Path
from types import FrameType
from typing import Any

from chaoslib.control import get_controls, load_global_controls
from chaoslib.experiment import ensure_experiment_is_valid, run_experiment
from chaoslib.run import initialize_run_journal
from chaoslib.settings import load_settings
from chaoslib.types import Dry, Schedule, Strategy

from chaos.experiments.toolkit_names import CONTROL
from chaos.files import write_durably
from chaos.toolkit.journal import note
from chaos.toolkit.plain import encode
from chaos.toolkit.reporter import Reporter, SwallowedErrors

GRACE_S = 10.0
ROLLBACK_S = 60.0
INVALID = 2


def main(arguments: list[str]) -> None:
    """Run `<folder>/<name>.json` and leave `<folder>/<name>.journal.json`; never returns."""
    folder, name, events = Path(arguments[0]), arguments[1], int(arguments[2])
    reporter = Reporter(events, folder / f"{name}.partial.json")
    _tie_to_the_parent(reporter)
    signal.signal(signal.SIGUSR1, _leave_before_the_start(reporter))
    document = json.loads((folder / f"{name}.json").read_bytes())
    journal = _run(document, reporter, check_only=name == "check")
    if journal is None:
        os._exit(INVALID)
    write_durably(folder / f"{name}.journal.json", encode(journal))
    reporter.tell("journal")
    os._exit(0)  # a background activity that hangs must not keep the process


def _run(document: dict[str, Any], reporter: Reporter, *, check_only: bool) -> dict[str, Any] | None:
    swallowed = SwallowedErrors(lambda: _end_after_all(reporter))
    experiment = _without_our_control(deepcopy(document))
    try:
        settings = _settings()
        ensure_experiment_is_valid(experiment)
        dry = experiment.get("dry")
        experiment["dry"] = Dry.from_string(dry) if isinstance(dry, str) else None
        strategy, schedule = _strategy(document)
    except Exception as error:  # noqa: BLE001 - an import of the document may raise anything
        reporter.tell("invalid", f"{type(error).__name__}: {error}")
        return None
    if check_only:
        blank: dict[str, Any] = initialize_run_journal(experiment)
        return blank
    problems = _dead_controls(experiment)
    failure = ""
    try:
        journal = run_experiment(
            experiment, settings=settings, strategy=strategy, schedule=schedule, event_handlers=[reporter]
        )
    except Exception as error:  # noqa: BLE001 - chaoslib lets some errors of the http provider through
        failure = f"chaoslib gave up: {type(error).__name__}: {error}"
        journal = {**(reporter.journal or initialize_run_journal(experiment)), "status": "aborted"}
    journal["experiment"] = deepcopy(document)
    return note(journal, problems=[*problems, *swallowed.lines, *reporter.problems], reason=failure)


def _without_our_control(experiment: dict[str, Any]) -> dict[str, Any]:
    """Our control records runs of the stock runner; here the parent does."""
    controls = experiment.get("controls")
    if isinstance(controls, list):
        experiment["controls"] = [
            each
            for each in controls
            if not isinstance(each, dict) or (each.get("provider") or {}).get("module") != CONTROL
        ]
    return experiment


def _settings() -> dict[str, Any]:
    settings: dict[str, Any] = load_settings() or {}
    load_global_controls(settings)
    settings.setdefault("runtime", {})["rollbacks"] = {"strategy": "always"}
    return settings


def _strategy(document: dict[str, Any]) -> tuple[Strategy, Schedule]:
    hypothesis = (document.get("runtime") or {}).get("hypothesis") or {}
    schedule = Schedule(
        continuous_hypothesis_frequency=float(hypothesis.get("frequency", 1.0)),
        fail_fast=bool(hypothesis.get("fail_fast", False)),
    )
    return Strategy.from_string(hypothesis.get("strategy", "default")), schedule


def _dead_controls(experiment: dict[str, Any]) -> list[str]:
    """Controls that cannot be imported: chaoslib warns and goes on without them, also when they are safeguards."""
    dead = []
    for control in get_controls(experiment):
        provider = control.get("provider") or {}
        if provider.get("type") == "python":
            try:
                importlib.import_module(provider["module"])
            except Exception as error:  # noqa: BLE001 - an import may raise anything
                dead.append(f"control {control.get('name')} cannot be loaded: {error}")
    return dead


def _leave_before_the_start(reporter: Reporter) -> Any:
    def leave(_: int, __: FrameType | None) -> None:
        if reporter.journal is None:  # afterwards chaoslib has its own handler, and after that it is too late
            raise SystemExit(20)

    return leave


def _end_after_all(reporter: Reporter) -> None:
    """Say again what was swallowed, by the signal that is not; not in rollbacks, which it would cut short."""
    if not reporter.rolling_back and threading.current_thread() is threading.main_thread():
        os.kill(os.getpid(), signal.SIGUSR1)


def _tie_to_the_parent(reporter: Reporter) -> None:
    life_line = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # activities must not read the life line
    os.close(nothing)

    def wait() -> None:
        while os.read(life_line, 1):
            pass
        if not reporter.rolling_back:
            os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(GRACE_S)
        if reporter.rolling_back:
            time.sleep(ROLLBACK_S)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="life-line", daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1:])
