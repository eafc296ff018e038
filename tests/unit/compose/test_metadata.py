import json
from http import HTTPStatus
from threading import Thread
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from compose.simulator.metadata import answer, metadata_server

LOOKUPS = {
    "user": {"1": {"user_id": 1}, "2": {"user_id": 2}}.get,
    "movie": {"up+2009": {"id": "up+2009"}}.get,
}


def test_one_id_gives_one_object():
    assert answer("/user/1", LOOKUPS) == (HTTPStatus.OK, {"user_id": 1})


def test_several_ids_give_a_list_in_their_order_with_a_message_for_each_unknown():
    status, body = answer("/user/2,7,1", LOOKUPS)
    assert status == HTTPStatus.OK
    assert body == [{"user_id": 2}, {"message": "user not found"}, {"user_id": 1}]


def test_an_id_may_be_percent_encoded():
    assert answer("/movie/up%2B2009", LOOKUPS) == (HTTPStatus.OK, {"id": "up+2009"})


def test_what_is_unknown_is_not_found_by_its_kind():
    assert answer("/movie/none", LOOKUPS) == (HTTPStatus.NOT_FOUND, {"message": "movie not found"})


@pytest.mark.parametrize("path", ["/", "/user", "/user/", "/actor/1"])
def test_other_paths_are_not_found(path):
    assert answer(path, LOOKUPS) == (HTTPStatus.NOT_FOUND, {"message": "not found"})


def test_more_than_two_hundred_ids_are_refused():
    assert answer("/user/" + ",".join(["1"] * 201), LOOKUPS)[0] == HTTPStatus.BAD_REQUEST


def test_the_server_answers_in_json():
    server = metadata_server(0, LOOKUPS)
    Thread(target=server.serve_forever, daemon=True).start()
    with urlopen(f"http://127.0.0.1:{server.server_port}/user/1,2") as response:
        body = json.load(response)
    server.shutdown()
    server.server_close()
    assert body == [{"user_id": 1}, {"user_id": 2}]


def test_an_address_that_is_too_long_is_told_what_is_allowed():
    server = metadata_server(0, LOOKUPS)
    Thread(target=server.serve_forever, daemon=True).start()
    with pytest.raises(HTTPError) as refused:
        urlopen(f"http://127.0.0.1:{server.server_port}/movie/{'x' * 70_000}")
    with refused.value as response:
        said = json.load(response)
    server.shutdown()
    server.server_close()
    assert refused.value.code == HTTPStatus.REQUEST_URI_TOO_LONG
    assert "up to 200 ids in at most 64 KiB" in said["message"]
