import argparse
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from demo.errors import DemoError, PortInUseError, StateError
from demo.lifeline import die_with_parent, follow_parent
from demo.policy import POLICIES
from demo.ports import Ports
from demo.shop import SERVICES
from demo.state import MODES, break_mode, configure, heal, state_path
from demo.supervisor import ShopSettings, Supervisor, say
from demo.targets import write_targets

_UNITS_S = {"s": 1, "m": 60, "h": 3600}


def duration_s(text: str) -> float:
    """Read a duration such as "120s", "5m" or "1h"; a bare number counts seconds.

    >>> duration_s("120s"), duration_s("5m"), duration_s("90")
    (120.0, 300.0, 90.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if found is None or float(found[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write 120s, 5m or 1h")
    return float(found[1]) * _UNITS_S[found[2] or "s"]


def positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def _run(options: argparse.Namespace) -> int:
    ports = Ports(options.base_port)
    settings = ShopSettings(
        endpoint=options.endpoint.rstrip("/"),
        data=options.data.absolute(),
        ports=ports,
        through_proxy=options.through_proxy,
        rate=options.rate,
        ramp_s=options.ramp,
        history_days=0.0 if options.no_history else options.history_days,
        environment=options.environment,
    )
    if options.config is not None:
        configure(state_path(settings.data), options.config)
    supervisor = Supervisor(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: supervisor.stop.set())
    if options.watch_stdin:
        follow_parent(supervisor.stop.set)
    supervisor.run()
    return 0


def _targets(options: argparse.Namespace) -> int:
    say(str(write_targets(options.data.absolute(), Ports(options.base_port))))
    return 0


def _break(options: argparse.Namespace) -> int:
    now = time.time()
    until = None if options.for_s is None else now + options.for_s
    break_mode(state_path(options.data), options.mode, until, now)
    end = "`heal`" if until is None else datetime.fromtimestamp(until).astimezone().strftime("%H:%M:%S %Z")
    say(f"Broken: {options.mode}, until {end}.")
    return 0


def _heal(options: argparse.Namespace) -> int:
    heal(state_path(options.data))
    say("Healed: nothing is broken any more.")
    return 0


def _configure(options: argparse.Namespace) -> int:
    configure(state_path(options.data), options.configuration)
    say(f"Configured: {options.configuration}.")
    return 0


def _service(options: argparse.Namespace) -> int:
    from demo.service import ServiceSettings  # noqa: PLC0415 - the commands must not pay for the web framework
    from demo.services import run_service  # noqa: PLC0415 - as above

    settings = ServiceSettings(
        name=options.name,
        instance=options.instance,
        port=options.port,
        endpoint=options.endpoint,
        environment=options.environment,
        state=state_path(options.data),
        upstream_urls=tuple(options.upstream_url),
        database=options.data / "demo" / "catalog.sqlite",
    )
    run_service(settings)
    return 0


def _load(options: argparse.Namespace) -> int:
    from demo.load import run_load  # noqa: PLC0415 - as above

    run_load(options.url, options.rate, options.ramp)
    return 0


def _history(options: argparse.Namespace) -> int:
    from demo.history import send_history  # noqa: PLC0415 - as above

    if options.watch_stdin:
        die_with_parent()
    sent = send_history(options.endpoint.rstrip("/"), options.environment, options.days, Ports(options.base_port))
    say(sent.summary())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description="A shop to watch, to break and to heal.")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        added.set_defaults(run=run)
        return added

    _add_shop_commands(command)
    _add_fault_commands(command)
    _add_configure_command(command)
    _add_process_commands(command)
    return parser


_Command = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def _add_telemetry(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--endpoint", default="http://127.0.0.1:4318", help="OTLP/HTTP base URL (default %(default)s)")
    parser.add_argument("--environment", default="demo", help="deployment.environment.name (default %(default)s)")


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=Path(".ninelives"), help="data folder (default %(default)s)")


def _add_base_port(parser: argparse.ArgumentParser) -> None:
    text = "gateway's port; the other services follow up to +4, the fault proxies from +100 (default %(default)s)"
    parser.add_argument("--base-port", type=int, default=8090, help=text)


def _add_watch_stdin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--watch-stdin", action="store_true", help="stop when standard input ends")


def _add_shop_commands(command: _Command) -> None:
    run = command("run", _run, "Run the shop until Ctrl-C.")
    _add_telemetry(run)
    _add_data(run)
    _add_base_port(run)
    run.add_argument("--through-proxy", action="store_true", help="let the calls go through the fault daemon's proxies")
    run.add_argument(
        "--config", choices=POLICIES, help="the configuration (default: the one chosen last, else fragile)"
    )
    run.add_argument("--rate", type=positive, default=50.0, help="requests a second (default %(default)g)")
    run.add_argument(
        "--ramp", type=float, default=15.0, help="seconds until that rate is reached (default %(default)g)"
    )
    run.add_argument("--history-days", type=positive, default=3.0, help="days of history to send first (default 3)")
    run.add_argument("--no-history", action="store_true", help="start without history")
    _add_watch_stdin(run)
    targets = command("targets", _targets, "Write the targets file of the fault daemon.")
    _add_data(targets)
    _add_base_port(targets)


def _add_fault_commands(command: _Command) -> None:
    broken = command("break", _break, "Break the running shop.")
    broken.add_argument("mode", choices=MODES)
    broken.add_argument(
        "--for", dest="for_s", type=duration_s, metavar="DURATION", help="120s, 5m, 1h (default: until heal)"
    )
    _add_data(broken)
    _add_data(command("heal", _heal, "End everything that `break` did."))


def _add_configure_command(command: _Command) -> None:
    configured = command("configure", _configure, "Choose how the running shop treats services that fail it.")
    configured.add_argument("configuration", choices=POLICIES)
    _add_data(configured)


def _add_process_commands(command: _Command) -> None:
    history = command("history", _history, "Send some days of the shop's past.")
    _add_telemetry(history)
    _add_base_port(history)
    history.add_argument("--days", type=positive, default=3.0, help="how many days, up to now (default 3)")
    _add_watch_stdin(history)
    service = command("service", _service, "Run one service (the supervisor does).")
    service.add_argument("name", choices=SERVICES)
    _add_telemetry(service)
    _add_data(service)
    service.add_argument("--port", type=int, required=True)
    service.add_argument("--instance", type=int, default=1)
    service.add_argument("--upstream-url", action="append", default=[])
    load = command("load", _load, "Visit the shop (the supervisor does).")
    load.add_argument("--url", required=True)
    load.add_argument("--rate", type=positive, default=50.0)
    load.add_argument("--ramp", type=float, default=0.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 if all went well, 1 on bad news, 2 on misuse."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (PortInUseError, StateError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except DemoError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
