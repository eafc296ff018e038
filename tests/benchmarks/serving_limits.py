"""What serving is held against: the same server with a constant answer of the same size.

`bare` is a WSGI callable and nothing else; `flask` is Flask's own view. Run as
`python -m tests.benchmarks.serving_limits bare PORT`.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from recommender.__main__ import THREADS

MOVIES = [f"a+movie+of+usual+length+{number}+1999" for number in range(1000, 1020)]
LINE = f"{','.join(MOVIES)}\n".encode()


def bare() -> Callable[..., Iterable[bytes]]:
    """The least a WSGI application can do."""
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(LINE))),
    ]

    def application(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", headers)
        return [LINE]

    return application


def flask() -> Flask:
    """The same as a Flask view."""
    app = Flask("constant")

    @app.get("/recommend/<int:user_id>")
    def recommend(user_id: int) -> Response:
        del user_id
        return Response(LINE, mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        return {"model_version": "constant"}

    return app


if __name__ == "__main__":
    Server(
        "constant",
        address="127.0.0.1",
        port=int(sys.argv[2]),
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        blocking_threads=THREADS,
        log_level=LogLevels.warning,
    ).serve(target_loader={"bare": bare, "flask": flask}[sys.argv[1]], wrap_loader=False)
