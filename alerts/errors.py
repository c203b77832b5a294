"""What can go wrong between a decision and its delivery."""


class AlertError(Exception):
    """Base of every error that this package raises."""


class InvalidAlert(AlertError):  # noqa: N818 - the name already says what is wrong
    """A transition, label or address that makes no sense."""


class ChannelError(AlertError):
    """A channel did not deliver.

    Attributes:
        permanent: trying again cannot help: the receiver refused the message itself.
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent
