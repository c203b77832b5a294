"""The routes and channels in force: they follow the file that they are written in, and the files of secrets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    """Returns what is in force.

    When *load* returns another configuration, or a file with a secret of a channel has changed, *courier* gets the
    channels made anew first.
    """

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
        self._secrets: Mapping[Path, object] = {}
        self._routing = Routing(AlertingConfig().route, {})

    def __call__(self) -> Routing:
        config = self._load()
        secrets = {path: _version(path) for path in config.secret_files}
        if config is not self._config or secrets != self._secrets:
            channels = self._build(config)
            self._courier.use([channel for some in channels.values() for channel in some])
            names = {receiver: [channel.name for channel in some] for receiver, some in channels.items()}
            self._routing = Routing(config.route, names)
            self._config, self._secrets = config, secrets
        return self._routing


def _version(path: Path) -> tuple[int, int, int] | None:
    """Return what is another once *path* was written or replaced, None while there is no such file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
