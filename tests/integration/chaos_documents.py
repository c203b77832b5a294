"""Chaos Toolkit documents of somebody else."""

from http.server import BaseHTTPRequestHandler

MODULE = "tests.integration.chaos_activities"


def activity(kind, func, name, arguments):
    if func == "http":
        provider = {"type": "http", "url": arguments["url"], "timeout": 3}
    else:
        provider = {"type": "python", "module": MODULE, "func": func, "arguments": arguments}
    return {"type": kind, "name": name or func, "provider": provider}


def action(func, name="", **arguments):
    return activity("action", func, name, arguments)


def probe(func, name="", **arguments):
    return activity("probe", func, name, arguments)


def hypothesis(*probes):
    return {"title": "all is well", "probes": [{"tolerance": True, **each} for each in probes]}


def document(method, rollbacks=(), hypothesis=None):
    made = {"title": "Somebody's experiment", "description": "Not ours.", "method": list(method)}
    if rollbacks:
        made["rollbacks"] = list(rollbacks)
    made["steady-state-hypothesis"] = hypothesis or {"title": "h", "probes": [{**probe("yes"), "tolerance": True}]}
    return made


def truncated_body():
    class Truncated(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"ff\r\nhalf")
            self.close_connection = True

        def log_message(self, *_):
            pass

    return Truncated
