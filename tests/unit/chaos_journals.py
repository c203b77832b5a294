"""Chaos Toolkit journals as its runner writes them, in the present form and in that of 2020."""

from copy import deepcopy


def activity(kind, name, **more):
    return {"type": kind, "name": name, "provider": {"type": "python", "module": "m", "func": "f"}, **more}


def ran(kind, name, status="succeeded", *, at="10", output=None, exception=None, provider=None, **more):
    run = {
        "activity": activity(kind, name, **more), "output": output, "status": status, "duration": 1.0,
        "start": f"2026-03-01T10:00:{at}+00:00", "end": f"2026-03-01T10:00:{at}.5+00:00",
    }  # fmt: skip
    if exception:
        run["exception"] = [exception]
    if provider:
        run["activity"]["provider"] |= provider
    return run


def checked(met=True, *, status="succeeded", **more):
    probe = {**ran("probe", "is up", status, tolerance=True, **more), "tolerance_met": met}
    return {"steady_state_met": met, "probes": [probe]}


NEW = {
    "chaoslib-version": "1.44.0",
    "platform": "Linux",
    "node": "host",
    "experiment": {
        "title": "Orders loses its cache",
        "description": "d",
        "steady-state-hypothesis": {"title": "h", "probes": [activity("probe", "is up", tolerance=True)]},
        "method": [activity("action", "stop cache")],
        "rollbacks": [activity("action", "start cache")],
    },
    "start": "2026-03-01T10:00:00.000001+00:00",
    "status": "completed",
    "deviated": False,
    "steady_states": {"before": checked(), "after": checked(), "during": []},
    "run": [ran("action", "stop cache", at="10")],
    "rollbacks": [ran("action", "start cache", at="40")],
    "end": "2026-03-01T10:00:50.000001+00:00",
    "duration": 50.0,
}


def journal(**change):
    return {**deepcopy(NEW), **change}


def steady(before=None, after=None, during=()):
    return {"before": before, "after": after, "during": list(during)}


OLD = {
    "chaoslib-version": "1.9.0",
    "platform": "Darwin",
    "node": "laptop",
    "experiment": {"title": "Old", "description": "d", "method": [], "rollbacks": []},
    "start": "2020-06-05T09:13:58.085110",
    "status": "completed",
    "deviated": True,
    "steady_states": {"before": checked(), "after": checked(met=False)},
    "run": [
        {
            "activity": activity("action", "stop"), "output": None, "start": "2020-06-05T09:13:59.000000",
            "status": "succeeded", "end": "2020-06-05T09:14:00.000000", "duration": 1.0,
        }
    ],
    "rollbacks": [],
    "end": "2020-06-05T09:14:02.000000",
    "duration": 3.9,
}  # fmt: skip
