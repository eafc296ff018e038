"""How sure evaluation is of what it says, how soon, and at what cost.

    python -m tests.benchmarks.evaluation [--scale small|full]

Errors and power are those of 1,000 simulated experiments each (seeds 0 to 999) with people of
the simulator's tastes; interleaving is compared with A/B tests on models fitted to what the
simulator sends. A pass takes up 50,000 new lines, with `full` 200,000, on a real PostgreSQL. Ten
bad canaries are released on real slots behind a real Nginx until the gate stops them.
Writes build/bench/evaluation.json.
"""

import warnings

import typer
from threadpoolctl import threadpool_limits

from tests.benchmarks.evaluation_canary import ROUNDS, canary_figures
from tests.benchmarks.evaluation_interleaving import interactions, interleaving_figures, lists_of
from tests.benchmarks.evaluation_pass import GROWTH, pass_figures
from tests.benchmarks.evaluation_rare import rare_figures
from tests.benchmarks.evaluation_readers import taking_chances, town
from tests.benchmarks.evaluation_sequential import SEEDS, sequential_figures
from tests.benchmarks.report import measured_commit, progress, write

LINES = {"small": 50_000, "full": 200_000}
"""New lines of each pass."""

app = typer.Typer(add_completion=False)


@app.command()
def measure(scale: str = "small") -> None:
    """Measure, print a line a figure, and write build/bench/evaluation.json."""
    commit = measured_commit()
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        people = town()
        data = interactions(people)
        lists = {name: lists_of(name, data, people) for name in ("popularity", "als", "ease")}
        found = sequential_figures(taking_chances(people, lists["popularity"]), progress)
        found |= rare_figures(progress)
        found |= interleaving_figures(people, lists, progress)
    progress(f"passes over {LINES[scale]:,} new lines, and with {GROWTH} times the history")
    found |= pass_figures(LINES[scale])
    progress(f"{ROUNDS} bad canaries")
    found |= canary_figures(ROUNDS, progress)
    write("evaluation", found, len(SEEDS), commit)


if __name__ == "__main__":
    app()
