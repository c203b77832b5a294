"""A child follows its parent: the parent holds the other end of the child's standard input and never writes to it."""

import os
import sys
import threading
from collections.abc import Callable


def follow_parent(on_parent_gone: Callable[[], None]) -> None:
    """Call `on_parent_gone` once from a thread when standard input ends: also kill -9 of the parent closes the pipe."""
    stdin = sys.stdin.fileno()

    def watch() -> None:
        while os.read(stdin, 64):
            pass
        on_parent_gone()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def die_with_parent() -> None:
    """End this process at once when its parent is gone. For processes with nothing to clean up."""
    follow_parent(lambda: os._exit(0))
