"""Activities of somebody else's experiments, good and bad, for the process that runs them."""

import contextlib
import logging
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chaoslib.hypothesis import within_tolerance


def yes():
    return True


def no():
    return False


def number(value=None):
    return value


def nap(seconds):
    time.sleep(seconds)


def write(path, text="here"):
    Path(path).write_text(text, encoding="utf-8")
    return text


def remove(path):
    Path(path).unlink(missing_ok=True)


def is_whole(path):
    """Whether nobody has broken the file system with `write`."""
    return not Path(path).exists()


def write_and_fail(path):
    write(path)
    raise RuntimeError("half done")


def write_and_nap(path, seconds):
    write(path)
    time.sleep(seconds)


def write_and_hang(path):
    """Cannot be ended by any exception."""
    write(path)
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(60)


def boom():
    raise RuntimeError("boom")


async def promise():
    return True


def odd():
    return {"at": object(), 3: {1, 2}, "raw": b"\xff", "nan": float("nan")}


def terminate_myself():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)


def leave_a_fork_behind(seconds):
    if os.fork() == 0:
        time.sleep(seconds)
        os._exit(0)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def configured(configuration=None):
    """Change the configuration, which is a copy, and return it."""
    configuration["answer"] = "changed"
    return configuration


def asked_what(configuration=None):
    return configuration["answer"]


def before_experiment_control(context, logger="chaostoolkit"):
    """A safeguard that dies as those of the toolkit's add-ons do: in a future, logged at debug level."""
    with ThreadPoolExecutor(1) as pool:
        guard = pool.submit(within_tolerance, [1, 2], None)
        error = guard.exception()
    logging.getLogger(logger).debug("Safeguard 'budget' failed: %s", error, exc_info=error)
