"""What the scripts that recreate slots ask a releaser that is a process of its own."""

from ci.slots.state import sent_to_green
from tests.integration.releaser import ended
from tests.integration.releasing import V1
from tests.waiting import eventually

IMAGE = ("marquee/recommender:0123456789ab-0123456789ab", "sha256:1")


def code_begun(releaser):
    """A release of code that was begun: its job and the slot that is to be recreated."""
    status, said = releaser.ask("code", "begin", *IMAGE)
    assert status == 0, said
    job, slot, *_version = said.split()
    return job, slot


def recreated(releaser, job, slot, outcome):
    """Tell the releaser what became of a slot, as the script does."""
    told = releaser.ask("code", "record", slot, *IMAGE, "--outcome", outcome, "--job", job)
    assert told == (0, "")


def test_a_release_of_code_goes_on_as_slots_are_recreated_and_a_model_waits(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
        status, said = releaser.ask("code", "begin", *IMAGE)
        job, slot, version = said.split()
        assert (status, slot, version) == (0, "green", V1)
        recreated(releaser, job, slot, "placed")
        status, lines = releaser.ask("code", "follow", job)
        assert (status, lines.splitlines()[-1][9:]) == (
            0,
            f"promote: live with the code of {IMAGE[0]}",
        )
        model = releaser.start("release")
        eventually(lambda: releaser.waiting("release"))
        recreated(releaser, job, "blue", "released")
        status, lines = ended(model)
        assert (status, lines.splitlines()[-1][9:]) == (0, f"promote: live in place of {V1}")


def test_a_rollback_during_a_release_of_code_stops_it_and_the_slot_may_be_taken_back(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
    with releaser.working(RELEASE_WATCH_SECONDS="60"):
        job, slot = code_begun(releaser)
        recreated(releaser, job, slot, "placed")
        eventually(releaser.shifted, 60)
        status, lines = releaser.ask("rollback")
        assert (status, lines.splitlines()[-1][9:]) == (
            0,
            f"the code release of {V1} was stopped; live as before: {V1}",
        )
        assert releaser.ask("code", "follow", job)[0] == 3
        assert releaser.ask("release")[1].splitlines()[-1][9:].startswith("refused: a release of")
        recreated(releaser, job, slot, "taken back")
    assert sent_to_green(releaser.state) == frozenset()


def test_a_rollback_says_so_where_it_was_code_that_went_live_last(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
        job, slot = code_begun(releaser)
        recreated(releaser, job, slot, "placed")
        releaser.ask("code", "follow", job)
        recreated(releaser, job, "blue", "released")
        assert releaser.ask("rollback") == (4, "")
        status, newest = releaser.ask("code", "newest")
        assert (status, newest.split()[1:]) == (0, ["green", "code", "release"])


def test_a_release_of_code_whose_slot_does_not_run_ends_as_given_up(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
        job, slot = code_begun(releaser)
        recreated(releaser, job, slot, "taken back")
        status, lines = releaser.ask("code", "follow", job)
    assert (status, lines.splitlines()[-1][9:]) == (
        3,
        f"abort: green does not run with the code of {IMAGE[0]}",
    )


def test_before_the_first_model_both_slots_get_code_and_the_first_release_waits(releaser):
    with releaser.working():
        job, slot = code_begun(releaser)
        assert slot == "both"
        model = releaser.start("release")
        eventually(lambda: releaser.waiting("release"))
        for each in ("green", "blue"):
            assert releaser.last_step() is None
            recreated(releaser, job, each, "given")
            recreated(releaser, job, each, "released")
        assert ended(model)[0] == 0
    assert releaser.last_step()[0] == "promote"


def test_a_script_that_dies_before_the_first_model_does_not_hold_it_up_for_ever(releaser):
    with releaser.working(RELEASE_CODE_SECONDS="0.5"):
        job, _both = code_begun(releaser)
        assert releaser.ask("release")[0] == 0
    told = "SELECT message FROM job_log WHERE job_id = %s ORDER BY line_id DESC LIMIT 1"
    (words,) = releaser.owner.execute(told, (job,)).fetchone()
    assert words.startswith(f"failed: nobody gave green the code of {IMAGE[0]} within ")


def test_a_slot_that_does_not_get_up_before_the_first_model_ends_it(releaser):
    with releaser.working():
        job, _both = code_begun(releaser)
        recreated(releaser, job, "green", "taken back")
        assert releaser.ask("release")[0] == 0


def test_a_release_of_code_that_does_not_get_its_turn_is_taken_from_the_queue(releaser):
    begun = releaser.ask(
        "code", "begin", *IMAGE, RELEASE_CODE_SECONDS="0.5", RELEASE_READY_SECONDS="0.5"
    )
    assert begun == (1, "something else was at work for too long (make status)\n")
    jobs = releaser.owner.execute("SELECT task_name, status::text FROM procrastinate_jobs")
    assert jobs.fetchall() == [("release_code", "cancelled")]


def test_slots_that_are_found_with_the_same_code_are_known_to_have_it(releaser):
    one = ("code", "record", "green", *IMAGE, "--outcome", "placed")
    assert releaser.ask(*one) == (0, "")
    for _ in range(2):
        assert releaser.ask("code", "settle", *IMAGE) == (0, "")
    rows = releaser.owner.execute("SELECT slot, outcome FROM code_release").fetchall()
    assert rows == [("green", "placed"), ("blue", "released"), ("green", "released")]
