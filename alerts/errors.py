"""What can go wrong between a decision and its delivery."""


class AlertError(Exception):
    """Base of every error that this package raises."""


class InvalidAlert(AlertError):  # noqa: N818 - the name already says what is wrong
    """A transition, label or address that makes no sense."""


class InvalidMatcher(AlertError):  # noqa: N818 - the name already says what is wrong
    """A matcher, or the regular expression in it, that cannot be read."""


class InvalidSilence(AlertError):  # noqa: N818 - the name already says what is wrong
    """A silence that could never do what it was made for, or would silence everything."""


class ChannelError(AlertError):
    """A channel did not deliver.

    Attributes:
        permanent: trying again cannot help: the receiver refused the message itself.
        retry_after_s: how long the receiver asks to be left alone, in seconds; None if it does not say.
    """

    def __init__(self, message: str, *, permanent: bool, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after_s = retry_after_s


class InvalidLink(AlertError):  # noqa: N818 - the name already says what is wrong
    """A signed link opens nothing; the message says why, and what to do instead."""
