from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from prometheus_client import CollectorRegistry

from monitoring.evaluation.exporter import Exporter
from monitoring.experiments.plot import interval_over_time
from monitoring.experiments.summaries import Look, Summary

NOW = datetime(2026, 1, 31, 14, 3, tzinfo=UTC)
BETTER = "people are better off with the challenger: between +2.0% and +9.0%, 4,000 people"


def summary(verdict="better", reason=BETTER, end_reason=None):
    seen = verdict is not None
    return Summary(
        7, "bolder", "ab", "v2", "v1", 300, 4000 if seen else None, verdict, reason,
        0.02 if seen else None, 0.05 if seen else None, 0.09 if seen else None,
        NOW, NOW if end_reason else None, end_reason,
    )  # fmt: skip


def test_an_experiment_is_one_sentence():
    assert summary().sentence == f"bolder, challenger v2: {BETTER}; it goes on."


def test_one_that_has_ended_says_why():
    told = summary(end_reason="a release takes its slot").sentence
    assert told.endswith("; ended: a release takes its slot.")


def test_what_it_said_and_was_ended_for_is_told_once():
    told = summary(end_reason=f"better: {BETTER}").sentence
    assert told == f"bolder, challenger v2: {BETTER}; that ended it."


def test_one_that_nobody_has_looked_at_says_so():
    told = summary(verdict=None, reason=None).sentence
    assert told == "bolder, challenger v2: nobody's time in it is over yet; it goes on."


def test_the_plot_is_a_whole_svg_with_the_verdict_in_words():
    looks = [Look(NOW + timedelta(minutes=n), -0.1 / n, 0.05, 0.3 / n) for n in (1, 2, 3)]
    drawn = interval_over_time(summary(), looks)
    assert ET.fromstring(drawn.encode()).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 -- our own, made just now
    assert "bolder: better" in drawn
    assert interval_over_time(summary(), looks) == drawn


def test_a_name_with_dollars_is_drawn_as_it_is():
    named = replace(summary(), name="for $5 or $\\frac{$")
    assert "for $5 or $\\frac{$: better" in interval_over_time(named, [])


def test_of_interleaving_another_difference_is_drawn():
    looks = [Look(NOW, -0.1, 0.05, 0.3)]
    drawn = interval_over_time(replace(summary(), kind="interleaving"), looks)
    assert "more movies watched of" in drawn
    assert "more people who watched" not in drawn


def test_a_plot_before_the_first_look_says_that_there_is_nothing():
    assert "nothing to see yet" in interval_over_time(summary(None, None), [])


def test_prometheus_has_the_interval_of_what_runs_and_of_nothing_else():
    registry = CollectorRegistry()
    exporter = Exporter(registry, lambda: 0.0, "* * * * *")
    labels = {"experiment": "7", "challenger": "v2"}
    exporter.looked_at([summary()])
    found = {
        bound: registry.get_sample_value("marquee_experiment_lift", labels | {"bound": bound})
        for bound in ("low", "value", "high")
    }
    assert found == {"low": 0.02, "value": 0.05, "high": 0.09}
    assert registry.get_sample_value("marquee_experiment_people", labels) == 4000
    exporter.looked_at([])
    assert registry.get_sample_value("marquee_experiment_people", labels) is None
