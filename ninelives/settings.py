"""Settings: flags, then the environment (`NINELIVES_*`), then `ninelives.yaml`. The only reader of all three."""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple
from urllib.parse import urlsplit

import psutil
from pydantic import BeforeValidator, ByteSize, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)
from yaml import YAMLError

from collector.transport.tls import load_tls

PREFIX = "NINELIVES_"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- named to be told apart, not listened on
FOLLOW_LISTEN = ("otlp_http", "otlp_grpc", "api", "collector_health", "evaluator_health")
RECEIVER = (
    "body_limit", "otlp_timeout_s", "otlp_connections", "otlp_path_prefix", "otlp_cors_origins",
    "tls_cert", "tls_key", "tls_client_ca", "spool_limit", "spool_fsync", "spool_age_limit_s", "item_limit",
    "inflight_limit", "priorities",
)  # fmt: skip
SMALLEST_MEMORY = 256 << 20


class SettingsError(Exception):
    """A setting has a wrong value; the message names the setting, the value and what is allowed."""


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def on_loopback(self) -> bool:
        return self.host in LOOPBACK

    @property
    def local(self) -> "Address":
        """Return the address by which this machine reaches a listener on all of its addresses."""
        return Address(EVERYWHERE.get(self.host, self.host), self.port)


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


def _is_host(text: Any) -> bool:
    """Return whether *text* is an IP address or a host name without a port."""
    try:
        ip_address(text)
    except ValueError:
        return re.fullmatch(r"[A-Za-z][A-Za-z0-9.-]*", str(text)) is not None
    return True


def _pairs(value: Any) -> Any:
    """Return `name=value,...` as a mapping; anything else as it is.

    >>> _pairs("checkout=critical,batch=low")
    {'checkout': 'critical', 'batch': 'low'}
    """
    if not isinstance(value, str):
        return value
    parts = [part.rpartition("=") for part in value.split(",") if part]
    if not all(name for name, _, _ in parts):
        raise ValueError("use service=low, service=normal or service=critical, separated by ','")
    return {name: end for name, _, end in parts}


def _split(separator: str) -> BeforeValidator:
    return BeforeValidator(
        lambda value: [part for part in value.split(separator) if part] if isinstance(value, str) else value
    )


Listen = Annotated[Address, NoDecode, BeforeValidator(parse_address)]
Paths = Annotated[list[Path], NoDecode, _split(os.pathsep)]
Urls = Annotated[list[str], NoDecode, _split(",")]
Days = Annotated[int, Field(ge=1, le=3650)]
Sampling = Annotated[dict[str, Annotated[float, Field(gt=0, le=1)]] | None, NoDecode, BeforeValidator(_pairs)]
Priorities = Annotated[dict[str, Literal["low", "normal", "critical"]] | None, NoDecode, BeforeValidator(_pairs)]


class Settings(BaseSettings):
    """Everything that can be set. A field's description is its documentation and its flag's help."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, yaml_file="ninelives.yaml", extra="forbid", frozen=True, validate_default=True
    )
    YAML_FILE: ClassVar[str] = "ninelives.yaml"

    listen: str = Field(
        "", description="Address, for example 0.0.0.0, on which OTLP and the API listen; beyond loopback with tokens."
    )
    tokens_file: Path | None = Field(
        None, description="File of the tokens that are asked for; 'tokens.yaml' in the data folder by default."
    )
    link_secret_file: Path | None = Field(
        None,
        description="File of the secret that signs links in messages; 'links.secret' in the data folder by default.",
    )
    token: str = Field(
        "", repr=False, description="Token that commands send to the API; better not as a flag, which others can see."
    )
    otlp_http: Listen = Field(Address("127.0.0.1", 4318), description="Address of the OTLP/HTTP receiver.")
    otlp_grpc: Listen = Field(Address("127.0.0.1", 4317), description="Address of the OTLP/gRPC receiver.")
    api: Listen = Field(Address("127.0.0.1", 8080), description="Address of the API, /metrics and the probes.")
    collector_health: Listen = Field(
        Address("127.0.0.1", 8081), description="Address of the probes and /metrics of a collector apart."
    )
    evaluator_health: Listen = Field(
        Address("127.0.0.1", 8082), description="Address of the probes and /metrics of an evaluator apart."
    )
    dashboard: Listen = Field(Address("127.0.0.1", 8501), description="Address of the dashboard.")
    faults: Listen = Field(Address("127.0.0.1", 8474), description="Address of the fault daemon (Toxiproxy API).")
    faults_token: str = Field(
        "", repr=False, description="Token of a fault daemon elsewhere; of one here it is read from the data folder."
    )
    demo_port: int = Field(
        8090, ge=1, le=65000, description="First port of the demo shop; its fault proxies begin 100 above."
    )
    data: Path = Field(Path(".ninelives"), description="Data folder: spool, embedded database, dead letters.")
    clickhouse: str = Field(
        "",
        description="ClickHouse URL; empty is the embedded engine in the data folder, else http://user:pass@host:8123/db.",
    )
    slos: Paths = Field([Path("slos")], description="Folders or files with SLOs, separated by ':'.")
    experiments: Paths = Field([Path("experiments")], description="Folders with chaos experiments, separated by ':'.")
    external_url: str = Field("", description="Where people open the dashboard: the start of links in messages.")
    webhooks: Urls = Field(
        [], description="URLs that receive alerts (Alertmanager's webhook payload), separated by ','."
    )
    alerts: Path = Field(
        Path("alerts.yaml"),
        description="File of the routes, receivers and rules of alerts; without it, alerts go to the webhooks alone.",
    )
    retention_raw_days: Days = Field(14, description="How long spans and traces are kept.")
    retention_metrics_days: Days = Field(31, description="How long metric points are kept.")
    retention_logs_days: Days = Field(14, description="How long log records are kept.")
    retention_rollup_days: Days = Field(400, description="How long minute rollups and SLI minutes are kept.")
    disk_budget: ByteSize | None = Field(None, description="Drop the oldest days beyond this size, for example 20GiB.")
    memory: ByteSize | None = Field(
        None, description="Memory of the embedded engine; a quarter of the machine by default."
    )
    operation_limit: int = Field(
        1000, ge=10, description="Operation names, and routes, that rollups tell apart of a service; more is __other__."
    )
    series_limit: int = Field(
        100_000,
        ge=10,
        description="Metric series of a service within an hour; what is new beyond is stored as one series a metric.",
    )
    spool_limit: ByteSize = Field(
        ByteSize(1 << 30),
        description="Bytes of each signal that may wait for the database before requests are refused.",
    )
    body_limit: ByteSize = Field(
        ByteSize(16 << 20), description="Largest OTLP request, before and after decompression."
    )
    otlp_timeout_s: float = Field(
        20.0, ge=0.1, le=30, description="Longest time in seconds for an OTLP request to arrive whole."
    )
    otlp_connections: int = Field(
        1000, ge=1, description="Connections that each OTLP listener serves at the same time; the excess is closed."
    )
    otlp_path_prefix: str = Field(
        "", description="Path, for example /otlp, under which OTLP/HTTP is received too, as behind a proxy."
    )
    otlp_cors_origins: Urls = Field(
        [], description="Origins of web pages that may send OTLP/HTTP, separated by ','; '*' is all of them."
    )
    tls_cert: Path | None = Field(None, description="PEM certificate of the OTLP listeners, which then speak TLS only.")
    tls_key: Path | None = Field(None, description="PEM private key of that certificate, without a password.")
    tls_client_ca: Path | None = Field(
        None, description="PEM certificate of an authority; OTLP clients have to show a certificate that it signed."
    )

    spool_fsync: Literal["always", "interval", "off"] = Field(
        "always", description="When requests are synced to the disk: before the answer, every two seconds, or never."
    )
    spool_age_limit_s: float | None = Field(
        None, gt=0, description="Refuse requests while something waits longer than this for the database, in seconds."
    )
    item_limit: int = Field(100_000, ge=1, description="Most spans, data points or log records in one request.")
    sampling: Sampling = Field(
        None, description="Share of its spans that a service sends where the spans do not tell, as service=0.1."
    )
    cache_attribute: str = Field("cache.hit", description="Span attribute that tells cache hits from misses.")
    cache_hits: Urls = Field(["true", "hit", "HIT"], description="Its values that are hits, separated by ','.")
    cache_misses: Urls = Field(["false", "miss", "MISS"], description="Its values that are misses, separated by ','.")
    inflight_limit: ByteSize = Field(
        ByteSize(256 << 20), description="Memory of all OTLP requests in progress before more are refused."
    )
    priorities: Priorities = Field(
        None,
        description="Services that overload meets first (low) or last (critical), as service=low, separated by ','.",
    )

    @model_validator(mode="before")
    @classmethod
    def _follow_listen(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Put the listeners without an address of their own on that of `listen`."""
        host = given.get("listen")
        if not host or not _is_host(host):
            return given
        return {name: Address(host, cls.model_fields[name].default.port) for name in FOLLOW_LISTEN} | given

    @field_validator("listen")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and not _is_host(value):
            raise ValueError("use an address without a port, for example 0.0.0.0")
        return value

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

    @field_validator("otlp_http", "otlp_grpc", "api", "collector_health", "evaluator_health", "dashboard")
    @classmethod
    def _is_guarded(cls, value: Address, info: ValidationInfo) -> Address:
        """Let only those beyond loopback who brought tokens; `up` makes sure that they are there."""
        if not value.on_loopback and not any(info.data.get(name) for name in ("listen", "tokens_file", "token")):
            raise ValueError(
                "beyond loopback (127.0.0.1, ::1, localhost) tokens are needed: "
                "name their file with --tokens-file, or give --listen ADDRESS, which makes them"
            )
        return value

    @field_validator("tls_key")
    @classmethod
    def _fits_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "tls_cert" in info.data:
            load_tls(info.data["tls_cert"], value, None)
        return value

    @field_validator("tls_client_ca")
    @classmethod
    def _is_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and "tls_key" in info.data:
            load_tls(info.data.get("tls_cert"), info.data["tls_key"], value)
        return value

    @field_validator("otlp_path_prefix")
    @classmethod
    def _is_path(cls, value: str) -> str:
        if value and not re.fullmatch(r"(/[\w.~-]+)+/?", value):
            raise ValueError("use a path such as /otlp")
        return value.rstrip("/")

    @field_validator("otlp_cors_origins")
    @classmethod
    def _are_origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            if origin != "*" and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s,?#@]+", origin):
                raise ValueError(f"{origin!r} is no origin; use scheme://host or scheme://host:port, or '*'")
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
    def tokens_path(self) -> Path:
        return self.tokens_file or self.data / "tokens.yaml"

    @property
    def link_secret_path(self) -> Path:
        return self.link_secret_file or self.data / "links.secret"

    @property
    def beyond_loopback(self) -> bool:
        """Return whether something listens where others can reach it, which then needs tokens."""
        return not all(getattr(self, name).on_loopback for name in (*FOLLOW_LISTEN, "dashboard"))

    @property
    def dashboard_url(self) -> str:
        """Return what links in messages begin with."""
        return self.external_url or f"http://{self.dashboard}"

    @property
    def api_url(self) -> str:
        """Return where commands and the dashboard reach the API."""
        return f"http://{self.api.local}"


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
