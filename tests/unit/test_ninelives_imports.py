"""What a process loads before it does anything."""

import os
import subprocess
import sys


def test_no_plugin_of_pydantic_that_is_installed_beside_us_is_loaded():
    """The client library logfire brings one, and is installed where these tests run."""
    program = "import ninelives.cli, importlib.util, sys; assert importlib.util.find_spec('logfire'); "
    environment = {name: value for name, value in os.environ.items() if name != "PYDANTIC_DISABLE_PLUGINS"}
    answer = subprocess.run(
        [sys.executable, "-c", program + "print('logfire' in sys.modules)"],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert answer.stdout == "False\n"
