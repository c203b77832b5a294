"""The commands that do what the buttons of an alert do, for where this dashboard may only read."""

import shlex
from typing import Final

from api import models as m
from dashboard.views import silences

READ_ONLY: Final = (
    "This dashboard may only read, so it cannot acknowledge, silence or take notes. Run the commands below with "
    "a token in `NINELIVES_TOKEN` that has the scope `operate`. The link in a message acknowledges too."
)
ADD_SILENCE: Final = 'ninelives alerts silence add service_name=checkout severity=ticket --for 2h --comment "why"'
END_SILENCE: Final = "ninelives alerts silence expire ID"


def of_alert(alert: m.Alert) -> list[str]:
    """Return the commands that take *alert* on, silence it and take a note: those that are of use in its state."""
    matchers = " ".join(shlex.quote(matcher) for matcher in silences.matchers_of(alert))
    alert_id = shlex.quote(alert.id)
    commands = []
    if alert.state == "firing":
        commands.append(f'ninelives alerts ack {alert_id} --comment "what you know already"')
    if alert.state != "resolved":
        commands.append(f'ninelives alerts silence add {matchers} --for 2h --comment "why"')
    if alert.incident_id:
        commands.append(f'ninelives incidents note {shlex.quote(alert.incident_id)} "what you found"')
    return commands
