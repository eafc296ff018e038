"""Shows how far something is to whoever waits for it: as a bar in a terminal, else as lines.

The one way for every command that takes longer than people look on patiently.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from compose.service.jobs import JobLine

Tell = Callable[[JobLine], None]


def show(lines: Iterable[JobLine], console: Console) -> None:
    """Print lines as they come, those of a job or of what is done here."""
    with progress(console) as tell:
        for line in lines:
            tell(line)


@contextmanager
def progress(console: Console) -> Iterator[Tell]:
    """What prints each line that it is given.

    In a terminal those that say how far it is become one bar with the newest beside it, and
    only the others stay. Until the first of them the bar only says that something goes on.
    """
    if not console.is_terminal:
        yield lambda line: console.print(Text(f"{line.at:%H:%M:%S} {line.message}"), soft_wrap=True)
        return
    columns = (
        BarColumn(20),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("waiting for its turn", total=None)

        def tell(line: JobLine) -> None:
            if line.done is None:
                bar.console.print(Text(line.message), soft_wrap=True)
                if bar.tasks[0].total is None:
                    bar.update(task, description="under way")
            else:
                bar.update(task, total=1.0, completed=line.done, description=line.message)

        yield tell
