"""The command line. Exit codes: 0 good, 1 bad news, 2 misuse."""

import logging

import click

from ninelives.commands import (
    alerts,
    chaos,
    collector,
    demo,
    doctor,
    incidents,
    release,
    roles,
    serve,
    slo,
    tokens,
    trace,
)
from ninelives.version import VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(VERSION, prog_name="ninelives")
def main() -> None:
    """Point OTLP at it: error budgets in a minute, alerts with evidence, chaos experiments with a verdict."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    for ours in ("collector", "evaluator", "storage", "ninelives", "alerts", "chaos"):
        logging.getLogger(ours).setLevel(logging.INFO)
    for theirs in ("clickhouse_connect", "urllib3"):  # what they warn of, we raise and log in our own words
        logging.getLogger(theirs).setLevel(logging.ERROR)


for command in (
    serve.up, collector.collector, roles.evaluator, roles.api, roles.dashboard, serve.migrate, doctor.doctor,
    tokens.tokens, slo.slo, alerts.alerts, incidents.incidents, trace.trace, chaos.chaos, release.release, demo.demo,
):  # fmt: skip
    main.add_command(command)
