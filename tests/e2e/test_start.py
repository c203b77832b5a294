"""Starting: fast, frugal, and clear about what is wrong."""

import socket
import time
from collections.abc import Callable

import psutil
from stack import Stack, wait_for

BROKEN_SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: broken}
spec:
  service: checkout
  objectives: [{target: 99.9}]
"""


def test_up_is_ready_in_under_3_s_on_an_existing_environment(make_stack: Callable[..., Stack]):
    stack = make_stack()
    stack.start()
    stack.stop()
    stack.start(wait=False)
    wait_for(stack.is_ready, 30, "readiness")
    assert time.monotonic() - stack.started_at < 3.0


def test_idle_it_takes_under_5_percent_of_a_core_and_700_mb_in_all(make_stack: Callable[..., Stack]):
    stack = make_stack()
    stack.start()
    time.sleep(20)  # past the start's own work
    assert stack.process is not None
    main = psutil.Process(stack.process.pid)
    family = [main, *main.children(recursive=True)]
    before, began = _cpu_s(family), time.monotonic()
    time.sleep(30)
    share = (_cpu_s(family) - before) / (time.monotonic() - began)
    resident_mb = sum(process.memory_info().rss for process in family) / 1e6
    assert share < 0.05, f"idle CPU is {share:.1%} of a core"
    assert resident_mb < 700, f"idle memory is {resident_mb:.0f} MB"


def _cpu_s(family: list[psutil.Process]) -> float:
    return sum(process.cpu_times().user + process.cpu_times().system for process in family)


def test_a_port_in_use_is_one_line_that_names_the_flag(make_stack: Callable[..., Stack]):
    for name in ("otlp-http", "otlp-grpc", "api", "dashboard"):
        stack = make_stack()
        with socket.create_server(("127.0.0.1", stack.ports[name])):
            found = stack.command("up", *stack.setting_flags())
        assert found.returncode == 2
        assert f"--{name} " in found.stderr
        assert len(found.stderr.strip().splitlines()) == 1


def test_a_data_folder_in_use_is_one_line(make_stack: Callable[..., Stack]):
    holder, second = make_stack("--no-dashboard"), make_stack()
    holder.start()
    found = second.command("up", *second.setting_flags(), "--data", str(holder.data))
    assert found.returncode == 2
    (line,) = found.stderr.strip().splitlines()
    assert line.startswith(f"the data folder {holder.data} is held by process {holder.process.pid}; stop it")
    assert "--data" in line


def test_a_wrong_setting_names_itself_its_value_and_what_is_allowed(make_stack: Callable[..., Stack]):
    found = make_stack().command("up", "--otlp-http", "everywhere")
    assert found.returncode == 2
    assert found.stderr.startswith("--otlp-http=everywhere: use host:port")


def test_up_starts_with_the_valid_slo_files_and_shows_the_broken_one(make_stack: Callable[..., Stack]):
    stack = make_stack("--no-dashboard")
    (stack.folder / "slos").mkdir()
    (stack.folder / "slos" / "broken.yaml").write_text(BROKEN_SLO)
    stack.start()
    with stack.api() as api:
        problems = api.status().slo_errors
    assert [problem.file.endswith("broken.yaml") for problem in problems] == [True]
    checked = stack.command("slo", "validate")
    assert checked.returncode == 1
    assert "broken.yaml:" in checked.stderr
