"""Flags made from the settings: one definition for flag, environment and documentation."""

import functools
import sys
from collections.abc import Callable
from typing import Any

import click

from ninelives.settings import PREFIX, Settings, SettingsError, load_settings

MISUSE = 2


def setting_flags(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the flags of these settings, and the loaded settings as its first argument.

    A wrong value is one line on stderr and exit code 2.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def command(**given: Any) -> Any:
            flags = {name: given.pop(name) for name in names}
            try:
                settings = load_settings(flags)
            except SettingsError as error:
                fail(str(error), MISUSE)
            return function(settings, **given)

        decorated: Callable[..., Any] = command
        for name in reversed(names):
            decorated = _flag(name)(decorated)
        return decorated

    return decorate


def fail(message: str, code: int) -> Any:
    """Say *message* on stderr and end with *code*: 1 bad news, 2 misuse."""
    click.echo(message, err=True)
    sys.exit(code)


def _flag(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    help_text = f"{Settings.model_fields[name].description} [{PREFIX}{name.upper()}]"
    return click.option(f"--{name.replace('_', '-')}", name, default=None, metavar="VALUE", help=help_text)
