"""The typed client of the fault daemon."""

from types import TracebackType
from typing import Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from chaos.errors import FaultDaemonError
from chaos.wire import (
    EmergencyStopRequest,
    EmergencyStopResult,
    EmergencyStopState,
    FaultList,
    FaultRequest,
    FaultState,
    TargetList,
)

M = TypeVar("M", bound=BaseModel)

REVERT_TIMEOUT_S = 20.0  # the daemon waits up to 10 s to see a killed process respawned


class FaultClient:
    """Calls to the fault daemon at *base_url*, for example `http://127.0.0.1:8474`.

    A daemon beyond loopback wants the *token* in its `chaos/daemon.token`.
    Every method raises FaultDaemonError when the daemon refuses or does not answer within *timeout_s*.
    """

    def __init__(self, base_url: str, *, token: str = "", timeout_s: float = 3.0) -> None:
        self.base_url = base_url.rstrip("/")
        # trust_env=False: a proxy meant for the outside must not swallow calls to a local daemon
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=self.base_url, headers=headers, timeout=timeout_s, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def targets(self) -> TargetList:
        return self._send(TargetList, "GET", "/targets")

    def faults(self) -> list[FaultState]:
        """Return the active faults and the latest ended ones, oldest first."""
        return self._send(FaultList, "GET", "/faults").items

    def inject(self, request: FaultRequest) -> FaultState:
        """Inject a fault. Its lease counts from the request; what a slow injection used up of it is renewed here."""
        timeout_s = request.lease_ms / 1000 + REVERT_TIMEOUT_S
        fault = self._send(FaultState, "POST", "/faults", request, timeout_s=timeout_s)
        if fault.phase == "active" and fault.expires_in_ms < request.lease_ms / 2:
            return self.renew(fault.id, request.lease_ms)
        return fault

    def renew(self, fault_id: str, lease_ms: int) -> FaultState:
        return self._send(FaultState, "POST", f"/faults/{fault_id}/renew", json={"lease_ms": lease_ms})

    def revert(self, fault_id: str) -> FaultState:
        """End a fault and wait until the daemon has seen it mended; see `FaultState.verified`."""
        return self._send(FaultState, "DELETE", f"/faults/{fault_id}", timeout_s=REVERT_TIMEOUT_S)

    def emergency_stop(self, *, by: str = "", reason: str = "") -> list[FaultState]:
        """End every fault of every runner and return them. Nothing is injected until the stop is released."""
        request = EmergencyStopRequest(by=by, reason=reason)
        return self._send(EmergencyStopResult, "POST", "/emergency-stop", request, timeout_s=REVERT_TIMEOUT_S).items

    def emergency_stop_state(self) -> EmergencyStopState:
        """Return whether the daemon is locked, since when and by whom."""
        return self._send(EmergencyStopState, "GET", "/emergency-stop")

    def release_emergency_stop(self) -> EmergencyStopState:
        """Allow faults again."""
        return self._send(EmergencyStopState, "DELETE", "/emergency-stop")

    def _send(
        self,
        kind: type[M],
        method: str,
        path: str,
        body: BaseModel | None = None,
        *,
        json: dict[str, int] | None = None,
        timeout_s: float | None = None,
    ) -> M:
        document = json if body is None else body.model_dump(mode="json")
        timeout = self._http.timeout if timeout_s is None else httpx.Timeout(timeout_s)
        try:
            answer = self._http.request(method, path, json=document, timeout=timeout)
        except httpx.HTTPError as error:
            raise FaultDaemonError(
                f"cannot reach the fault daemon at {self.base_url} ({error}); start it with 'ninelives chaos daemon'"
            ) from error
        if answer.is_error:
            raise FaultDaemonError(f"the fault daemon refuses: {_reason(answer)}", answer.status_code)
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as error:
            raise FaultDaemonError(f"{self.base_url}{path} does not answer like a fault daemon of ours") from error


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.request.method} {answer.request.url.path}: HTTP {answer.status_code}"
