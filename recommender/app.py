"""The HTTP side of a slot: Flask, with the one hot path wrapped around its WSGI application.

A good request for recommendations never enters Flask; whatever else comes (a bad id, a
wrong method, no model yet, health, metrics) does. Everything is told in one plain line.
Nginx weighs what a caller accepts, and sends one of two values.
"""

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import structlog
from flask import Flask, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException

from compose.service.log import recent_lines
from recommender.answers.answers import UNKNOWN_BUCKET, Answers, Question
from recommender.metrics import Metrics
from recommender.slot import Interleaving, Slot
from trainer.versions.contents import ANSWER_LENGTH, ModelVersion

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOG = structlog.get_logger()

USER_ID = re.compile(r"[0-9]{1,18}")
BUCKETS = {f"{number:03}": number for number in range(1000)}
COUNT = re.compile(r"[1-9][0-9]?|100")
METHODS = frozenset({"GET", "HEAD"})
JSON = "application/json"
RECOMMEND = "/recommend/"
PLAIN = "text/plain; charset=utf-8"
REPLAYED = "HTTP_X_MARQUEE_REPLAYED"
"""A header of the releaser's; Nginx passes none of a caller's on."""

EXPLANATIONS = {
    400: "ask for GET /recommend/<user id>; a user id is 1 to 18 digits and not zero, "
    "?n= is 1 to 100",
    404: "there is nothing here; ask for GET /recommend/<user id>",
    405: "only GET and HEAD are answered here",
    500: "this request could not be answered; the reason is in the log",
    503: "there is no verified model yet",
}


def create_app(
    slot_name: str,
    slot: Slot,
    answers: Answers,
    receipts_waiting: Callable[[], int],
    metrics: Metrics,
) -> Flask:
    """A slot's web application; `receipts_waiting` tells how many are not stored yet."""
    app = Flask("recommender")
    app.before_request(_only_methods)
    app.register_error_handler(HTTPException, _explained)
    app.register_error_handler(Exception, _failed)
    app.after_request(_counted(metrics))
    _add_recommend(app, slot, answers)
    _add_readiness(app, slot_name, slot, receipts_waiting)
    _add_metrics(app, metrics)
    app.add_url_rule("/log", view_func=_log)
    # Flask's own way to wrap an application, though its types have it as a method only.
    app.wsgi_app = hot_path(app.wsgi_app, slot, answers)  # type: ignore[method-assign,assignment]
    return app


def hot_path(flask: "WSGIApplication", slot: Slot, answers: Answers) -> "WSGIApplication":
    """Answer good requests for recommendations, and leave all others to Flask.

    What fails here fails again in Flask, which logs it and says so.
    """

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        model = slot.model
        if model and path.startswith(RECOMMEND) and environ["REQUEST_METHOD"] in METHODS:
            try:
                body, content_type = respond(environ, model, answers, slot.interleaving)
            except Exception:  # noqa: BLE001 -- Flask meets it again, and says what it is
                return flask(environ, start_response)
            length = str(len(body))
            start_response("200 OK", [("Content-Type", content_type), ("Content-Length", length)])
            return [body] if environ["REQUEST_METHOD"] == "GET" else []
        return flask(environ, start_response)

    return application


def respond(
    environ: "WSGIEnvironment",
    model: ModelVersion,
    answers: Answers,
    interleaving: Interleaving | None,
) -> tuple[bytes, str]:
    """The answer to a request for recommendations, and its content type.

    Raises:
        ValueError: it asks for what cannot be.
    """
    question = Question(
        user_number(environ["PATH_INFO"][len(RECOMMEND) :]),
        BUCKETS.get(environ.get("HTTP_X_MARQUEE_BUCKET", ""), UNKNOWN_BUCKET),
        environ.get("HTTP_X_MARQUEE_CALLER", ""),
        movie_count(environ.get("QUERY_STRING", "")),
        environ["REQUEST_METHOD"] == "GET",
        REPLAYED in environ,
    )
    challenger = interleaving.challenger_of(question.bucket) if interleaving else None
    if environ.get("HTTP_ACCEPT") == JSON:
        return answers.give_in_full(question, model, challenger), JSON
    return answers.give(question, model, challenger), PLAIN


def user_number(text: str) -> int:
    """The user id that stands in a path.

    Raises:
        ValueError: it is not 1 to 18 digits, or it is zero.
    """
    if USER_ID.fullmatch(text) and (number := int(text)):
        return number
    raise ValueError(EXPLANATIONS[400])


def movie_count(query: str) -> int:
    """How many movies a query asks for: its `n`, or as many as a list has.

    Raises:
        ValueError: it is no number from 1 to 100.
    """
    if not query:
        return ANSWER_LENGTH
    wanted = parse_qs(query, keep_blank_values=True).get("n")
    if wanted is None:
        return ANSWER_LENGTH
    if COUNT.fullmatch(wanted[0]):
        return int(wanted[0])
    raise ValueError(EXPLANATIONS[400])


def _add_recommend(app: Flask, slot: Slot, answers: Answers) -> None:
    """What the hot path left: what cannot be answered, and why."""

    def recommend(user: str) -> ResponseReturnValue:
        model = slot.model
        try:
            user_number(user)
            movie_count(request.query_string.decode())
        except ValueError:
            abort(400)
        if model is None:
            abort(503)
        body, content_type = respond(request.environ, model, answers, slot.interleaving)
        return Response(body, content_type=content_type)

    app.add_url_rule(RECOMMEND, view_func=recommend, defaults={"user": ""})
    app.add_url_rule(f"{RECOMMEND}<path:user>", view_func=recommend)


def _add_readiness(
    app: Flask, slot_name: str, slot: Slot, receipts_waiting: Callable[[], int]
) -> None:
    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return Response("alive\n", mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> ResponseReturnValue:
        model, interleaving = slot.model, slot.interleaving
        state = {
            "slot": slot_name,
            "model_version": model.name if model else None,
            "interleaved_with": interleaving.challenger.name if interleaving else None,
            "ready": model is not None,
            "refused": slot.refused,
            "receipts_queued": receipts_waiting(),
        }
        return jsonify(state), 200 if model else 503


def _add_metrics(app: Flask, metrics: Metrics) -> None:
    @app.get("/metrics")
    def figures() -> ResponseReturnValue:
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)


def _log() -> ResponseReturnValue:
    """The last lines logged, for whoever judges this slot; Nginx leads nobody here."""
    return Response("".join(f"{line}\n" for line in recent_lines()), mimetype="text/plain")


def _only_methods() -> None:
    if request.method not in METHODS:
        abort(405)


def _explained(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    line = EXPLANATIONS.get(code, error.name.lower())
    response = Response(f"{line}\n", status=code, mimetype="text/plain")
    if code == 405:  # noqa: PLR2004 -- RFC 9110 wants to be told what is allowed
        response.headers["Allow"] = "GET, HEAD"
    return response


def _failed(error: Exception) -> ResponseReturnValue:
    LOG.error("request failed", path=request.path, exc_info=error)
    return Response(f"{EXPLANATIONS[500]}\n", status=500, mimetype="text/plain")


def _counted(metrics: Metrics) -> Callable[[Response], Response]:
    def count(response: Response) -> Response:
        if response.status_code >= 400:  # noqa: PLR2004 -- where HTTP's errors begin
            status = str(response.status_code)
            if REPLAYED in request.environ:
                metrics.replayed.labels(status).inc()
            else:
                metrics.requests.labels("", status, "none").inc()
        return response

    return count
