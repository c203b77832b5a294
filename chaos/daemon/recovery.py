"""Faults that an earlier daemon left behind."""

import os
from pathlib import Path

from chaos.daemon.pid_file import PidFile
from chaos.daemon.targets import CommandEntry, ContainerEntry
from chaos.daemon.undo import UndoRecord
from chaos.daemon.world import VictimProcess, World
from chaos.errors import FaultRefusedError
from chaos.faults import Fault, LastingFault, build_fault


def leftover_fault(record: UndoRecord, world: World) -> Fault | None:
    """Return the fault of *record*, ready to be reverted.

    None means that nothing is left of it: it lived in the daemon, and its target is gone. What a lasting fault did
    is reverted by its plan, even when the targets file no longer knows the target.

    Raises:
        ValueError: the plan is damaged.
        FaultRefusedError: the record is no request of this version.
    """
    try:
        fault = build_fault(record.fault_id, record.request, world)
    except FaultRefusedError as error:
        if error.status != 404:
            raise
        if not record.plan:
            return None
        fault = build_fault(record.fault_id, record.request, _with_stand_ins(record.request.target, world))
    if isinstance(fault, LastingFault):
        fault.resume(record.plan)
    return fault


def _with_stand_ins(name: str, world: World) -> World:
    return World(
        processes={name: VictimProcess(name, "", PidFile(Path(os.devnull)))},
        commands={name: CommandEntry(name=name, inject=["false"], undo=["false"])},
        containers={name: ContainerEntry(name=name, container="removed")},
        folder=world.folder,
    )
