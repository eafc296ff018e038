"""Real slots that draft lists from two versions, and what PostgreSQL keeps of them."""

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.rows import dict_row
from uuid_utils import uuid7

from compose.service.assignment import Interleaved, assign, assignment_file
from recommender.answers.team_draft import coins_of, letters_of, team_draft
from recommender.connection import KeptConnection
from recommender.metrics import Metrics
from recommender.receipts.queue import ReceiptQueue, ReceiptWriter
from recommender.receipts.rows import Receipt, row
from recommender.receipts.spool import Spool
from recommender.receipts.store import ReceiptStore
from tests.integration.serving import Slots, get
from tests.unit.recommender.versions import MOVIES, publish
from tests.waiting import eventually

CONTROL, CHALLENGER = "20260101-000000-ease", "20260102-000000-ease"
USER, BUCKET = 7, {"X-Marquee-Bucket": "042"}
RECEIPTS = "SELECT * FROM receipt ORDER BY receipt_id"


@pytest.fixture
def slots(tmp_path, conninfo):
    slots = Slots(tmp_path, conninfo("recommender"))
    publish(slots.models, CONTROL, top={USER: range(22)})
    publish(slots.models, CHALLENGER, top={USER: range(15, 37)})
    yield slots
    slots.end()


def interleave(slots, slot, challenger=CHALLENGER, buckets=(42,)):
    beside = Interleaved(challenger, frozenset(buckets))
    assign(assignment_file(slots.state, slot.name), CONTROL, datetime.now(UTC), beside)


def holds(slot, challenger):
    return slot.readiness().get("interleaved_with") == challenger


def receipts(conninfo, count):
    with psycopg.connect(conninfo("marquee"), row_factory=dict_row) as connection:
        eventually(lambda: len(connection.execute(RECEIPTS).fetchall()) >= count)
        return connection.execute(RECEIPTS).fetchall()


def test_a_receipt_says_of_each_movie_whose_it_is_and_by_it_the_list_is_drafted_again(
    slots, conninfo
):
    slot = slots.start("blue", CONTROL)
    interleave(slots, slot)
    eventually(lambda: holds(slot, CHALLENGER))
    shown = [get(slot.port, f"/recommend/{USER}", **BUCKET)[1].strip() for _ in range(20)]
    plain = get(slot.port, f"/recommend/{USER}", **{"X-Marquee-Bucket": "043"})[1].strip()

    left = receipts(conninfo, 21)
    drafted = [each for each in left if each["interleaved_with"] == CHALLENGER]
    assert [",".join(each["movie_ids"]) for each in drafted] == shown
    for each in drafted:
        picks = team_draft([*MOVIES[:20]], [*MOVIES[15:35]], 20, coins_of(each["receipt_id"].bytes))
        assert each["movie_ids"] == list(picks)
        assert each["origins"] == letters_of(picks.values())
        assert (each["model_version"], each["arm"]) == (CONTROL, "interleaved")
    (control,) = [each for each in left if each not in drafted]
    assert (control["arm"], control["interleaved_with"], control["origins"]) == (
        *("control", None, None),
    )
    assert control["movie_ids"] == plain.split(",") == [*MOVIES[:20]]


def test_a_slot_that_is_killed_comes_back_to_it_and_a_plain_assignment_ends_it(slots, conninfo):
    slot = slots.start("blue", CONTROL)
    interleave(slots, slot)
    eventually(lambda: holds(slot, CHALLENGER))
    slot.kill()
    again = slots.start("blue")
    eventually(lambda: holds(again, CHALLENGER))
    get(again.port, f"/recommend/{USER}", **BUCKET)
    assert receipts(conninfo, 1)[-1]["interleaved_with"] == CHALLENGER

    again.assign(CONTROL)
    eventually(lambda: holds(again, None))
    get(again.port, f"/recommend/{USER}", **BUCKET)
    assert receipts(conninfo, 2)[-1]["interleaved_with"] is None


def test_a_second_version_that_cannot_be_loaded_is_refused_and_people_get_the_first(slots):
    slot = slots.start("blue", CONTROL)
    interleave(slots, slot, challenger="20260103-000000-missing")
    eventually(lambda: slot.readiness().get("refused") == "20260103-000000-missing")
    said = slot.readiness()
    assert (said["ready"], said["model_version"], said["interleaved_with"]) == (True, CONTROL, None)
    assert get(slot.port, f"/recommend/{USER}", **BUCKET)[1].strip() == ",".join(MOVIES[:20])


def test_the_first_movies_are_explained_each_by_its_own_version(slots, conninfo):
    slot = slots.start("blue", CONTROL)
    interleave(slots, slot)
    eventually(lambda: holds(slot, CHALLENGER))
    get(slot.port, f"/recommend/{USER}", **BUCKET)
    (receipt,) = receipts(conninfo, 1)
    done = slots.explain(str(receipt["receipt_id"]))
    assert done.returncode == 0, done.stderr
    assert f"drafted  with the list of {CHALLENGER}" in done.stdout
    for place, movie, letter in zip(
        range(1, 21), receipt["movie_ids"], receipt["origins"], strict=True
    ):
        assert f"{place:3} {letter} {movie}" in done.stdout


def test_rows_that_the_code_before_wrote_are_stored_with_those_of_interleaved_lists(
    tmp_path, conninfo
):
    """The code before knew ten columns, and mixed with theirs stands a batch of twelve."""

    def receipt(user, *drafted):
        now = datetime.now(UTC).timestamp()
        return Receipt(uuid7(), now, user, "a,b", "model", "v1", 7, 0.1, *drafted)

    metrics, spool = Metrics(), Spool(tmp_path, 2**26)
    spool.open()
    before = [row(receipt(user), "blue") for user in (1, 2)]
    assert {int.from_bytes(of_row[:2]) for of_row in before} == {10}
    spool.append(b"".join(before), 2)
    queue = ReceiptQueue(100, metrics)
    for user in range(3, 9):
        queue.put(receipt(user, *(("v2", "AB") if user % 2 else ())))
    ReceiptWriter(queue, spool, "blue").write_all()
    connection = KeptConnection(conninfo("recommender"))
    ReceiptStore(connection, "blue", spool, metrics).store_all()
    connection.close()

    found = {each["user_id"]: each["origins"] for each in receipts(conninfo, 8)}
    assert found == {1: None, 2: None, 3: "AB", 4: None, 5: "AB", 6: None, 7: "AB", 8: None}
