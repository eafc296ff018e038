"""The metadata API over HTTP: /user/<id> and /movie/<id>, up to 200 ids separated by commas."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override
from urllib.parse import unquote

MOST_IDS = 200

Lookup = Callable[[str], dict[str, Any] | None]


def metadata_server(port: int, lookups: Mapping[str, Lookup]) -> ThreadingHTTPServer:
    """An HTTP server, not yet serving, that answers `/<kind>/<ids>` from the lookup of that kind.

    One id gives an object, several a list in their order, with a message in place of what is
    not found. Port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10
        disable_nagle_algorithm = True  # head and body are two writes; the second should not wait
        error_content_type = "application/json"
        error_message_format = (
            f'{{"message": "%(message)s: ask for up to {MOST_IDS} ids in at most 64 KiB"}}\n'
        )

        def do_GET(self) -> None:
            status, body = answer(self.path, lookups)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: one line a request would drown the simulator's own log."""

    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    return server


def answer(path: str, lookups: Mapping[str, Lookup]) -> tuple[HTTPStatus, Any]:
    """Status and JSON body for a path."""
    kind, _, ids = path.removeprefix("/").partition("/")
    asked = [unquote(one) for one in ids.split(",")]
    if kind not in lookups or not ids:
        return HTTPStatus.NOT_FOUND, {"message": "not found"}
    if len(asked) > MOST_IDS:
        return HTTPStatus.BAD_REQUEST, {"message": f"more than {MOST_IDS} ids"}
    found = [lookups[kind](one) or {"message": f"{kind} not found"} for one in asked]
    if len(found) > 1:
        return HTTPStatus.OK, found
    return HTTPStatus.NOT_FOUND if "message" in found[0] else HTTPStatus.OK, found[0]
