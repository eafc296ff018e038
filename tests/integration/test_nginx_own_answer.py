"""What Nginx answers by itself, and that its log says whose list was sent."""

import json

import pytest

from tests.integration.serving import ask, nginx
from tests.integration.test_nginx import BLUE_VERSION, POPULAR, POPULAR_MOVIES, put_popular_lists
from tests.ports import free_port


@pytest.fixture
def door(tmp_path):
    """Nginx in front of nothing, with lists of its own."""
    put_popular_lists(tmp_path / "state")
    with nginx(tmp_path, tmp_path / "state", free_port(), free_port()) as running:
        yield running


@pytest.mark.parametrize("count", [1, 20, 100])
def test_as_many_movies_come_as_are_asked_for(door, count):
    status, headers, body = ask(door.port, f"/recommend/7?n={count}")

    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert body == ",".join(POPULAR_MOVIES[:count]) + "\n"


def test_json_comes_where_it_is_asked_for(door):
    status, headers, body = ask(
        door.port, "/recommend/007?n=2", headers={"Accept": "application/json"}
    )

    assert status == 200
    assert headers["Content-Type"].startswith("application/json")
    assert json.loads(body) == {
        "user_id": 7,
        "movies": [{"movie_id": movie, "score": None} for movie in POPULAR_MOVIES[:2]],
        "reason": "popular",
        "model_version": BLUE_VERSION,
        "receipt_id": None,
    }


@pytest.mark.parametrize("accept", ["text/plain", "application/json"])
def test_head_answers_as_get_without_a_body(door, accept):
    got = ask(door.port, "/recommend/7", headers={"Accept": accept})
    status, headers, body = ask(door.port, "/recommend/7", "HEAD", {"Accept": accept})

    assert (status, body) == (200, "")
    assert headers["Content-Type"] == got[1]["Content-Type"]


LONG_AGO, SOME_DAY = "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"
CONDITIONS = [
    {"If-None-Match": "*"},
    {"If-None-Match": '"0"'},
    {"If-Match": "*"},
    {"If-Match": '"0"'},
    {"If-Unmodified-Since": LONG_AGO},
    {"If-Modified-Since": SOME_DAY},
    {"If-Modified-Since": SOME_DAY, "If-None-Match": "*"},
    {"Range": "bytes=0-3"},
    {"Range": "bytes=0-3", "If-Range": SOME_DAY},
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
@pytest.mark.parametrize("accept", ["text/plain", "application/json"])
def test_a_condition_costs_nobody_the_list(door, condition, accept):
    plain = ask(door.port, "/recommend/7", headers={"Accept": accept})
    status, _headers, body = ask(door.port, "/recommend/7", headers={"Accept": accept, **condition})

    assert (status, body) == (200, plain[2])


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_a_condition_costs_nobody_the_split(door, condition):
    assert ask(door.port, "/status", headers=condition)[0] == 200


def test_a_list_that_an_earlier_release_wrote_alone_is_answered_in_any_case(tmp_path):
    popular = tmp_path / "state" / "popular" / "list.txt"
    popular.parent.mkdir(parents=True)
    popular.write_text(POPULAR)
    with nginx(tmp_path, tmp_path / "state", free_port(), free_port()) as door:
        status, headers, body = ask(
            door.port, "/recommend/7?n=3", headers={"Accept": "application/json"}
        )

    assert (status, body) == (200, POPULAR)
    assert headers["Content-Type"].startswith("text/plain")


def test_the_log_says_that_a_list_was_nginx_s_own_and_what_was_no_list(door):
    for path in ("/recommend/7", "/recommend/x", "/status"):
        ask(door.port, path)
    ask(door.port, "/recommend/8", headers={"Accept": "application/json"})
    door.process.terminate()
    door.process.wait()

    logged = {line["request"].split()[1]: line["list"] for line in door.requests()}
    assert logged == {
        "/recommend/7": "nginx",
        "/recommend/x": "",
        "/status": "",
        "/recommend/8": "nginx",
    }
