"""A typed client of the API over a test's own context."""

from contextlib import contextmanager

from prometheus_client import CollectorRegistry

from api.client import ApiClient
from api.context import Context
from storage.slo_catalog import SloCatalog
from tests.integration.api_served import served


@contextmanager
def api_over(database, folders=(), **parts):
    """Yield a client of the API over *database*, with SLO files in *folders* and further *parts* of its context."""
    context = Context(database, SloCatalog(list(folders)), CollectorRegistry(), "1.2.3", {}, **parts)
    with served(context) as http, ApiClient(str(http.base_url)) as api:
        yield api
