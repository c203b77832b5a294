"""Ends this process together with the one that started it."""

import os
import threading

_started = threading.Event()


def exit_when_stdin_closes() -> None:
    """Start, once a process, a thread that ends the process at the end of standard input.

    The parent holds the writing end of a pipe and never writes; the kernel closes it even after kill -9, so the
    dashboard cannot outlive its supervisor and keep the port.
    """
    if _started.is_set():
        return
    _started.set()
    threading.Thread(target=_wait, name="parent-watch", daemon=True).start()


def _wait() -> None:
    while os.read(0, 4096):
        pass
    # a plain exit would wait for Streamlit's server and script threads
    os._exit(0)
