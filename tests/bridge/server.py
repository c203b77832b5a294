"""The ClickHouse HTTP interface over one chDB engine. `python -m tests.bridge.server --path DIR --port N` serves it."""

import argparse
import asyncio
import gzip
import os
import re
import sys
import tempfile
import threading
import uuid
import zlib
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import lz4.frame
import uvicorn
from backports import zstd
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.bridge.engine import Answer, Engine, RefusedError
from tests.bridge.statement import Statement, parse

# parameters of the interface itself; every other one is a setting
OURS = {"query", "database", "user", "password", "query_id", "default_format", "quota_key", "role"}
WITHOUT_EFFECT = {"wait_end_of_query", "buffer_size", "client_protocol_version", "stacktrace"}
NOT_SUPPORTED = {"session_id", "decompress", "compress"}
UNPACK = {"gzip": gzip.decompress, "deflate": zlib.decompress, "zstd": zstd.decompress, "lz4": lz4.frame.decompress}
PACK = {"lz4": lz4.frame.compress, "gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the statements that *only* matches.

    Attributes:
        delay_s: They begin so much later.
        code: They are not run, and answered with this error.
        cut: They are run, and the connection is closed without an answer.
    """

    only: str = ""
    delay_s: float = 0.0
    code: int = 0
    cut: bool = False

    def hits(self, statement: Statement) -> bool:
        return self != Fault() and re.search(self.only, statement.sql, re.IGNORECASE) is not None


class Protocol(HttpToolsProtocol):
    """Lends the connection to the application, which may have to cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"connection": self.transport}


class Server:
    def __init__(self, engine: Engine, user: str, password: str) -> None:
        self._engine = engine
        self._user = user
        self._password = password
        self._fault = Fault()
        self.app = Starlette(
            routes=[
                Route("/ping", lambda _: PlainTextResponse("Ok.\n")),
                Route("/bridge/fault", self._set_fault, methods=["POST"]),
                Route("/", self._query, methods=["GET", "POST"]),
            ]
        )

    async def _set_fault(self, request: Request) -> Response:
        self._fault = Fault(**await request.json())
        return Response()

    async def _query(self, request: Request) -> Response:
        options = dict(request.query_params)
        query_id = options.get("query_id") or str(uuid.uuid4())
        headers = {"X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Timezone": os.environ["TZ"]}
        try:
            body, fields = await _read(request)
            options |= fields
            self._authenticate(request, options)
            query = options.get("query", "").encode()
            statement = parse(query + b"\n" + body if query and body else query or body)
            answer = await self._run(request, statement, options)
        except RefusedError as error:
            headers["X-ClickHouse-Exception-Code"] = str(error.code)
            return PlainTextResponse(f"{error}\n", error.status, headers)
        headers["X-ClickHouse-Summary"] = answer.summary
        if answer.format:
            headers["X-ClickHouse-Format"] = answer.format
        return _pack(request, options, Response(answer.body, headers=headers))

    async def _run(self, request: Request, statement: Statement, options: Mapping[str, str]) -> Answer:
        """Run *statement*, or let the present fault have its way with it."""
        if statement.is_several:
            raise RefusedError(62, "Syntax error (Multi-statements are not allowed). (SYNTAX_ERROR)")
        settings, parameters = _settings(request, options)
        fault = self._fault if self._fault.hits(statement) else Fault()
        await asyncio.sleep(fault.delay_s)
        if fault.code:
            raise RefusedError(fault.code, "the test wants it so")
        answer = await asyncio.to_thread(
            self._engine.run,
            statement,
            database=options.get("database") or request.headers.get("x-clickhouse-database", "default"),
            default_format=options.get("default_format") or request.headers.get("x-clickhouse-format", "TabSeparated"),
            settings=settings,
            parameters=parameters,
        )
        if fault.cut:
            request.scope["extensions"]["connection"].abort()
        return answer

    def _authenticate(self, request: Request, options: Mapping[str, str]) -> None:
        """Take the user from the Authorization header, ClickHouse's own headers or the URL, as a server does."""
        kind, _, credentials = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            user, _, password = b64decode(credentials).decode().partition(":")
        else:
            user = request.headers.get("x-clickhouse-user") or options.get("user", "default")
            password = request.headers.get("x-clickhouse-key") or options.get("password", "")
        if (user, password) != (self._user, self._password):
            wrong = "password is incorrect, or there is no user with such name"
            raise RefusedError(516, f"{user}: Authentication failed: {wrong}. (AUTHENTICATION_FAILED)")


async def _read(request: Request) -> tuple[bytes, dict[str, str]]:
    """Return the decompressed body, or the fields of a form in its place."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        form = await request.form()
        if any(isinstance(value, UploadFile) for value in form.values()):
            raise RefusedError(48, "external tables are not supported by the bridge. (NOT_IMPLEMENTED)")
        return b"", {name: str(value) for name, value in form.items()}
    body = await request.body()
    encoding = request.headers.get("content-encoding", "identity")
    if encoding == "identity":
        return body, {}
    if encoding not in UNPACK:
        raise RefusedError(48, f"Unknown compression method {encoding}. (NOT_IMPLEMENTED)")
    return await asyncio.to_thread(UNPACK[encoding], body), {}


def _settings(request: Request, options: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the settings and the parameters of the query; GET must not change anything."""
    parameters = {name.removeprefix("param_"): value for name, value in options.items() if name.startswith("param_")}
    refused = NOT_SUPPORTED & {name for name, value in options.items() if value not in {"", "0"}}
    if refused:
        raise RefusedError(48, f"{', '.join(refused)}: not supported by the bridge. (NOT_IMPLEMENTED)")
    names = set(options) - OURS - WITHOUT_EFFECT - NOT_SUPPORTED
    settings = {name: options[name] for name in options if name in names and not name.startswith("param_")}
    return settings | ({"readonly": "2"} if request.method == "GET" else {}), parameters


def _pack(request: Request, options: Mapping[str, str], response: Response) -> Response:
    """Compress the body when that is allowed (`enable_http_compression=1`) and the client takes it."""
    accepted = re.split(r"[,;\s]+", request.headers.get("accept-encoding", ""))
    chosen = next((name for name in PACK if name in accepted), None)
    if chosen and response.body and options.get("enable_http_compression") == "1":
        response.body = PACK[chosen](response.body)
        response.headers["Content-Encoding"] = chosen
        response.headers["Content-Length"] = str(len(response.body))
    return response


def _end_with_parent(folder: tempfile.TemporaryDirectory[str]) -> None:
    """End at the end of standard input: the kernel closes the parent's pipe even after kill -9."""
    while os.read(0, 4096):
        pass
    folder.cleanup()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bridge.server", description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="folder of the engine's data")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--user", default="default")
    parser.add_argument("--password", default="")
    parser.add_argument("--memory", type=int, default=1 << 30, help="bytes the engine may use")
    parser.add_argument("--watch-stdin", action="store_true", help="end at the end of standard input")
    given = parser.parse_args()
    path = given.path.resolve()
    path.mkdir(parents=True, exist_ok=True)
    folder = tempfile.TemporaryDirectory(prefix="bridge-")
    os.chdir(folder.name)  # the engine leaves a folder with the schemas it was sent in the working directory
    if given.watch_stdin:
        threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    engine = Engine(path, given.memory)
    app = Server(engine, given.user, given.password).app
    limits = {"timeout_keep_alive": 30, "timeout_graceful_shutdown": 1}
    config = uvicorn.Config(app, "127.0.0.1", given.port, log_level="critical", http=Protocol, loop="uvloop", **limits)
    try:
        uvicorn.Server(config).run()
    finally:
        engine.close()
        folder.cleanup()
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
