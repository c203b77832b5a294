"""The lines of an experiment's `method`: a word, and what it says of the fault."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag

from chaos.experiments.fault_specs import (
    CacheFlush,
    CommandFault,
    ContainerFault,
    CpuExhaustion,
    DiskExhaustion,
    FaultSpec,
    FileDescriptorExhaustion,
    HangFailure,
    HttpFailure,
    KillFailure,
    LatencyInjection,
    MemoryExhaustion,
    NetworkPartition,
    PoolStarvation,
)

METHODS: dict[str, tuple[type[FaultSpec], ...]] = {
    "latency_injection": (LatencyInjection,),
    "network_partition": (NetworkPartition,),
    "service_failure": (KillFailure, HangFailure, HttpFailure),
    "resource_exhaustion": (CpuExhaustion, MemoryExhaustion, FileDescriptorExhaustion, DiskExhaustion),
    "cache_flush": (CacheFlush,),
    "pool_starvation": (PoolStarvation,),
    "command": (CommandFault,),
    "container": (ContainerFault,),
}

KIND_TAGS = ("kill", "hang", "http_errors", "cpu", "memory", "file_descriptors", "disk")


def _word(value: Any) -> str | None:
    if isinstance(value, FaultSpec):
        return value.word
    return str(next(iter(value))) if isinstance(value, dict) and len(value) == 1 else None


def _arguments(value: Any) -> Any:
    if isinstance(value, FaultSpec):
        return value
    (arguments,) = value.values()
    return {} if arguments is None else arguments


def _chosen(value: Any, field: str, default: str | None) -> str | None:
    return value.get(field, default) if isinstance(value, dict) else getattr(value, field, default)


_Line = BeforeValidator(_arguments)

_ServiceFailures = Annotated[
    Annotated[KillFailure, Tag("kill")]
    | Annotated[HangFailure, Tag("hang")]
    | Annotated[HttpFailure, Tag("http_errors")],
    Discriminator(
        lambda value: _chosen(value, "mode", "kill"),
        custom_error_type="unknown_mode",
        custom_error_message="mode is none of kill, hang, http_errors",
    ),
]

_ResourceExhaustions = Annotated[
    Annotated[CpuExhaustion, Tag("cpu")]
    | Annotated[MemoryExhaustion, Tag("memory")]
    | Annotated[FileDescriptorExhaustion, Tag("file_descriptors")]
    | Annotated[DiskExhaustion, Tag("disk")],
    Discriminator(
        lambda value: _chosen(value, "resource", None),
        custom_error_type="unknown_resource",
        custom_error_message="resource is none of cpu, memory, file_descriptors, disk",
    ),
]

MethodLine = Annotated[
    Annotated[LatencyInjection, _Line, Tag("latency_injection")]
    | Annotated[NetworkPartition, _Line, Tag("network_partition")]
    | Annotated[_ServiceFailures, _Line, Tag("service_failure")]
    | Annotated[_ResourceExhaustions, _Line, Tag("resource_exhaustion")]
    | Annotated[CacheFlush, _Line, Tag("cache_flush")]
    | Annotated[PoolStarvation, _Line, Tag("pool_starvation")]
    | Annotated[CommandFault, _Line, Tag("command")]
    | Annotated[ContainerFault, _Line, Tag("container")],
    Discriminator(
        _word,
        custom_error_type="unknown_method",
        custom_error_message=f"a line of the method is one of {', '.join(METHODS)} with its attributes, "
        "for example {latency_injection: {target: gateway-orders, latency_ms: 300}}",
    ),
]
