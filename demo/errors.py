"""What the demo can refuse to do."""


class DemoError(Exception):
    """Base of the demo's errors: the message names the bad value and the remedy."""


class PortInUseError(DemoError):
    """A port of the shop is taken by another program."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} is in use: stop the program that listens there, or choose others with --base-port."
        )
        self.port = port


class StateError(DemoError):
    """The state file cannot be changed as asked."""


class HistoryError(DemoError):
    """The history could not be sent."""
