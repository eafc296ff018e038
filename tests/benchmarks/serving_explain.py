"""How long `python -m recommender explain` takes for the longest history of MovieLens small.

From the start of the interpreter to the last line; the model is the one that ranks best, fitted
to all ratings with the trainer's own first configuration.
"""

import json
import time
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import numpy as np

from compose.simulator.movielens import read_movies
from tests.benchmarks.serving_diversity import ALGORITHM, SCALE, interactions
from tests.benchmarks.serving_versions import manifest
from tests.integration.serving import Slots, get
from tests.waiting import eventually
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Interactions
from trainer.selection.trials import Recipe
from trainer.training import contents_of
from trainer.versions.writer import write_version

VERSION = f"20260101-000000-{ALGORITHM}"


def explaining(folder: Path, conninfo: str) -> dict[str, tuple[float, str]]:
    """Seconds, and how many movies the user has rated."""
    folder.mkdir()
    learned = interactions(read_movies(files("compose.simulator") / "movielens"))
    lengths = np.diff(learned.indptr)
    slots = Slots(folder, conninfo)
    publish(slots.models, learned)
    slot = slots.start("blue", VERSION)
    try:
        path = f"/recommend/{learned.users[lengths.argmax()]}"
        receipt = json.loads(get(slot.port, path, Accept="application/json")[1])["receipt_id"]
        eventually(lambda: slots.explain(receipt).returncode == 0)
        begun = time.monotonic()
        slots.explain(receipt)
        seconds = time.monotonic() - begun
    finally:
        slots.end()
    return {"explain_s": (seconds, "s"), "explain_movies_rated": (int(lengths.max()), "")}


def publish(models: Path, learned: Interactions) -> None:
    """A version as a training would leave it, but for its figures."""
    algorithm = ALGORITHMS[ALGORITHM]
    configuration = algorithm.candidates(SCALE)[0]
    fitted = algorithm.fit(learned, configuration)
    told = manifest(VERSION, ALGORITHM, asdict(configuration))
    write_version(
        models / "versions", told, contents_of(Recipe(ALGORITHM, configuration), fitted, learned)
    )
