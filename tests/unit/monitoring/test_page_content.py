from dataclasses import replace

import pytest

from monitoring.page.content import (
    Alert,
    Quality,
    headline,
    last_experiment,
    last_release,
    troubles,
)
from monitoring.status.overview import Fact
from tests.unit.monitoring.pages import (
    NEW,
    OLD,
    before,
    content,
    experiment,
    figures,
    release,
)


def test_the_headline_says_what_is_live_since_when_and_why():
    assert headline(content()) == (
        f"{NEW} is live in slot green for 100 % of the people, since 4 h ago: people liked it."
    )


def test_before_the_first_release_the_headline_says_what_is_answered():
    assert headline(content(step=None)).startswith("No model is live yet")


def test_a_stack_on_which_only_the_watchdog_fires_has_no_troubles():
    expected = (
        Alert("Watchdog", "none", before(9), None),
        Alert("NoSlack", "setup", before(9), None),
    )
    assert troubles(content(figures=figures(*expected))) == []


@pytest.mark.parametrize("ended_at", [None, before(1)])
def test_only_an_alert_that_still_fires_is_a_trouble(ended_at):
    found = troubles(content(figures=figures(Alert("SlotDown", "page", before(2), ended_at))))
    assert found == ([] if ended_at else ["SlotDown fires since 2 h ago"])


def test_an_alert_that_fires_says_what_it_means():
    alert = Alert("SlotDown", "page", before(2), None, "Slot green is down.")
    found = troubles(content(figures=figures(alert)))
    assert found == ["SlotDown fires since 2 h ago: Slot green is down."]


def test_what_the_database_finds_wrong_is_a_trouble():
    audit = Fact("last audit", "NOT balanced", well=False)
    assert troubles(content(facts=[audit])) == ["last audit: NOT balanced"]


def test_a_prometheus_that_is_silent_is_a_trouble():
    (found,) = troubles(content(figures=None))
    assert "Prometheus does not answer" in found


def test_where_no_rules_are_evaluated_all_is_not_well():
    assert troubles(content(figures=replace(figures(), watched=False))) == [
        "no rules are evaluated: Watchdog does not fire, so no other alert would"
    ]


def test_a_database_that_is_silent_is_a_trouble():
    assert troubles(content(), before(1)) == ["the database does not answer since 13:03"]


def test_a_release_is_compared_with_what_was_answered_before_it_began():
    told = last_release(content())
    assert "13.5% of its 2,000 answers led to watching, 10.0% of the 1,000 before it" in told


def test_of_a_release_before_all_figures_it_is_not_said_that_they_come():
    old = replace(release(), started_at=before(24 * 9), ended_at=before(24 * 9))
    told = last_release(content(releases=[old], quality=[Quality(NEW, before(2), 0.2, 900)]))
    assert told.endswith("live; too little is known to say whether people are better off.")


def test_without_answers_on_both_sides_no_release_has_helped():
    assert "too little is known to say" in last_release(content(quality=[]))


def test_a_few_answers_say_nothing_of_a_release():
    windows = [Quality(OLD, before(6), 0.10, 1000), Quality(NEW, before(2), 0.5, 2)]
    assert "too little is known to say" in last_release(content(quality=windows))


def test_a_release_that_was_taken_back_says_why():
    told = last_release(content(releases=[release("abort", "3 % of the answers failed")]))
    assert told.endswith("taken back, because 3 % of the answers failed.")


def test_after_one_that_was_taken_back_the_release_that_is_live_is_told_of_too():
    told = last_release(content(releases=[release("abort", "it was slow"), release("promote")]))
    assert "taken back, because it was slow. The release of" in told
    assert told.endswith("10.0% of the 1,000 before it.")


def test_a_release_in_progress_is_not_the_last_that_ended():
    assert last_release(content(releases=[release("shift")])) == "Nothing was released yet."


def test_a_running_experiment_is_told_with_its_verdict_and_why():
    told = last_experiment(content(experiments=[experiment()]))
    assert told.startswith("The experiment “bolder” (")
    assert told.endswith("undecided after 1,234 people: 0 lies within the interval.")


def test_an_experiment_without_a_name_of_its_own_is_called_by_its_arms():
    unnamed = experiment(name=f"{NEW} against {OLD}")
    told = last_experiment(content(experiments=[unnamed]))
    assert told.startswith(f"The experiment {NEW} against {OLD} runs, ")


def test_an_interleaved_experiment_is_told_as_one():
    unnamed = experiment(kind="interleaving", name=f"{NEW} interleaved with {OLD}")
    told = last_experiment(content(experiments=[unnamed]))
    assert told.startswith(f"The experiment {NEW} interleaved with {OLD} runs, ")


def test_an_ended_experiment_says_when_it_ended():
    ended = experiment(ended_at=before(2), verdict="no_difference")
    assert "ended 2 h ago" in last_experiment(content(experiments=[ended]))
    assert "no difference" in last_experiment(content(experiments=[ended]))


def test_an_experiment_that_nobody_has_ended_their_time_in_says_so():
    begun = experiment(verdict=None, reason=None, people=None)
    assert last_experiment(content(experiments=[begun])).endswith("nobody's time is over yet.")
