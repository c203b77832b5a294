class ChaosError(Exception):
    """Base of every error that `chaos` raises."""


class ExperimentError(ChaosError):
    """An experiment file cannot be used; the message names the file and the field."""


class TargetsError(ChaosError):
    """The targets file of the fault daemon cannot be used."""


class FaultRefusedError(ChaosError):
    """The fault daemon refuses a request.

    Attributes:
        status: HTTP status of the answer.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class FaultDaemonError(ChaosError):
    """Seen by a client of the fault daemon: it refused, or nothing answered.

    Attributes:
        status: HTTP status of the answer, 0 when nothing answered.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class RunRefusedError(ChaosError):
    """An experiment is not started; the message is the reason and the remedy."""
