from demo.cache_service import cache_app
from demo.catalog import catalog_app
from demo.gateway import gateway_app
from demo.orders import orders_app
from demo.service import ServiceSettings, serve
from demo.telemetry import start_telemetry

APPS = {"gateway": gateway_app, "orders": orders_app, "catalog": catalog_app, "item-cache": cache_app}


def run_service(settings: ServiceSettings) -> None:
    """Run one instance of one of the services until it is told to stop."""
    telemetry = start_telemetry(settings.name, settings.environment, settings.endpoint, settings.instance)
    serve(settings, telemetry, APPS[settings.name](settings, telemetry))
