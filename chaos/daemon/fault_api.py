"""The daemon's own endpoints: faults that cannot be created without a lease."""

from fastapi import APIRouter

from chaos.daemon.board import FaultBoard
from chaos.daemon.world import World
from chaos.wire import (
    EmergencyStopRequest,
    EmergencyStopResult,
    EmergencyStopState,
    FaultList,
    FaultRequest,
    FaultState,
    LeaseRequest,
    OtherTarget,
    ProcessTarget,
    ProxyTarget,
    TargetList,
)

NOBODY = EmergencyStopRequest()


class FaultApi:
    def __init__(self, world: World, board: FaultBoard) -> None:
        self._world = world
        self._board = board

    def router(self) -> APIRouter:
        router = APIRouter(tags=["faults"])
        router.add_api_route("/targets", self.targets, methods=["GET"])
        router.add_api_route("/faults", self.faults, methods=["GET"])
        router.add_api_route("/faults", self.inject, methods=["POST"], status_code=201)
        router.add_api_route("/faults/{fault_id}", self.fault, methods=["GET"])
        router.add_api_route("/faults/{fault_id}", self.revert, methods=["DELETE"])
        router.add_api_route("/faults/{fault_id}/renew", self.renew, methods=["POST"])
        router.add_api_route("/emergency-stop", self.show_emergency_stop, methods=["GET"])
        router.add_api_route("/emergency-stop", self.emergency_stop, methods=["POST"])
        router.add_api_route("/emergency-stop", self.release_emergency_stop, methods=["DELETE"])
        return router

    async def targets(self) -> TargetList:
        proxies = [
            ProxyTarget(
                name=proxy.name,
                listen=str(proxy.listen),
                upstream=str(proxy.upstream),
                client=proxy.client,
                server=proxy.server,
                enabled=proxy.enabled,
                protocol=proxy.protocol,
            )
            for proxy in self._world
        ]
        processes = [
            ProcessTarget(name=each.name, service=each.service, running=each.pid_file.live() is not None)
            for each in self._world.processes.values()
        ]
        world = self._world
        commands, containers, caches, pools = (
            [OtherTarget(name=each.name, service=each.service) for each in part.values()]
            for part in (world.commands, world.containers, world.caches, world.pools)
        )
        return TargetList(
            proxies=proxies,
            processes=processes,
            commands=commands,
            containers=containers,
            caches=caches,
            pools=pools,
        )

    async def faults(self) -> FaultList:
        return FaultList(items=self._board.states())

    async def fault(self, fault_id: str) -> FaultState:
        return self._board.state(fault_id)

    async def inject(self, request: FaultRequest) -> FaultState:
        return await self._board.inject(request)

    async def renew(self, fault_id: str, request: LeaseRequest) -> FaultState:
        return self._board.renew(fault_id, request.lease_ms)

    async def revert(self, fault_id: str) -> FaultState:
        return await self._board.revert(fault_id, "request")

    async def show_emergency_stop(self) -> EmergencyStopState:
        return self._board.emergency_stop.state

    async def emergency_stop(self, request: EmergencyStopRequest = NOBODY) -> EmergencyStopResult:
        items = await self._board.stop_all(request)
        return EmergencyStopResult(**self._board.emergency_stop.state.model_dump(), items=items)

    async def release_emergency_stop(self) -> EmergencyStopState:
        self._board.emergency_stop.release()
        return self._board.emergency_stop.state
