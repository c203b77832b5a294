"""The command line. Exit codes: 0 good, 1 bad news, 2 misuse."""

import logging

import click

from ninelives.commands import alerts, chaos, demo, doctor, serve, slo, trace
from ninelives.version import VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(VERSION, prog_name="ninelives")
def main() -> None:
    """Point OTLP at it: error budgets in a minute, alerts with evidence, chaos experiments with a verdict."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    for ours in ("collector", "evaluator", "storage", "ninelives", "alerts", "chaos"):
        logging.getLogger(ours).setLevel(logging.INFO)


for command in (serve.up, serve.migrate, doctor.doctor, slo.slo, alerts.alerts, trace.trace, chaos.chaos, demo.demo):
    main.add_command(command)
