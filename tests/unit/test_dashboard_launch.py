"""How the dashboard's process is started, configured, and ended with its parent."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from streamlit import config

import dashboard
from dashboard import launch
from dashboard.navigation import ENTRIES, script_of

FOLDER = Path(dashboard.__file__).parent
PACKAGES = {"slo", "storage", "collector", "alerts", "evaluator", "chaos", "api", "dashboard", "ninelives", "demo"}
TWO_MINUTES = 120


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _wait_until_healthy(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TWO_MINUTES
    while time.monotonic() < deadline:
        assert process.poll() is None, "the dashboard ended before it answered"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                assert answer.read() == b"ok"
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the dashboard did not answer in time")


def test_no_file_is_named_like_a_package_of_ours():
    """Streamlit puts the script's folder first on the import path, where such a file would hide the package."""
    beside_the_script = {path.stem for path in FOLDER.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert beside_the_script.isdisjoint(PACKAGES)


def test_no_file_beside_the_script_hides_a_module_of_the_standard_library_or_of_streamlit():
    beside_the_script = {path.stem for path in FOLDER.iterdir() if path.suffix == ".py" or path.is_dir()} - {"__init__"}
    assert beside_the_script.isdisjoint({*sys.stdlib_module_names, "streamlit", "pages"})


def test_every_page_has_a_script_and_every_script_a_page():
    assert {entry.script for entry in ENTRIES} == {f"pages_/{path.name}" for path in FOLDER.glob("pages_/*_page.py")}
    assert len({entry.path for entry in ENTRIES}) == len(ENTRIES)


def test_an_address_that_no_page_has_is_refused():
    with pytest.raises(KeyError):
        script_of("../etc")


def test_the_command_carries_address_api_and_watch_flag():
    argv = launch.command("127.0.0.1", 8501, "http://127.0.0.1:8080")
    assert argv[:3] == [sys.executable, "-m", "dashboard.launch"]
    assert argv[3:] == ["--host", "127.0.0.1", "--port", "8501", "--api", "http://127.0.0.1:8080", "--watch-stdin"]
    assert "--watch-stdin" not in launch.command("127.0.0.1", 8501, "http://x", watch_stdin=False)


def test_streamlit_knows_every_setting_that_is_passed():
    known = config.get_config_options()
    assert set(launch.options("127.0.0.1", 1)) <= set(known)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_series_of_a_chart_is_red(theme):
    """Red means error or spent budget, and nothing else."""
    for color in launch.options("127.0.0.1", 1)[f"theme.{theme}.chartCategoricalColors"]:
        red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
        assert not (red > 180 and green < 100 and blue < 100), color


def test_the_process_serves_and_ends_when_its_parent_does():
    port = _free_port()
    reading, writing = os.pipe()
    process = subprocess.Popen(
        launch.command("127.0.0.1", port, "http://127.0.0.1:1"),
        stdin=reading,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(reading)
    try:
        _wait_until_healthy(port, process)
        os.close(writing)  # what the kernel does when the parent dies
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def test_on_loopback_only_loopback_names_may_ask():
    """Else a web page elsewhere could rebind its own name to this machine and read the pages."""
    assert launch.options("127.0.0.1", 1)["server.allowedHosts"] == ["127.0.0.1", "::1", "localhost"]
    assert launch.options("0.0.0.0", 1)["server.allowedHosts"] == []


def test_asking_for_the_command_does_not_load_streamlit():
    """The supervisor's process would pay its memory and start-up time for nothing."""
    code = "import sys; from dashboard import launch; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
