"""What the API can start: its experiments, or the reason why this one starts none."""

from api import models as m
from api.client import ApiClient, ApiError
from dashboard.api_access import NotFoundError, UnreachableError, fetch

CONFLICT = 409


def experiments() -> tuple[list[m.Experiment], str]:
    """Return the experiments, and "" or why none can be started from here.

    Raises:
        UnreachableError: The API cannot be read.
    """
    try:
        return fetch(ApiClient.experiments), ""
    except UnreachableError as error:
        return [], _reason(error)


def experiment(name: str) -> tuple[m.Experiment | None, str]:
    """Return the experiment of this name, or None and why it cannot be started from here.

    Raises:
        UnreachableError: The API cannot be read.
    """
    try:
        return fetch(ApiClient.experiment, name), ""
    except NotFoundError as error:
        return None, str(error)
    except UnreachableError as error:
        return None, _reason(error)


def _reason(error: UnreachableError) -> str:
    if isinstance(error.__cause__, ApiError) and error.__cause__.status == CONFLICT:
        return str(error)
    raise error
