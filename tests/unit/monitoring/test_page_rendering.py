import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from monitoring.experiments.summaries import LOOKS as LOOKS_OF_ONE
from monitoring.experiments.summaries import SUMMARIES, Look
from monitoring.page.content import Alert, Quality
from monitoring.page.plots import (
    COLOURS,
    MOST_LOOKS,
    algorithms,
    columns,
    in_page,
    offline_quality,
    online_quality,
    rounded,
    thinned,
)
from monitoring.page.plots import experiment as experiment_plot
from monitoring.page.prometheus import alert_name, runs, started_at
from monitoring.page.rendering import PICTURES, linker, pictures_of, render, style_hash
from monitoring.status.overview import Fact
from tests.unit.monitoring.pages import (
    LOOKS,
    NEW,
    OLD,
    before,
    content,
    experiment,
    figures,
    full,
    release,
    version,
)

MOST_BYTES = 100_000


class Tags(HTMLParser):
    """Every tag with its attributes; what was opened and never closed."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self, page):
        super().__init__()
        self.found, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_nginx_names_the_hash_of_the_style():
    assert f"style-src '{style_hash()}'" in Path("nginx/page_headers.conf").read_text()


def test_the_page_needs_nothing_from_outside_and_has_no_style_of_its_own():
    tags = Tags(render(content()))
    assert not tags.open
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in tags.found}
    assert not [tag for tag, attributes in tags.found if "style" in attributes]
    assert [tag for tag, _ in tags.found].count("style") == 1


@pytest.mark.parametrize("known", [content(), full()], ids=["little", "much"])
def test_the_page_is_small_however_much_there_is_to_tell(known):
    assert len(render(known).encode()) < MOST_BYTES


def test_the_page_is_small_however_long_a_reason_is():
    verbose = replace(release("abort", "word " * 9000), reasons=["word " * 9000] * 4)
    page = render(full(releases=[verbose] * 50, versions=(verbose_version(),) * 50))
    assert len(page.encode()) < MOST_BYTES
    assert "word word …" in page
    assert "Model versions" in page


def verbose_version():
    return replace(version(), reason="word " * 9000)


def test_nothing_that_the_page_reads_names_a_person():
    texts = [file.read_text() for file in Path("monitoring/page").glob("*.sql")]
    assert not [text for text in [*texts, SUMMARIES, LOOKS_OF_ONE] if "user_id" in text]


def test_an_empty_stack_has_a_page():
    empty = content(
        step=None, facts=[], releases=[], versions=(), quality=[], kept=[], figures=None
    )
    assert "No model is live yet" in render(empty)


def test_text_from_outside_is_never_read_as_markup():
    page = render(content(facts=[Fact("last audit", "<script>alert(1)</script>")]))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_words_in_a_plot_are_never_read_as_formulas():
    tried = replace(version(), judged=["$\\frac{$", "$a_b$"], lows=[0.1, 0.1], highs=[0.2, 0.2])
    assert "$\\frac{$" in algorithms(tried)


def test_who_sees_a_page_that_is_made_no_more_can_tell():
    assert "If that is long ago, it is made no more" in render(content())


def test_steps_of_a_release_have_shares_without_idle_digits():
    page = render(content())
    assert "shift, 10 % of the people" in page
    assert "promote, 100 % of the people" in page


def test_the_last_backup_is_told():
    assert "12 h ago" in render(content())
    assert "none yet" in render(content(backed_up_at=None))


def test_with_the_database_away_the_page_says_since_when():
    assert "Marquee: not well" in render(content(), before(1))
    assert "does not answer since 2026-01-31 13:03:00:" in render(content(), before(1))


def test_what_happened_has_clock_times_whose_zone_is_said_once():
    page = render(content())
    assert '<time datetime="2026-01-31T10:03:00Z">31 Jan 10:03</time>, 4 h ago' in page
    assert "All times are UTC." in page
    assert page.count("UTC") == 1


def test_the_list_says_how_far_back_it_reaches_and_what_it_leaves_out():
    alerts = [Alert("SlotDown", "page", before(hours / 2), before(0)) for hours in range(30)]
    page = render(content(figures=figures(*alerts)))
    assert "reaches back to 31 Jan 03:33; 8 more of what happened since 30 Jan 14:03" in page


@pytest.mark.parametrize(
    ("versions", "said"), [((version(),), "That is all since"), ((), "Nothing is all since")]
)
def test_a_list_that_leaves_nothing_out_says_since_when_that_is_all(versions, said):
    assert f"{said} 30 Jan 14:03." in render(content(releases=[], versions=versions))


def test_whoever_asks_finds_each_question_as_a_heading():
    page = render(content(experiments=[experiment()], looks=LOOKS))
    headings = re.findall("<h2>(.+?)</h2>", page)
    assert headings[:4] == [
        "Is it well?", "Did the last release help?", "What is tried", "What happened",
    ]  # fmt: skip
    assert "<p>Since 30 Jan 14:03: 1 release, 1 experiment, 1 training. The newest first:" in page


def test_a_list_without_alerts_says_why():
    assert "not in it: Prometheus does not answer" in render(content(figures=None))
    assert "not in it" not in render(content())


def test_a_version_is_a_link_to_its_own_part_of_the_page_wherever_it_is_named():
    tags = Tags(render(content()))
    (target,) = (attributes for _, attributes in tags.found if attributes.get("id") == NEW)
    assert target
    links = [attributes for _, attributes in tags.found if attributes.get("href") == f"#{NEW}"]
    assert len(links) >= len(["headline", "last release", "release", "training"])


def test_a_version_that_has_no_part_of_the_page_is_no_link():
    assert f'href="#{NEW}"' not in render(content(versions=()))


def test_a_name_within_another_is_not_linked():
    linked = linker({"v1": "#v1"})
    assert str(linked("v1-beta is not v1.")) == 'v1-beta is not <a href="#v1">v1</a>.'


def test_an_alert_leads_from_its_name_to_what_to_do_about_it():
    alert = Alert("SlotDown of recommender-green", "page", before(1), None, "Slot green is down.")
    page = render(content(figures=figures(alert)), what_to_do="http://here/operations")
    link = '<a href="http://here/operations#SlotDown">SlotDown</a>'
    assert f"<li>{link} of recommender-green fires since" in page
    assert f"{link} of recommender-green, fires still: Slot green is down." in page
    assert "leads to what to do about it" in page


def test_where_nothing_fires_nobody_is_told_what_a_name_leads_to():
    assert "leads to what to do about it" not in render(content())


def test_what_an_alert_means_is_never_read_as_markup():
    alert = Alert("SlotDown", "page", before(1), None, "Slot <img src=x> is down.")
    page = render(content(figures=figures(alert)))
    assert "<img" not in page
    assert page.count("&lt;img src=x&gt;") == 2


def test_a_version_that_is_live_is_explained_however_old_it_is():
    newer = tuple(version(f"2026013{day}-040000-ease") for day in range(9))
    assert f'id="{NEW}"' in render(content(versions=(*newer, version())))


def test_a_plot_takes_the_colour_of_the_page_and_has_no_style():
    plot = online_quality(content().quality)
    assert "currentColor" in plot
    assert not re.search(r"style=|<style|#000000", plot)
    assert "xlink:href" in offline_quality((version(),))


def test_the_live_version_is_drawn_however_many_were_tried_after_it():
    tried = [Quality(f"2026013{day}-040000-als", before(2), 0.1, 100) for day in range(9)]
    plot = online_quality([Quality(OLD, before(9), 0.1, 100), *tried], OLD)
    assert OLD in plot
    assert "20260138-040000-als" in plot
    assert plot.count("-als</text>") == len(COLOURS)


def test_the_only_figure_of_a_version_is_a_dot():
    alone, later = Quality(OLD, before(2), 0.1, 9), Quality(OLD, before(1), 0.1, 9)
    dot = re.compile(f'<use [^>]*"{COLOURS[0]}"')
    assert dot.search(online_quality([alone]))
    assert not dot.search(online_quality([alone, later]))


def test_the_names_of_versions_beside_each_other_fit_a_plot():
    assert (columns(["p50", "p99"]), columns([NEW] * 4)) == (3, 3)
    assert columns(["20260131-030000-recency_transitions"] * 6) == 2


def test_where_nothing_was_judged_nothing_is_drawn():
    assert (online_quality([]), offline_quality((version(ndcg=None),))) == ("", "")


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], []),
        ([5], [(5, 5)]),
        ([0, 60, 120], [(0, 120)]),
        ([0, 60, 300, 360], [(0, 60), (300, 360)]),
    ],
)
def test_an_alert_fires_from_gap_to_gap(times, expected):
    assert list(runs(times, 60)) == expected


@pytest.mark.parametrize(
    ("seen", "starts"), [([], []), ([10.0, 10.0], [10.0]), ([10.0, 10.0, 95.5], [10.0, 95.5])]
)
def test_a_service_started_when_its_start_was_first_seen(seen, starts):
    assert started_at(seen) == starts


def test_what_a_style_says_is_said_by_attributes():
    text = '<text style="font: 9px sans; fill: #000000"/>'
    drawn = in_page(f'<svg xmlns="http://www.w3.org/2000/svg">{text}</svg>')
    assert '<text font-size="9px" fill="currentColor"' in drawn


def test_the_interval_of_an_experiment_is_drawn_and_told():
    page = render(content(experiments=[experiment()], looks=LOOKS))
    assert "The experiment “bolder”" in page
    assert "with the interval at all looks" in page


@pytest.mark.parametrize("number", [1, 2, MOST_LOOKS, MOST_LOOKS + 1, 20 * MOST_LOOKS + 7])
def test_of_many_looks_so_many_are_drawn_the_first_and_last_among_them(number):
    looks = [Look(before(number - place), -1, 0, 1) for place in range(number)]
    drawn = thinned(looks)
    assert (drawn[0], drawn[-1]) == (looks[0], looks[-1])
    assert len(drawn) == len(set(drawn)) <= MOST_LOOKS + 1
    assert len(drawn) >= min(number, MOST_LOOKS // 2)


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("M 70.546568 141.79976  L 457.0 -0.04  z ", "M70.5 141.8L457 0z"),
        ("37.512499", "37.5"),
        ("M 0 -1.5  C 0.3 1 2 3.26 1.5 12345.678", "M0 -1.5C0.3 1 2 3.3 1.5 12345.7"),
    ],
)
def test_a_path_is_drawn_to_a_tenth_of_a_pixel(path, short):
    assert rounded(path) == short


def test_an_experiment_without_a_look_draws_nothing():
    assert experiment_plot((), "lift") == ""


@pytest.mark.parametrize(
    ("kind", "named", "other"),
    [("ab", "lift", "preference"), ("interleaving", "preference", "lift")],
)
def test_what_an_experiment_found_is_drawn_by_its_name(kind, named, other):
    page = render(content(experiments=[experiment(kind=kind)], looks=LOOKS))
    assert f">{named}</text>" in page
    assert f">{other}</text>" not in page


def test_the_newest_training_shows_all_that_was_tried_the_best_on_top():
    tried = replace(version(), judged=["popularity", "ease"], lows=[0.08, 0.18], highs=[0.1, 0.2])
    drawn = algorithms(tried)
    assert drawn.index("popularity") < drawn.index("ease")
    assert "all that was tried" in render(content(versions=(tried,)))


def test_a_training_that_judged_nobody_draws_nothing():
    assert algorithms(version(ndcg=None)) == ""


def test_an_alert_names_its_service_where_it_has_one():
    assert alert_name({"alertname": "ServiceDown", "service": "kafka"}) == "ServiceDown of kafka"
    assert alert_name({"alertname": "DiskFillingUp"}) == "DiskFillingUp"


@pytest.mark.parametrize(
    ("label", "value"), [("model_version", "20260131-030000-ease"), ("worker", "trainer")]
)
def test_an_alert_names_what_it_is_about_and_not_who_told_of_it(label, value):
    labels = {"alertname": "SomethingFailed", "service": "evaluation", label: value}
    assert alert_name(labels) == f"SomethingFailed of {value}"


def test_a_version_leads_to_its_pictures():
    assert f'href="/status/versions/{version().version}/ranking.svg"' in render(content())


def test_a_version_of_earlier_code_leads_to_no_picture_that_it_has_not():
    older, newer = version(), replace(version(), figure_groups=["calibration", "learning"])
    assert set(pictures_of(older)) == set(PICTURES) - {"calibration", "learning"}
    assert tuple(pictures_of(newer)) == PICTURES


def test_words_in_a_plot_are_in_the_pages_font():
    assert "font-family" not in render(content())
    assert "<text" in render(content())
