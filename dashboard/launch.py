"""Starts Streamlit with the settings that this dashboard is built and tested for."""

import argparse
import sys
from pathlib import Path
from typing import Any

from dashboard import parent_watch

APP_SCRIPT = Path(__file__).resolve().with_name("streamlit_app.py")

# categorical palettes without red: red is kept for errors and spent budgets
_LIGHT_SERIES = ["#1d4ed8", "#0f766e", "#b45309", "#7c3aed", "#0369a1", "#4d7c0f", "#a21caf", "#475569"]
_DARK_SERIES = ["#60a5fa", "#2dd4bf", "#fbbf24", "#a78bfa", "#38bdf8", "#a3e635", "#e879f9", "#94a3b8"]

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def command(
    host: str, port: int, api_url: str, *, token_file: Path | None = None, watch_stdin: bool = True
) -> list[str]:
    """Return the argument vector of the dashboard's process.

    Args:
        host: Address to listen on.
        port: Port to listen on.
        api_url: Base URL of the API that the pages read.
        token_file: Holds the token that they show it; a command line would show it to everybody.
        watch_stdin: End the process at the end of its standard input: the starter gives it a pipe.
    """
    argv = [sys.executable, "-m", "dashboard.launch", "--host", host, "--port", str(port), "--api", api_url]
    if token_file is not None:
        argv += ["--token-file", str(token_file)]
    return [*argv, "--watch-stdin"] if watch_stdin else argv


def options(host: str, port: int) -> dict[str, Any]:
    """Return Streamlit's settings, by dotted name."""
    # a web page that rebinds its name to this machine must not read what is kept here; other addresses have names
    # that only their owner knows
    hosts = sorted({host, *_LOOPBACK}) if host in _LOOPBACK else []
    return {
        "server.allowedHosts": hosts,
        "server.headless": True,
        "server.address": host,
        "server.port": port,
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "browser.gatherUsageStats": False,
        "logger.hideWelcomeMessage": True,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "type",
        "client.showErrorLinks": False,
        "runner.magicEnabled": False,
        "theme.headingFontSizes": ["1.9rem", "1.35rem", "1.15rem", "1rem", "0.95rem", "0.9rem"],
        "theme.paddingTop": "1rem",
        "theme.paddingBottom": "2rem",
        "theme.light.primaryColor": "#1d4ed8",
        "theme.light.linkColor": "#1d4ed8",
        "theme.light.chartCategoricalColors": _LIGHT_SERIES,
        "theme.dark.primaryColor": "#60a5fa",
        "theme.dark.linkColor": "#93c5fd",
        "theme.dark.chartCategoricalColors": _DARK_SERIES,
    }


def main(argv: list[str] | None = None) -> None:
    """Serve the dashboard until the process is told to stop."""
    parser = argparse.ArgumentParser(prog="dashboard.launch", description="Serve the dashboard.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--api", required=True, help="base URL of the API, read by the pages")
    parser.add_argument("--token-file", type=Path, help="file with the token that the pages show the API")
    parser.add_argument("--watch-stdin", action="store_true", help="exit at the end of standard input")
    arguments = parser.parse_args(argv)
    if arguments.watch_stdin:
        parent_watch.exit_when_stdin_closes()
    from streamlit.starlette import App  # noqa: PLC0415  the supervisor asks for the command, not for Streamlit

    App(APP_SCRIPT).run(config=options(arguments.host, arguments.port))


if __name__ == "__main__":
    main()
