"""What Nginx finds to answer with when no slot answers."""

import json

import pytest

from ci.slots.popular_lists import USER_ID, publish_popular

MOVIES = [f"movie+{number}+1999" for number in range(100)]


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "state"


def version_of(models, name, movies):
    directory = models / "versions" / name
    directory.mkdir(parents=True)
    (directory / "popular.txt").write_text(",".join(movies) + "\n")
    return name


def test_every_length_is_there_as_a_line(models, root):
    publish_popular(root, models, version_of(models, "v1", MOVIES))

    for length in range(1, 101):
        line = (root / f"popular/live/{length}.txt").read_text()
        assert line == ",".join(MOVIES[:length]) + "\n"
    assert (root / "popular/list.txt").read_text() == ",".join(MOVIES[:20]) + "\n"


def test_as_json_a_list_says_what_a_slot_s_does_and_leaves_room_for_the_user(models, root):
    publish_popular(root, models, version_of(models, "v1", MOVIES))

    text = (root / "popular/live/2.json").read_text()
    assert json.loads(text.replace(USER_ID, "7")) == {
        "user_id": 7,
        "movies": [{"movie_id": movie, "score": None} for movie in MOVIES[:2]],
        "reason": "popular",
        "model_version": "v1",
        "receipt_id": None,
    }


def test_a_movie_s_id_is_no_command_to_nginx(models, root):
    hostile = '<!--#include virtual="/status"-->'
    publish_popular(root, models, version_of(models, "v1", [hostile]))

    text = (root / "popular/live/1.json").read_text()
    assert text.count("<!--#") == 1
    assert json.loads(text.replace(USER_ID, "7"))["movies"][0]["movie_id"] == hostile


def test_a_short_catalogue_gives_short_lists(models, root):
    publish_popular(root, models, version_of(models, "v1", MOVIES[:3]))

    assert (root / "popular/live/100.txt").read_text() == ",".join(MOVIES[:3]) + "\n"


def test_the_next_version_takes_the_place_and_the_last_one_leaves_nothing(models, root):
    publish_popular(root, models, version_of(models, "v1", MOVIES))
    publish_popular(root, models, version_of(models, "v2", MOVIES[::-1]))

    assert (root / "popular/live/1.txt").read_text() == f"{MOVIES[-1]}\n"
    assert sorted(path.name for path in (root / "popular").iterdir()) == ["list.txt", "live", "v2"]


def test_publishing_again_changes_nothing(models, root):
    version = version_of(models, "v1", MOVIES)
    publish_popular(root, models, version)
    before = (root / "popular/live/7.txt").stat().st_ino
    publish_popular(root, models, version)

    assert (root / "popular/live/7.txt").stat().st_ino == before


def test_what_a_killed_release_left_half_written_is_begun_anew(models, root):
    left = root / "popular" / ".tmp-v1"
    left.mkdir(parents=True)
    (left / "7.txt").write_text("half")
    publish_popular(root, models, version_of(models, "v1", MOVIES))

    assert (root / "popular/live/7.txt").read_text() == ",".join(MOVIES[:7]) + "\n"


def test_a_version_that_is_gone_is_not_published(models, root):
    with pytest.raises(FileNotFoundError):
        publish_popular(root, models, "gone")
