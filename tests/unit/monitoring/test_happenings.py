from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.page.content import Alert, Restart
from monitoring.page.happenings import FIGURES_SPAN, MOST_READ, happenings
from tests.unit.monitoring.pages import (
    NEW,
    NOW,
    before,
    content,
    experiment,
    figures,
    release,
    version,
)


def told(**changed):
    """The one line that a page of nothing else tells."""
    nothing = {"releases": [], "versions": (), "experiments": ()}
    (line,) = happenings(content(**(nothing | changed))).shown
    return line


def restart(service, at, **known):
    """The line of a service that was started again."""
    started = replace(figures(), restarts=(Restart(service, at, at - timedelta(hours=3)),))
    found = happenings(content(**({"releases": [], "versions": ()} | known), figures=started))
    (line,) = (each for each in found.shown if service in each.text)
    return line


def test_what_happened_is_told_newest_first():
    alert = Alert("SlotDown", "page", before(1), before(0.5))
    found = happenings(content(figures=figures(alert))).shown
    assert [happening.kind for happening in found] == ["alert", "release", "training"]


def test_an_alert_of_before_says_what_it_meant():
    alert = Alert("SlotDown", "page", before(1), before(0.5), "Slot green is down.")
    assert told(figures=figures(alert)).text == "SlotDown, until 13:33: Slot green is down."


def test_a_release_that_ended_well_went_live_whatever_came_later():
    assert told(releases=[release()]).text == f"{NEW} went live: every share was well"


def test_a_restart_is_told_with_how_long_the_service_had_run():
    line = restart("trainer", before(2))
    assert (line.at, line.kind, line.well) == (before(2), "restart", True)
    assert line.text == "trainer was started again, 3 h after its last start"


@pytest.mark.parametrize(("hours", "share"), [(3, "100"), (4.5, "10")])
def test_a_slot_that_went_down_with_people_on_it_is_marked_as_that(hours, share):
    line = restart("recommender-green", before(hours), releases=[release()])
    assert (line.kind, line.well) == ("slot down", False)
    assert f"which answered {share} % of the people, was down" in line.text


def test_the_other_slot_has_the_people_that_a_canary_has_not():
    line = restart("recommender-blue", before(4.5), releases=[release()])
    assert "which answered 90 % of the people, was down" in line.text


@pytest.mark.parametrize("releases", [[release()], []])
def test_a_slot_without_people_was_only_started_again(releases):
    assert restart("recommender-blue", before(3), releases=releases).well


def test_an_experiment_is_told_when_it_ended_and_that_of_a_release_with_the_release():
    ended = experiment(ended_at=before(2), end_reason="a release needs its slot")
    line = told(experiments=[ended, experiment(name=f"release of {NEW}")])
    assert (line.at, line.kind) == (before(2), "experiment")
    assert line.text.startswith("“bolder” (")
    assert "ended, a release needs its slot: undecided after 1,234 people" in line.text


def test_a_rejected_training_is_not_well():
    assert not told(versions=(replace(version(), verdict="refused"),)).well


def test_what_is_left_out_of_the_list_is_counted():
    alerts = [Alert("SlotDown", "page", before(hours), before(hours)) for hours in range(1, 24)]
    found = happenings(content(figures=figures(*alerts)), most=20)
    assert (len(found.shown), found.left_out) == (20, 23 + 2 - 20)
    assert found.complete_since == NOW - FIGURES_SPAN


def test_the_night_is_counted_whatever_the_list_leaves_out():
    alerts = [Alert("SlotDown", "page", before(hours), before(hours)) for hours in range(1, 24)]
    trained = (version(), replace(version(), verdict="refused"))
    taken_back = [release(), release("abort"), release("abort")]
    known = content(figures=figures(*alerts), versions=trained, releases=taken_back)
    counts = happenings(known, most=4).counts
    assert sorted(counts.split(", ")) == [
        "2 trainings (1 refused)", "23 alerts", "3 releases (2 taken back)",
    ]  # fmt: skip


def test_what_happened_once_is_counted_in_the_singular():
    assert happenings(content()).counts == "1 release, 1 training"


def test_what_is_older_than_what_is_known_whole_is_not_counted():
    old = [replace(version(), created_at=before(30))]
    assert happenings(content(releases=[], versions=tuple(old))).counts == ""


def test_what_is_older_than_alerts_are_known_is_shown_and_not_counted():
    old = [replace(version(), created_at=before(30 + hours)) for hours in range(9)]
    found = happenings(content(versions=tuple(old)), most=4)
    assert (len(found.shown), found.left_out) == (4, 0)


def test_where_not_all_of_a_kind_were_read_the_list_is_complete_since_the_oldest_of_them():
    many = [replace(release(), ended_at=before(place / 10)) for place in range(MOST_READ)]
    found = happenings(content(releases=many))
    assert found.complete_since == before((MOST_READ - 1) / 10)
