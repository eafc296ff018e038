"""What callers should not send is answered in one plain line, and never with a 5xx."""

import pytest

PATHS = [
    "/recommend/abc",
    "/recommend/-1",
    "/recommend/1.5",
    "/recommend/" + "9" * 40,
    "/recommend/%00",
    "/recommend/",
    "/recommend/" + "1" * 10_000,
    "/recommend/1/2",
    "/recommend/1%0d%0aX:%20y",
    "/readyz",
    "/healthz",
    "/metrics",
    "/nowhere",
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:30])
def test_a_bad_path_gets_a_4xx_with_one_plain_line(stack, path):
    answer = stack.get(path)
    assert 400 <= answer.status < 500
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.body.count("\n") == 1
    assert "html" not in answer.body.lower()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_a_wrong_method_gets_a_4xx_with_one_plain_line(stack, method):
    answer = stack.get("/recommend/1", method)
    assert 400 <= answer.status < 500
    assert answer.body.count("\n") == 1


def test_no_version_is_told(stack):
    headers = stack.get("/recommend/1").headers
    assert not any(character.isdigit() for character in headers.get("Server", ""))
