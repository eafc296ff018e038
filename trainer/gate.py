"""Whether a version may go live, by how it ranked for people beside what it would replace."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.algorithms.algorithm import FittedModel, Rows
from trainer.evaluation import Figure, mean_figure
from trainer.models import ItemModel, Scores


@dataclass(frozen=True)
class Rules:
    """What the gate asks for."""

    minimum_users: int
    """Fewer users with a relevant held-out movie can't tell a good model from a bad one."""
    tolerance: float
    """How much worse than live the lower end of the interval may be: a share of live's NDCG."""


@dataclass(frozen=True)
class Verdict:
    """The gate's word and why."""

    accepted: bool
    reason: str

    def manifest(self) -> dict[str, str]:
        """As it stands in a manifest."""
        return {"verdict": "accepted" if self.accepted else "refused", "reason": self.reason}


@dataclass(frozen=True)
class Evidence:
    """NDCG of the same users under each model: float64 [users] each."""

    candidate: NDArray[np.float64]
    popularity: NDArray[np.float64]
    live: NDArray[np.float64] | None
    """None when there is no live model that could be judged."""


def judge(evidence: Evidence, rules: Rules, random: np.random.Generator) -> Verdict:
    """Accept what is better than popularity and not worse than what is live.

    The first version ever need only be as good as popularity: without one, nobody is answered.
    """
    users = len(evidence.candidate)
    if users < rules.minimum_users:
        return Verdict(
            accepted=False,
            reason=f"too little to judge by: {users} users have a liked movie held out,"
            f" and {rules.minimum_users} are needed",
        )
    gain = mean_figure(evidence.candidate - evidence.popularity, random)
    if evidence.live is None:
        return _judge_first(gain)
    if gain.low <= 0:
        return Verdict(accepted=False, reason=f"not better than popularity: {_told(gain)}")
    return _judge_against_live(evidence.candidate, evidence.live, rules, random)


def _judge_first(gain: Figure) -> Verdict:
    if gain.value < 0:
        return Verdict(accepted=False, reason=f"worse than popularity: {_told(gain)}")
    reason = f"no live model to compare with, and no worse than popularity: {_told(gain)}"
    return Verdict(accepted=True, reason=reason)


def _judge_against_live(
    candidate: NDArray[np.float64],
    live: NDArray[np.float64],
    rules: Rules,
    random: np.random.Generator,
) -> Verdict:
    gain = mean_figure(candidate - live, random)
    allowed = -rules.tolerance * float(live.mean())
    if gain.low < allowed:
        reason = f"may be worse than the live model by more than {-allowed:.4f}: {_told(gain)}"
        return Verdict(accepted=False, reason=reason)
    reason = f"better than popularity and not worse than the live model: {_told(gain)}"
    return Verdict(accepted=True, reason=reason)


def _told(gain: Figure) -> str:
    return f"NDCG@20 {gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"


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
        """The model's scores, shuffled."""
        return self.model.score(rows)[:, self.movies]


def checked(verdict: Verdict, on_shuffled: Verdict) -> Verdict:
    """The verdict, unless the gate would have let a shuffled model through."""
    if on_shuffled.accepted:
        return Verdict(
            accepted=False,
            reason=f"the gate does not work: it accepts shuffled movies ({on_shuffled.reason})",
        )
    return verdict
