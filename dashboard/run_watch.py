"""What was counted on both sides of a run, step by step; what can hardly change any more is asked for once."""

from datetime import datetime

import streamlit as st

from api import models as m
from api.client import ApiClient
from dashboard.api_access import fetch
from dashboard.views.run_live import SETTLED, Step, fault_so_far, sides, steps

MOST_SERVICES = 3
Counted = dict[Step, dict[m.Arm | None, m.SliCount]]


def over_time(run: m.Run, service: str, now: datetime) -> Counted:
    """Return the counts of *service*, a row a step and a column a side."""
    kept: Counted = st.session_state.setdefault(f"steps {run.id} {service}", {})
    wanted = steps(run, now)
    for step in wanted:
        if step not in kept or now - step.end < SETTLED:
            kept[step] = {side: _count(run, service, side, step) for side in sides(run)}
    return {step: kept[step] for step in wanted}


def under_fault(run: m.Run, now: datetime) -> list[tuple[str, m.Arm | None, m.SliCount]]:
    """Return what was counted under the fault so far, for the first services of the run and each side."""
    found = fault_so_far(run, now)
    if found is None:
        return []
    return [
        (service, side, _count(run, service, side, found))
        for service in run.services[:MOST_SERVICES]
        for side in sides(run)
    ]


def _count(run: m.Run, service: str, side: m.Arm | None, step: Step) -> m.SliCount:
    environment = run.environment or None
    if side is None or run.groups is None:
        return fetch(ApiClient.sli, service, start=step.start, end=step.end, environment=environment)
    return fetch(
        ApiClient.sli,
        service,
        start=step.start,
        end=step.end,
        environment=environment,
        arm=side,
        groups=run.groups,
    )
