"""One answer is followed to its reason, its model, the model's data and the commit of its code."""

import json
from http.client import HTTPConnection
from typing import Any

from tests.end_to_end.conftest import Stack
from tests.waiting import eventually


def answer_in_full(stack: Stack, user_id: int) -> dict[str, Any]:
    """What a caller gets who prefers JSON."""
    connection = HTTPConnection("127.0.0.1", stack.nginx_port, timeout=5)
    headers = {"Accept": "application/json"}
    connection.request("GET", f"/recommend/{user_id}?n=5", headers=headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def explained(stack: Stack, receipt_id: object) -> str:
    """What `explain` says; nothing while the receipt is on its way."""
    explain = ("python", "-m", "recommender", "explain", str(receipt_id))
    return stack.compose("exec", "-T", "recommender-blue", *explain, check=False)


def test_from_a_receipt_to_the_reason_the_data_and_the_commit(stack):
    answer = answer_in_full(stack, 42)
    eventually(lambda: explained(stack, answer["receipt_id"]), 10, "an explanation")
    said = explained(stack, answer["receipt_id"])
    ((data, commit),) = stack.sql(
        "SELECT data_hash, git_commit FROM model_version"
        f" WHERE version = '{answer['model_version']}'"
    )

    assert f"reason   {answer['reason']}" in said
    assert f"model    {answer['model_version']}" in said
    assert f"data     {data}" in said
    assert f"git commit {commit}" in said
    assert all(movie["movie_id"] in said for movie in answer["movies"])
    assert "(rated " in said
