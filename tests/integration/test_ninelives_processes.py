"""Sockets, the data folder and children: what `up` stands on."""

import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from ninelives import children
from ninelives.children import Child, stop_all
from ninelives.data_folder import DataFolderError, hold
from ninelives.settings import Address
from ninelives.sockets import PortInUseError, bind, require_free

ECHO = "import sys; sys.stdin.read()"
HOLDER = """
import pathlib, sys
from ninelives.data_folder import hold
lock = hold(pathlib.Path(sys.argv[1]))
print("held", flush=True)
input()
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"


def test_a_port_in_use_is_one_line_that_names_the_flag():
    with bind(Address("127.0.0.1", 0), "--api HOST:PORT") as first:
        taken = Address(*first.getsockname())
        with pytest.raises(PortInUseError, match=rf"{taken} .*choose another with --api HOST:PORT"):
            bind(taken, "--api HOST:PORT")
    require_free(taken, "--api HOST:PORT")


def test_an_address_that_is_not_ours_is_refused():
    with pytest.raises(PortInUseError, match=r"192\.0\.2\.1:80"):
        bind(Address("192.0.2.1", 80), "--api HOST:PORT")


def test_a_bound_socket_accepts_connections_before_anything_serves():
    with bind(Address("127.0.0.1", 0), "-") as listener, socket.create_connection(listener.getsockname(), timeout=5):
        assert listener.getblocking() is False


@pytest.mark.parametrize("name", ["a{1,2}", "a*", "a?"])
def test_a_data_folder_whose_path_is_a_pattern_is_refused_before_anything_is_lost_in_it(tmp_path, name):
    with pytest.raises(DataFolderError, match="reads as a pattern; choose another folder with --data"):
        hold(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_one_process_holds_the_data_folder(tmp_path):
    folder = tmp_path / "new" / "data"
    lock = hold(folder)
    with pytest.raises(DataFolderError, match=f"held by process {os.getpid()}; .*--data"):
        hold(folder)
    lock.close()
    hold(folder).close()


def test_a_killed_process_holds_nothing(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DataFolderError, match=str(holder.pid)):
            hold(tmp_path)
        holder.kill()
        holder.wait(10)
    hold(tmp_path).close()


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(children, "RESPAWN_AFTER_S", 0.05)


def wait_until(condition, timeout_s=15.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_child_that_ends_is_started_again_until_it_is_stopped():
    child = Child("echo", [sys.executable, "-c", ECHO])
    first = child.pid
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: child.pid != first and alive(child.pid))
    second = child.pid
    child.stop()
    assert not alive(second)
    time.sleep(0.2)
    assert child.pid == second, "a stopped child stays stopped"
    close(child)


def test_a_child_whose_end_is_its_result_is_not_started_again():
    child = Child("once", [sys.executable, "-c", "pass"], respawn=False)
    wait_until(lambda: not alive(child.pid))
    first = child.pid
    time.sleep(0.2)
    assert child.pid == first
    child.stop()
    close(child)


def test_a_child_that_does_not_listen_is_killed_and_delays_no_other():
    both = [Child(f"stubborn {n}", [sys.executable, "-c", STUBBORN]) for n in range(2)]
    time.sleep(0.5)
    started = time.monotonic()
    stop_all(both, timeout_s=0.5)
    assert time.monotonic() - started < 4
    assert not any(alive(child.pid) for child in both)
    for child in both:
        close(child)


def close(child):
    """Close the pipe that a stopped child leaves to the end of the process."""
    child._process.stdin.close()
