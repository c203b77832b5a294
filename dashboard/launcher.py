"""What the API can start: its experiments, or the reason why this one starts none."""

from api import models as m
from api.client import ApiClient, ApiError
from dashboard.api_access import UnreachableError, fetch

CONFLICT = 409


def experiments() -> tuple[list[m.Experiment], str]:
    """Return the experiments, and "" or why none can be started from here.

    Raises:
        UnreachableError: The API cannot be read.
    """
    try:
        return fetch(ApiClient.experiments), ""
    except UnreachableError as error:
        if isinstance(error.__cause__, ApiError) and error.__cause__.status == CONFLICT:
            return [], str(error)
        raise
