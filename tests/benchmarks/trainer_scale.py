"""What a training takes at a size: time, and peak memory of the process that trains.

    python -m tests.benchmarks.trainer_scale measure COUNT…

Ratings of a million people are put into a real database once for each size. A whole training
then does what it does, from choosing to publishing. Each algorithm that is linear in ratings,
and the one that was chosen, reads them by the trainer's own snapshot, fits, computes
everybody's list and writes the version; each in a process of its own, whose peak memory is its
own. The one that was chosen does so again with the lists alone of who was active lately. All
ratings are of one day, which stands for a year: lately is its last quarter.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import typer
from threadpoolctl import threadpool_limits

from compose.service.copy_format import BEGIN, END, EPOCH
from tests.benchmarks.report import ROOT, Figures, peak_rss_mib, progress
from tests.stores import as_role, migrated_database
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Interactions, Scale
from trainer.data.snapshot import take_snapshot
from trainer.precomputed_lists import rows_with_lists
from trainer.selection.trials import Recipe
from trainer.settings import Settings
from trainer.training import contents_of, train
from trainer.versions.manifest import SOURCES, Manifest
from trainer.versions.writer import version_name, write_version

SCALE = Scale(0.5, 5)
USERS, MOVIES, TASTES = 1_000_000, 27_000, 20
LINEAR = ("popularity", "als", "svd", "svdpp")
LATELY_DAYS = 90 / 365
ROWS_AT_ONCE = 500_000
MOVIE = "a+movie+of+number+{:05}+1999"
WIRE = np.dtype(
    [
        *(("columns", ">i2"), ("time_length", ">i4"), ("time", ">i8")),
        *(("user_length", ">i4"), ("user", ">i8"), ("movie_length", ">i4"), ("movie", "S28")),
        *(("rating_length", ">i4"), ("rating", ">f4")),
        *(("partition_length", ">i4"), ("partition", ">i2")),
        *(("offset_length", ">i4"), ("offset", ">i8")),
    ]
)
"""A row of the table `rating` in COPY's binary format."""

app = typer.Typer(add_completion=False)


def met(count: int, random: np.random.Generator) -> np.ndarray:
    """int64 [count]: who met which movie, as user * MOVIES + movie, in the order it happened.

    Movies by Zipf's law, users with a heavy tail; every second movie is of the user's taste.
    """
    popularity = 1 / np.arange(1, MOVIES + 1)
    activity = random.pareto(1.5, USERS) + 0.1
    pairs = np.empty(0, np.int64)
    while len(pairs) < count:
        drawn = (count - len(pairs)) * 2 + 1_000
        users = random.choice(USERS, drawn, p=activity / activity.sum())
        movies = random.choice(MOVIES, drawn, p=popularity / popularity.sum())
        own = random.random(drawn) < 0.5
        movies[own] += users[own] % TASTES - movies[own] % TASTES
        pairs = np.union1d(pairs, users * MOVIES + movies)
    return random.permutation(pairs)[:count]


def rows(count: int) -> Iterator[np.ndarray]:
    """The table's rows in pieces: rated as liked if of the user's taste, else anyhow."""
    random = np.random.default_rng(1)
    pairs = met(count, random)
    names = np.array([MOVIE.format(movie) for movie in range(MOVIES)], "S28")
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begun = int(midnight.timestamp()) * 1_000_000 - EPOCH
    for start in range(0, count, ROWS_AT_ONCE):
        users, movies = np.divmod(pairs[start : start + ROWS_AT_ONCE], MOVIES)
        piece = np.zeros(len(users), WIRE)
        for column in ("time", "user", "movie", "rating", "partition", "offset"):
            piece[f"{column}_length"] = WIRE[column].itemsize
        piece["columns"] = 6
        piece["offset"] = np.arange(start, start + len(users))
        piece["time"] = begun + piece["offset"] * (86_000_000_000 // count)
        piece["user"], piece["movie"] = users + 1, names[movies]
        lowest = np.where(users % TASTES == movies % TASTES, 7, 1)
        piece["rating"] = random.integers(lowest, 11) / 2
        yield piece


@app.command(hidden=True)
def load(database: str, count: int) -> None:
    """Fill the table."""
    with psycopg.connect(as_role(database, "marquee")) as connection:
        statement = (
            "COPY rating (time, user_id, movie_id, rating, log_partition, log_offset)"
            " FROM STDIN (FORMAT BINARY)"
        )
        with connection.cursor().copy(statement) as copy:
            copy.write(BEGIN)
            for piece in rows(count):
                copy.write(piece.tobytes())
            copy.write(END)


def as_trainer(database: str) -> psycopg.Connection:
    """A connection with the trainer's rights."""
    return psycopg.connect(as_role(database, "trainer"), autocommit=True)


def timed[Result](name: str, work: Callable[[], Result]) -> tuple[dict[str, float], Result]:
    """How long it took by the clock and of this process's CPU, and what came of it."""
    begun, begun_cpu = time.perf_counter(), time.process_time()
    result = work()
    taken = {f"{name}_s": time.perf_counter() - begun}
    return taken | {f"{name}_cpu_s": time.process_time() - begun_cpu}, result


def tell(**figures: float | str) -> None:
    """Hand figures and the peak of this process to the parent."""
    print(json.dumps(figures | {"peak_rss_mib": peak_rss_mib()}))  # noqa: T201 -- to the parent


@app.command(hidden=True)
def fit(database: str, algorithm: str) -> None:
    """From the database to a written version, by one algorithm."""
    chosen, configuration = compiled(algorithm)
    with as_trainer(database) as connection, threadpool_limits(1):
        reading, snapshot = timed("snapshot", lambda: take_snapshot(connection, 10))
    data = snapshot.interactions
    with tempfile.TemporaryDirectory() as directory, threadpool_limits(1):
        passing, _ = timed(
            "one_pass", lambda: data.items.sum() + data.ratings.sum() + data.times.sum()
        )
        fitting, model = timed("fit", lambda: chosen.fit(data, configuration))
        contents = contents_of(Recipe(algorithm, configuration), model, data)
        writing, _ = timed(
            "lists", lambda: write_version(Path(directory), manifest(algorithm), contents)
        )
    tell(**reading, **passing, **fitting, **writing, users=len(data.users))


@app.command(hidden=True)
def active(database: str, algorithm: str) -> None:
    """Lists of everybody, and of who was active lately: how many, how large, how long."""
    chosen, configuration = compiled(algorithm)
    recipe = Recipe(algorithm, configuration)
    with as_trainer(database) as connection, threadpool_limits(1):
        data = take_snapshot(connection, 10).interactions
        model = chosen.fit(data, configuration)
        lately = rows_with_lists(data, SOURCES, timedelta(days=LATELY_DAYS))
        found: dict[str, float] = {}
        for name, listed in (("everybody", None), ("active", lately)):
            contents = contents_of(recipe, model, data, listed)
            with tempfile.TemporaryDirectory() as directory:
                taken, _ = timed(
                    name,
                    lambda d=directory, c=contents: write_version(Path(d), manifest(algorithm), c),
                )
                size = sum(file.stat().st_size for file in Path(directory).rglob("top_*.npy"))
            found |= taken | {f"{name}_mib": size / 2**20, f"{name}_people": contents.list_count}
    tell(**found)


def compiled(algorithm: str) -> tuple[Any, Any]:
    """An algorithm and its usual configuration, compiled before a clock starts."""
    chosen = ALGORITHMS[algorithm]
    configuration = chosen.candidates(SCALE)[0]
    chosen.fit(few(), configuration)
    return chosen, configuration


def few() -> Interactions:
    """Two people, for whom every algorithm is compiled."""
    return Interactions.assemble(
        np.array([1, 1, 2, 2]),
        ["a", "b"],
        np.array([0, 1, 0, 1], np.int32),
        np.array([5, 4, 5, 3], np.float32),
        np.arange(4),
    )


def manifest(algorithm: str) -> Manifest:
    """Of a version that nobody will serve."""
    name = version_name(datetime.now(UTC), algorithm)
    return Manifest(name, algorithm, {}, "", {}, {}, {}, {}, {}, {})


@app.command(hidden=True)
def whole(database: str) -> None:
    """A training as the job does it, from the tables to a published version."""
    with tempfile.TemporaryDirectory() as directory, as_trainer(database) as connection:
        settings = Settings(
            database_user="trainer",
            database_passfile=Path(directory) / "password",
            models_directory=Path(directory) / "models",
            scratch_directory=Path(directory) / "scratch",
            rating_min=SCALE.lowest,
            rating_max=SCALE.highest,
            lists_active_days=LATELY_DAYS,
        )
        begun, begun_cpu = time.perf_counter(), time.process_time()

        def say(message: str, done: float) -> None:
            taken, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
            progress(f"  {taken:7.1f} s, {cpu:7.1f} of CPU {done:4.0%} {message}")

        training, made = timed(
            "train", lambda: train(connection, settings, lambda: datetime.now(UTC), say)
        )
    tell(**training, algorithm=made.algorithm, verdict=made.gate["verdict"])


def in_child(*arguments: str) -> dict[str, float | str]:
    """The figures that a process of its own told."""
    command = [sys.executable, "-m", "tests.benchmarks.trainer_scale", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout) if done.stdout else {}


def scale_figures(count: int) -> Figures:
    """Everything at one size, by name; the default's are those without an algorithm's."""
    size = f"{count // 1_000_000}m"
    found: Figures = {}
    with migrated_database("bench") as database:
        in_child("load", database, str(count))
        progress(f"{count:,} ratings are in the table")
        whole = in_child("whole", database)
        chosen = str(whole["algorithm"])
        progress(f"a whole training at {size}: {whole}")
        for algorithm in dict.fromkeys((chosen, *LINEAR)):
            told = in_child("fit", database, algorithm)
            progress(f"{algorithm} at {size}: {told}")
            found |= {f"{key}_{size}_{algorithm}": figure(key, told[key]) for key in told}
        told = in_child("active", database, chosen)
        progress(f"lists of who was active, at {size}: {told}")
        found |= {f"{key}_{size}_listed": figure(key, told[key]) for key in told}
    default = ("fit_s", "fit_cpu_s", "lists_s", "one_pass_s", "peak_rss_mib")
    return found | {
        **{f"{key}_{size}": found[f"{key}_{size}_{chosen}"] for key in default},
        f"training_s_{size}": figure("s", whole["train_s"]),
        f"training_peak_rss_mib_{size}": figure("mib", whole["peak_rss_mib"]),
    }


def figure(name: str, value: float | str) -> tuple[float, str]:
    """A figure with the unit that its name ends with."""
    unit = {"mib": "MiB", "s": "s"}.get(name.rpartition("_")[2], "")
    return float(value), unit


@app.command()
def measure(counts: list[int]) -> None:
    """Measure each size and print a line a figure."""
    for count in counts:
        for name, (value, unit) in scale_figures(count).items():
            print(f"{name}: {value:.4g} {unit}")  # noqa: T201 -- what a benchmark is for


if __name__ == "__main__":
    app()
