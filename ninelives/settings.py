"""Settings: flags, then the environment (`NINELIVES_*`), then `ninelives.yaml`. The only reader of all three."""

import os
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple
from urllib.parse import urlsplit

import psutil
from pydantic import BeforeValidator, ByteSize, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)
from yaml import YAMLError

PREFIX = "NINELIVES_"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
SMALLEST_MEMORY = 256 << 20


class SettingsError(Exception):
    """A setting has a wrong value; the message names the setting, the value and what is allowed."""


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(value: Any) -> Address:
    """Return `host:port` as an Address.

    Raises:
        ValueError: anything else.

    >>> parse_address("127.0.0.1:4318")
    Address(host='127.0.0.1', port=4318)
    """
    if isinstance(value, Address):
        return value
    parts = urlsplit(f"//{value}")
    try:
        port = parts.port
    except ValueError:
        port = None
    if not parts.hostname or port is None:
        raise ValueError("use host:port with a port from 0 to 65535, for example 127.0.0.1:4318")
    return Address(parts.hostname, port)


def _split(separator: str) -> BeforeValidator:
    return BeforeValidator(
        lambda value: [part for part in value.split(separator) if part] if isinstance(value, str) else value
    )


Listen = Annotated[Address, NoDecode, BeforeValidator(parse_address)]
Paths = Annotated[list[Path], NoDecode, _split(os.pathsep)]
Urls = Annotated[list[str], NoDecode, _split(",")]
Days = Annotated[int, Field(ge=1, le=3650)]


class Settings(BaseSettings):
    """Everything that can be set. A field's description is its documentation and its flag's help."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, yaml_file="ninelives.yaml", extra="forbid", frozen=True, validate_default=True
    )
    YAML_FILE: ClassVar[str] = "ninelives.yaml"

    otlp_http: Listen = Field(Address("127.0.0.1", 4318), description="Address of the OTLP/HTTP receiver.")
    otlp_grpc: Listen = Field(Address("127.0.0.1", 4317), description="Address of the OTLP/gRPC receiver.")
    api: Listen = Field(Address("127.0.0.1", 8080), description="Address of the API, /metrics and the probes.")
    dashboard: Listen = Field(Address("127.0.0.1", 8501), description="Address of the dashboard.")
    faults: Listen = Field(Address("127.0.0.1", 8474), description="Address of the fault daemon (Toxiproxy API).")
    demo_port: int = Field(
        8090, ge=1, le=65000, description="First port of the demo shop; its fault proxy is 100 above."
    )
    data: Path = Field(Path(".ninelives"), description="Data folder: spool, embedded database, dead letters.")
    clickhouse: str = Field(
        "",
        description="ClickHouse URL; empty is the embedded engine in the data folder, else http://user:pass@host:8123/db.",
    )
    slos: Paths = Field([Path("slos")], description="Folders or files with SLOs, separated by ':'.")
    external_url: str = Field("", description="Where people open the dashboard: the start of links in messages.")
    webhooks: Urls = Field(
        [], description="URLs that receive alerts (Alertmanager's webhook payload), separated by ','."
    )
    retention_raw_days: Days = Field(14, description="How long spans and traces are kept.")
    retention_metrics_days: Days = Field(31, description="How long metric points are kept.")
    retention_rollup_days: Days = Field(400, description="How long minute rollups and SLI minutes are kept.")
    disk_budget: ByteSize | None = Field(None, description="Drop the oldest days beyond this size, for example 20GiB.")
    memory: ByteSize | None = Field(
        None, description="Memory of the embedded engine; a quarter of the machine by default."
    )
    spool_limit: ByteSize = Field(
        ByteSize(1 << 30),
        description="Bytes of each signal that may wait for the database before requests are refused.",
    )
    body_limit: ByteSize = Field(
        ByteSize(16 << 20), description="Largest OTLP request, before and after decompression."
    )

    @field_validator("clickhouse")
    @classmethod
    def _is_clickhouse(cls, value: str) -> str:
        parts = urlsplit(value)
        embedded = parts.scheme == "chdb" and not parts.netloc and parts.path.startswith("/")
        server = parts.scheme in {"http", "https"} and bool(parts.hostname)
        if value and not embedded and not server:
            raise ValueError("use http://user:password@host:8123/database or chdb:///absolute/folder")
        return value

    @field_validator("external_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"http", "https"}:
            raise ValueError("use a URL that begins with http:// or https://")
        return value.rstrip("/")

    @field_validator("webhooks")
    @classmethod
    def _are_http(cls, value: list[str]) -> list[str]:
        for url in value:
            if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
                raise ValueError(f"{url!r} is not a URL that begins with http:// or https://")
        return value

    @field_validator("otlp_http", "otlp_grpc", "api", "dashboard", "faults")
    @classmethod
    def _is_loopback(cls, value: Address) -> Address:
        if value.host not in LOOPBACK:
            raise ValueError("only loopback (127.0.0.1, ::1, localhost) is served without API tokens")
        return value

    @field_validator("memory")
    @classmethod
    def _is_enough(cls, value: ByteSize | None) -> ByteSize | None:
        if value is not None and value < SMALLEST_MEMORY:
            raise ValueError("the engine needs at least 256MiB")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- not a source of ours
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- not a source of ours
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, YamlConfigSettingsSource(settings_cls))

    @property
    def memory_bytes(self) -> int:
        return int(self.memory) if self.memory is not None else max(SMALLEST_MEMORY, psutil.virtual_memory().total // 4)

    @property
    def clickhouse_url(self) -> str:
        return self.clickhouse or f"chdb://{self.data.resolve()}/clickhouse"

    @property
    def dashboard_url(self) -> str:
        """Return what links in messages begin with."""
        return self.external_url or f"http://{self.dashboard}"

    @property
    def api_url(self) -> str:
        return f"http://{self.api}"


def load_settings(flags: dict[str, Any]) -> Settings:
    """Return the settings; *flags* that are None were not given.

    Raises:
        SettingsError: one line for each wrong setting.
    """
    given = {name: value for name, value in flags.items() if value is not None and value != ()}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("\n".join(_line(item, given) for item in error.errors())) from error
    except (ValueError, YAMLError, OSError) as error:
        raise SettingsError(f"{Settings.YAML_FILE} cannot be read: {' '.join(str(error).split())}") from error


def _line(error: ErrorDetails, flags: dict[str, Any]) -> str:
    name = str(error["loc"][0]) if error["loc"] else Settings.YAML_FILE
    if error["type"] == "extra_forbidden":
        return f"{Settings.YAML_FILE}: {name!r} is no setting; allowed are {', '.join(Settings.model_fields)}"
    origin = f"--{name.replace('_', '-')}" if name in flags else f"{PREFIX}{name.upper()}"
    value = os.environ.get(f"{PREFIX}{name.upper()}", error["input"]) if name not in flags else flags[name]
    return f"{origin}={value}: {error['msg'].removeprefix('Value error, ')}"
