"""The end of the fault daemon's process: killed, orphaned or told to end, it leaves nothing broken."""

import signal

import pytest

from tests.integration.chaos_daemon import Daemon, Hello, elapsed_s, eventually, http_server

pytestmark = pytest.mark.slow


@pytest.fixture
def mortal_daemon(tmp_path):
    """A daemon of the test's own, to end as it likes."""
    with http_server(Hello) as upstream:
        running = Daemon(tmp_path, upstream.server_port)
        yield running
        running.end()


def test_kill_9_of_the_daemon_leaves_nothing_broken(mortal_daemon, browserless):
    """The restarted daemon finds the undo records, reverts, and proves it."""
    down, slow = mortal_daemon.inject("partition"), mortal_daemon.inject("latency", latency=500)
    mortal_daemon.kill()
    assert len(mortal_daemon.undo_records()) == 2
    mortal_daemon.start()
    eventually(lambda: mortal_daemon.undo_records() == [])
    assert elapsed_s(browserless, mortal_daemon.edge) < 0.2
    recovered = {state.id: (state.phase, state.ended_by) for state in mortal_daemon.client.faults()}
    assert recovered == dict.fromkeys((down.id, slow.id), ("reverted", "recovery"))


def test_a_daemon_that_is_orphaned_or_told_to_end_reverts_first(mortal_daemon):
    """SIGTERM or the end of standard input: nothing on record, exit code 0."""
    mortal_daemon.inject("partition")
    mortal_daemon.process.stdin.close()
    assert mortal_daemon.process.wait(5) == 0
    assert mortal_daemon.undo_records() == []
    mortal_daemon.start()
    mortal_daemon.inject("partition")
    mortal_daemon.process.send_signal(signal.SIGTERM)
    assert mortal_daemon.process.wait(5) == 0
    assert mortal_daemon.undo_records() == []
    mortal_daemon.process.stdin.close()
