"""What every channel can do."""

from typing import Protocol

from alerts.message import Message


class Channel(Protocol):
    """A way to tell someone. Its name is the key of its deliveries."""

    @property
    def name(self) -> str: ...

    def send(self, message: Message) -> None:
        """Deliver *message* or raise; a repeated `idempotency_key` means that it may have arrived already.

        Raises:
            ChannelError: not delivered; `permanent` says whether to try again.
        """
