"""Whether a version may go live: by how it ranked for people, and by what else it must not be.

Every rule is a function from comparison to a reason for refusing, or None.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trainer.algorithms.algorithm import FittedModel, Rows
from trainer.evaluation.metrics import Figure, mean_figure
from trainer.versions.item_models.item_model import ItemModel, Scores

LEAK_DEVIATIONS = 5.0
"""So many standard errors too high, decoys movies are ranked by knowledge, not by chance."""


@dataclass(frozen=True)
class Rules:
    """The thresholds of the offline gate."""

    minimum_users: int
    """Fewer users with a relevant held-out movie can't tell a good model from a bad one."""
    tolerance: float
    """How much worse than live the lower end of the interval may be: a share of live's NDCG."""
    minimum_coverage: float = 0.01
    """Share of the catalogue that the judged users' lists must show together."""
    largest_mib: float = 1024.0
    """What a version may take on the disk, and so in a slot's page cache."""
    slowest_fold_in_ms: float = 100.0
    """How long scoring a new user with 20 ratings may take."""


@dataclass(frozen=True)
class GateDecision:
    """Whether the version may be released, and why."""

    accepted: bool
    reason: str

    def manifest(self) -> dict[str, str]:
        """What stands under `gate` in the manifest: the verdict in a word, and why."""
        return {"verdict": "accepted" if self.accepted else "refused", "reason": self.reason}


@dataclass(frozen=True)
class Comparison:
    """How a model did for the same users as popularity and the live model."""

    candidate: NDArray[np.float64]
    """float64 [judged users]: NDCG, as the next two."""
    popularity: NDArray[np.float64]
    live: NDArray[np.float64] | None
    """None when there is no live model that could be judged."""
    decoys: NDArray[np.float64]
    """float64 [users]: where a decoy was ranked, 0 first and 1 last; see `split.add_decoys`."""
    coverage: float
    """Share of the catalogue in the judged users' lists."""
    alarms: Sequence[str] = ()
    """Findings of the data report that forbid a release."""


@dataclass(frozen=True)
class Cost:
    """What a version takes to keep and to ask."""

    mib: float
    fold_in_ms: float


def decide(comparison: Comparison, rules: Rules, random: np.random.Generator) -> GateDecision:
    """Accept what is not worse than popularity, nor than what is live, and sound.

    A difference within noise refuses nothing: where nothing is better than popularity, as in
    many a stream's first weeks, popularity, or what does as well, goes live and stays fresh.
    """
    for refusal in _refusals(comparison, rules, random):
        return GateDecision(accepted=False, reason=refusal)
    over = mean_figure(comparison.candidate - comparison.popularity, random)
    if comparison.live is None:
        reason = f"no live model to compare with, and {_standing(over)}: {_told(over)}"
    else:
        gain = mean_figure(comparison.candidate - comparison.live, random)
        reason = f"{_standing(over)} and not worse than the live model: {_told(gain)}"
    return GateDecision(accepted=True, reason=reason)


def _standing(over: Figure) -> str:
    """How an accepted version stands to popularity."""
    if over.low > 0:
        return "better than popularity"
    if over.low == over.high == 0:
        return "as good as popularity, than which nothing is better"
    return "no worse than popularity beyond noise"


def _refusals(comparison: Comparison, rules: Rules, random: np.random.Generator) -> Iterator[str]:
    users = len(comparison.candidate)
    if users < rules.minimum_users:
        yield (
            f"too little to judge by: {users} users have a liked movie held out,"
            f" and {rules.minimum_users} are needed"
        )
        return
    yield from (f"the data is not as usual: {alarm}" for alarm in comparison.alarms)
    yield from _leaking(comparison.decoys)
    gain = mean_figure(comparison.candidate - comparison.popularity, random)
    if gain.high < 0:
        yield f"worse than popularity: {_told(gain)}"
    if comparison.live is None:
        return
    yield from _worse_than_live(comparison.candidate, comparison.live, rules, random)
    popularity_itself = np.array_equal(comparison.candidate, comparison.popularity)
    if comparison.coverage < rules.minimum_coverage and not popularity_itself:
        yield (
            f"the lists show {comparison.coverage:.2%} of the movies,"
            f" and {rules.minimum_coverage:.2%} are asked for"
        )


def _leaking(decoys: NDArray[np.float64]) -> Iterator[str]:
    if len(decoys):
        deviations = (0.5 - decoys.mean()) * np.sqrt(12 * len(decoys))
        if deviations > LEAK_DEVIATIONS:
            yield (
                "it has seen what was held out: movies decoys there at random come"
                f" {deviations:.0f} standard errors too high"
            )


def _worse_than_live(
    candidate: NDArray[np.float64],
    live: NDArray[np.float64],
    rules: Rules,
    random: np.random.Generator,
) -> Iterator[str]:
    gain = mean_figure(candidate - live, random)
    allowed = -rules.tolerance * float(live.mean())
    if gain.low < allowed:
        yield f"may be worse than the live model by more than {-allowed:.4f}: {_told(gain)}"


def _told(gain: Figure) -> str:
    return f"NDCG@20 {gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"


def within(cost: Cost, rules: Rules, verdict: GateDecision) -> GateDecision:
    """The verdict, unless the version is too large or too slow; one refused stays so."""
    if verdict.accepted and cost.mib > rules.largest_mib:
        return GateDecision(
            accepted=False,
            reason=f"it takes {cost.mib:,.0f} MiB, and {rules.largest_mib:,.0f} are allowed",
        )
    if verdict.accepted and cost.fold_in_ms > rules.slowest_fold_in_ms:
        return GateDecision(
            accepted=False,
            reason=f"a new user takes {cost.fold_in_ms:.0f} ms,"
            f" and {rules.slowest_fold_in_ms:.0f} are allowed",
        )
    return verdict


@dataclass(frozen=True)
class ShuffledModel:
    """A model known to be bad: its scores go to the wrong movies."""

    model: FittedModel
    movies: NDArray[np.intp]
    """intp [items]: a permutation; item i gets the score of item movies[i]."""

    @property
    def item_model(self) -> ItemModel:
        """That of the model it spoils; a shuffled model is never saved."""
        return self.model.item_model

    def score(self, rows: Rows) -> Scores:
        """The model's scores, each given to another movie."""
        return self.model.score(rows)[:, self.movies]


@dataclass(frozen=True)
class LeakingModel:
    """A model known to be too good: it was shown what is held out, and raises all of it."""

    model: FittedModel
    shown: sparse.csr_array
    """float32 [users, items]: 1 for what is held out."""

    @property
    def item_model(self) -> ItemModel:
        """That of the model it helps; a leaking model is never saved."""
        return self.model.item_model

    def score(self, rows: Rows) -> Scores:
        """The model's scores, with what is held out above everything else."""
        scores = self.model.score(rows)
        above = scores.max(initial=0) - scores.min(initial=0) + 1
        return np.asarray(scores + above * self.shown[rows].toarray(), np.float32)


def checked(
    verdict: GateDecision, on_shuffled: GateDecision, on_leaking: GateDecision
) -> GateDecision:
    """The verdict, unless the gate would have let a model through that is known to be bad."""
    for what, on_bad in (("shuffled movies", on_shuffled), ("a leaking model", on_leaking)):
        if on_bad.accepted:
            return GateDecision(
                accepted=False,
                reason=f"the gate does not work: it accepts {what} ({on_bad.reason})",
            )
    return verdict
