"""The commands that do what the buttons of an experiment do, for where this dashboard may only read."""

import shlex
from typing import Final

READ_ONLY: Final = (
    "This dashboard may only read, so it neither starts nor stops runs. Use the commands below with a token in "
    "`NINELIVES_TOKEN` that has the scope `operate`."
)


def stop(run_id: str) -> str:
    """Return the command that ends a run.

    >>> stop("cache-latency-1; x")
    "ninelives chaos stop 'cache-latency-1; x'"
    """
    return f"ninelives chaos stop {shlex.quote(run_id)}"


def report(run_id: str) -> str:
    """Return the command that writes the report of a run as a page that stands alone, and as JUnit XML."""
    return f"ninelives chaos report {shlex.quote(run_id)} --output report.html --junit report.xml"


def start(path: str) -> str:
    """Return the commands that look at an experiment file, and that run it."""
    file = shlex.quote(path)
    return f"ninelives chaos run {file} --dry-run\nninelives chaos run {file}"
