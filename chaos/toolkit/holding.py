"""Keeps a fault alive while this process lives, for runners that renew no leases."""

import logging
import threading
import time
from collections.abc import Callable

from chaos.errors import FaultDaemonError
from chaos.fault_client import FaultClient

RENEWALS_A_LEASE = 3

log = logging.getLogger("chaostoolkit")


def hold(url: str, fault_id: str, *, lease_ms: int, hold_s: float, clock: Callable[[], float] = time.monotonic) -> None:
    """Renew the lease of a fault in the background, for *hold_s* seconds at most.

    The thread ends with the process, with the fault, or when the daemon has been away for longer than a lease: from
    then on the fault ends by itself.
    """
    end = clock() + hold_s
    pause_s = lease_ms / 1000 / RENEWALS_A_LEASE

    def renew() -> None:
        heard_at = clock()
        with FaultClient(url) as faults:
            while clock() + pause_s < end:
                time.sleep(pause_s)
                try:
                    faults.renew(fault_id, lease_ms)
                    heard_at = clock()
                except FaultDaemonError as error:
                    if error.status or clock() - heard_at > lease_ms / 1000:
                        log.info("fault %s is not held any more: %s", fault_id, error)
                        return

    threading.Thread(target=renew, name=f"hold-{fault_id}", daemon=True).start()
