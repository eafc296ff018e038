"""The HTTP side of a slot: Flask, with the one hot path wrapped around its WSGI application.

A good request for recommendations never enters Flask; whatever else comes (a bad id, a
wrong method, no model yet, health, metrics) does. Everything is told in one plain line.
"""

import re
from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException

from recommender.answers.answers import Answers
from recommender.answers.ranking import Answer
from recommender.metrics import Metrics
from recommender.slot import Slot
from trainer.versions.artifact import ANSWER_LENGTH

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOG = structlog.get_logger()

USER_ID = re.compile(r"[0-9]{1,18}")
BUCKETS = {f"{number:03}": number for number in range(1000)}
UNKNOWN_BUCKET = -1
COUNT = re.compile(r"[1-9][0-9]?|100")
METHODS = frozenset({"GET", "HEAD"})
JSON = "application/json"
RECOMMEND = "/recommend/"
PLAIN = "text/plain; charset=utf-8"

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
        if model and path.startswith(RECOMMEND) and _is_plain(environ):
            try:
                bucket = bucket_number(environ.get("HTTP_X_MARQUEE_BUCKET", ""))
                line = answers.give(user_number(path[len(RECOMMEND) :]), bucket, model)
            except Exception:  # noqa: BLE001 -- Flask meets it again, and says what it is
                return flask(environ, start_response)
            start_response("200 OK", [("Content-Type", PLAIN), ("Content-Length", str(len(line)))])
            return [line] if environ["REQUEST_METHOD"] == "GET" else []
        return flask(environ, start_response)

    return application


def _is_plain(environ: "WSGIEnvironment") -> bool:
    """Whether the usual answer is asked for: 20 movies, as text."""
    return (
        environ["REQUEST_METHOD"] in METHODS
        and not environ.get("QUERY_STRING")
        and "json" not in environ.get("HTTP_ACCEPT", "")
    )


def user_number(text: str) -> int:
    """The user id that stands in a path.

    Raises:
        ValueError: it is not 1 to 18 digits, or it is zero.
    """
    if USER_ID.fullmatch(text) and (number := int(text)):
        return number
    raise ValueError(EXPLANATIONS[400])


def bucket_number(header: str) -> int:
    """The bucket that Nginx found for the user; -1 for a request that did not come through it."""
    return BUCKETS.get(header, UNKNOWN_BUCKET)


def movie_count(text: str | None) -> int:
    """How many movies are asked for: the `n` of a request, or as many as a list has.

    Raises:
        ValueError: it is no number from 1 to 100.
    """
    if text is None:
        return ANSWER_LENGTH
    if COUNT.fullmatch(text):
        return int(text)
    raise ValueError(EXPLANATIONS[400])


def _add_recommend(app: Flask, slot: Slot, answers: Answers) -> None:
    def recommend(user: str) -> ResponseReturnValue:
        try:
            user_id, count = user_number(user), movie_count(request.args.get("n"))
        except ValueError:
            abort(400)
        model = slot.model
        if model is None:
            abort(503)
        bucket = bucket_number(request.headers.get("X-Marquee-Bucket", ""))
        answer, receipt_id = answers.give_in_full(user_id, bucket, model, count)
        if request.accept_mimetypes.best_match(["text/plain", JSON]) == JSON:
            return jsonify(_in_full(user_id, answer, model.name, str(receipt_id)))
        return Response(",".join(answer.movie_ids) + "\n", mimetype="text/plain")

    app.add_url_rule(RECOMMEND, view_func=recommend, defaults={"user": ""})
    app.add_url_rule(f"{RECOMMEND}<path:user>", view_func=recommend)


def _in_full(user_id: int, answer: Answer, model_version: str, receipt_id: str) -> dict[str, Any]:
    scored = zip_longest(answer.movie_ids, answer.scores)
    return {
        "user_id": user_id,
        "movies": [{"movie_id": movie, "score": score} for movie, score in scored],
        "reason": answer.reason,
        "model_version": model_version,
        "receipt_id": receipt_id,
    }


def _add_readiness(
    app: Flask, slot_name: str, slot: Slot, receipts_waiting: Callable[[], int]
) -> None:
    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return Response("alive\n", mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> ResponseReturnValue:
        model = slot.model
        state = {
            "slot": slot_name,
            "model_version": model.name if model else None,
            "ready": model is not None,
            "refused": slot.refused,
            "receipts_queued": receipts_waiting(),
        }
        return jsonify(state), 200 if model else 503


def _add_metrics(app: Flask, metrics: Metrics) -> None:
    @app.get("/metrics")
    def figures() -> ResponseReturnValue:
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)


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
            metrics.requests.labels("", str(response.status_code), "none").inc()
        return response

    return count
