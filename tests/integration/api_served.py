"""The API on a real socket, for tests that look at its answers byte by byte."""

import socket
import threading
from contextlib import contextmanager

import httpx
import uvicorn
import uvloop

from api.app import build_app


@contextmanager
def served(context):
    """Yield a client of the API over *context*."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(context), log_config=None, access_log=False, http="httptools"))
    thread = threading.Thread(target=lambda: uvloop.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
