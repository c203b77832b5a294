"""The fault daemon of the settings, and what our own processes are told of it."""

from typing import TYPE_CHECKING

from ninelives.settings import PREFIX, Settings

if TYPE_CHECKING:
    from chaos.fault_client import FaultClient


def connect_faults(settings: Settings) -> "FaultClient":
    """Return a client of the fault daemon, with the token that one beyond loopback asks for."""
    from chaos.fault_client import FaultClient

    return FaultClient(f"http://{settings.faults.local}", token=faults_token(settings))


def faults_token(settings: Settings) -> str:
    """Return the token of the settings, else that which a daemon made in our data folder, "" where there is none."""
    from chaos.daemon.token import read_token

    if settings.faults_token:
        return settings.faults_token
    try:
        return read_token(settings.data)
    except OSError:  # another user's: the daemon's refusal says which file is meant
        return ""


def toolkit_environment(settings: Settings) -> dict[str, str]:
    """Return what activities of ours in a Chaos Toolkit document find the API and the fault daemon by."""
    found = {
        "API": str(settings.api.local),
        "FAULTS": str(settings.faults.local),
        "TOKEN": settings.token,
        "FAULTS_TOKEN": faults_token(settings),
    }
    return {f"{PREFIX}{name}": value for name, value in found.items() if value}
