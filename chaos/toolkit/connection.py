"""Where the API and the fault daemon are, for activities that Chaos Toolkit calls in a process of its own.

An experiment's configuration says it; what it leaves out is taken from the environment, by the names of the settings
of `ninelives`. No other module of ours beside `ninelives` reads the environment.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from chaoslib.exceptions import ActivityFailed
from pydantic import ValidationError

from api.client import ApiClient, ApiError
from chaos.errors import FaultDaemonError
from chaos.fault_client import FaultClient

CALL_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Connection:
    """Base URLs without a slash at the end, and the tokens; `otlp` is empty where no spans are wanted.

    `token` is the API's, `faults_token` that of a fault daemon beyond loopback.

    `otlp_token` is that token only where our own configuration names the receiver: it is nobody else's business.
    """

    api: str
    faults: str
    token: str
    otlp: str
    otlp_token: str
    faults_token: str


def connection(configuration: Mapping[str, Any] | None) -> Connection:
    """Return where to call.

    The keys `ninelives_api`, `ninelives_faults`, `ninelives_token`, `ninelives_faults_token` and `ninelives_otlp` of
    *configuration* come first, then NINELIVES_API, NINELIVES_FAULTS, NINELIVES_TOKEN, NINELIVES_FAULTS_TOKEN and
    OTEL_EXPORTER_OTLP_ENDPOINT, then the default ports here.
    """
    given = configuration or {}
    token = _first(given, "ninelives_token", "NINELIVES_TOKEN", "")
    return Connection(
        api=_url(_first(given, "ninelives_api", "NINELIVES_API", "127.0.0.1:8080")),
        faults=_url(_first(given, "ninelives_faults", "NINELIVES_FAULTS", "127.0.0.1:8474")),
        token=token,
        otlp=_url(_first(given, "ninelives_otlp", "OTEL_EXPORTER_OTLP_ENDPOINT", "")),
        otlp_token=token if given.get("ninelives_otlp") else "",
        faults_token=_first(given, "ninelives_faults_token", "NINELIVES_FAULTS_TOKEN", ""),
    )


@contextmanager
def api_of(configuration: Mapping[str, Any] | None) -> Iterator[ApiClient]:
    """Yield a client of the API; everything that goes wrong in the block becomes ActivityFailed.

    Any other exception could leave a run without journal and rollbacks.
    """
    where = connection(configuration)
    try:
        with ApiClient(where.api, token=where.token, timeout_s=CALL_TIMEOUT_S) as client:
            yield client
    except (ApiError, ValidationError, httpx.HTTPError) as error:
        raise ActivityFailed(str(error)) from error


@contextmanager
def faults_of(configuration: Mapping[str, Any] | None) -> Iterator[FaultClient]:
    """Yield a client of the fault daemon; everything that goes wrong in the block becomes ActivityFailed."""
    where = connection(configuration)
    try:
        with FaultClient(where.faults, token=where.faults_token) as client:
            yield client
    except (FaultDaemonError, ValidationError, httpx.HTTPError) as error:
        raise ActivityFailed(str(error)) from error


def _first(given: Mapping[str, Any], key: str, variable: str, default: str) -> str:
    return str(given.get(key) or os.environ.get(variable) or default)


def _url(address: str) -> str:
    if not address:
        return ""
    return (address if "://" in address else f"http://{address}").rstrip("/")
