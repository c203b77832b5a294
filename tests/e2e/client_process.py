"""Processes that are not ours: when they listen, and when they are gone."""

import socket
from contextlib import closing

from stack import wait_for

READY_S = 30.0


def wait_until_up(target: str) -> None:
    """Wait until something listens at host:port; it is not asked anything that it would count."""
    wait_for(lambda: _answers(target), READY_S, f"a listener at {target}", pause_s=0.05)


def _answers(target: str) -> bool:
    host, _, port = target.rpartition(":")
    with closing(socket.socket()) as probe:
        return probe.connect_ex((host, int(port))) == 0
