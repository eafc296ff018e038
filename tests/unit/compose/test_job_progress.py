import io
from datetime import UTC, datetime

from rich.console import Console

from compose.service.job_progress import show
from compose.service.jobs import JobLine

AT = datetime(2026, 11, 1, 12, 30, 5, tzinfo=UTC)
LINES = [
    JobLine(AT, "read [bold]100,000 events[/bold]", 0.25),
    JobLine(AT, "fitted ease", 0.5),
    JobLine(AT, "v1 was trained", None),
]


def shown(*, terminal: bool) -> str:
    out = io.StringIO()
    show(LINES, Console(file=out, force_terminal=terminal, width=80, highlight=False))
    return out.getvalue()


def test_without_a_terminal_each_line_is_printed_as_it_is_with_its_time():
    assert shown(terminal=False).splitlines() == [
        "12:30:05 read [bold]100,000 events[/bold]",
        "12:30:05 fitted ease",
        "12:30:05 v1 was trained",
    ]


def test_in_a_terminal_steps_become_a_bar_with_the_newest_beside_it():
    assert " 50%" in shown(terminal=True)
    assert "fitted ease" in shown(terminal=True)


def test_in_a_terminal_a_bar_goes_on_where_nothing_says_how_far_it_is():
    out = io.StringIO()
    steps = [JobLine(AT, "place: green was told to load v2", None)]
    show(steps, Console(file=out, force_terminal=True, width=80, highlight=False))
    assert "waiting for its turn" in out.getvalue()
    assert "place: green was told to load v2" in out.getvalue()
    assert "0:00:0" in out.getvalue()


def test_in_a_terminal_what_is_no_step_stays_above_the_bar():
    assert any(line.endswith("v1 was trained") for line in shown(terminal=True).splitlines())
