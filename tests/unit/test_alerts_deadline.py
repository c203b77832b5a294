import socket
import time

from alerts.channels.deadline import Deadline


def test_a_connection_ends_when_its_time_is_over_and_not_before():
    here, there = socket.socketpair()
    with here, there, Deadline(0.2) as deadline:
        deadline.watch(here)
        begun = time.monotonic()
        assert there.recv(1) == b"", "it was shut down"
        assert time.monotonic() - begun > 0.1
        assert deadline.passed


def test_a_connection_that_comes_too_late_ends_at_once():
    here, there = socket.socketpair()
    with here, there, Deadline(0.01) as deadline:
        time.sleep(0.1)
        deadline.watch(here)
        assert there.recv(1) == b""


def test_what_is_done_in_time_stays_open_and_only_the_last_connection_counts():
    (here, there), (first, other) = socket.socketpair(), socket.socketpair()
    with here, there, first, other:
        with Deadline(30) as deadline:
            deadline.watch(first)
            deadline.trace("connection.close.started", {})
            deadline.watch(here)
        assert not deadline.passed
        for one, another in ((here, there), (first, other)):
            one.sendall(b"x")
            assert another.recv(1) == b"x"


def test_without_a_connection_there_is_nothing_to_end():
    with Deadline(0.01) as deadline:
        time.sleep(0.1)
    assert deadline.passed
