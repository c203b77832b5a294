"""The routes and channels in force: both follow the file that they are written in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from alerts.channels.base import Channel
from alerts.channels.build import build_channels
from alerts.config import AlertingConfig
from alerts.courier import Courier
from alerts.route import Route


@dataclass(frozen=True, slots=True)
class Routing:
    """Who is told: the tree of routes, and the names of the channels of each receiver."""

    route: Route
    channels_of: Mapping[str, Sequence[str]]


class LiveRouting:
    """Returns what is in force; when *load* returns another configuration, *courier* gets its channels first."""

    def __init__(
        self,
        load: Callable[[], AlertingConfig],
        courier: Courier,
        build: Callable[[AlertingConfig], Mapping[str, Sequence[Channel]]] = build_channels,
    ) -> None:
        self._load = load
        self._courier = courier
        self._build = build
        self._config: AlertingConfig | None = None
        self._routing = Routing(AlertingConfig().route, {})

    def __call__(self) -> Routing:
        config = self._load()
        if config is not self._config:
            channels = self._build(config)
            self._courier.use([channel for some in channels.values() for channel in some])
            names = {receiver: [channel.name for channel in some] for receiver, some in channels.items()}
            self._routing = Routing(config.route, names)
            self._config = config
        return self._routing
