"""Shows how far a job is to whoever waits for it: as a bar in a terminal, else as lines."""

from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from compose.service.jobs import JobLine


def show(lines: Iterable[JobLine], console: Console) -> None:
    """Print a job's lines as they come.

    In a terminal those that say how far it is become one bar with the newest beside it, and
    only the others stay.
    """
    if console.is_terminal:
        _as_bar(lines, console)
    else:
        for line in lines:
            console.print(Text(f"{line.at:%H:%M:%S} {line.message}"), soft_wrap=True)


def _as_bar(lines: Iterable[JobLine], console: Console) -> None:
    columns = (
        BarColumn(20),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("waiting for its turn", total=1.0)
        for line in lines:
            if line.done is None:
                bar.console.print(Text(line.message), soft_wrap=True)
            else:
                bar.update(task, completed=line.done, description=line.message)
