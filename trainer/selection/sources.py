"""Where lists come from, by how many things somebody did: the order follows from the figures.

For each number of things that was judged, a source is asked if it serves people better, beyond
noise, than what would be asked without it; what is popular serves everybody and comes last. As
each source is looked at after several numbers of things, and would gain after one of them by
chance, its gains over what is popular are corrected for that (Hochberg, 1988): one that gains
after all of them needs 95 % each time; after how many more it does not, so much surer it has to
be of the others. What
is not better than another source, but than what comes after that one, is asked where the other
has nothing to say. One that is no better than anything is left out, and so is one that could not
be judged. Where few could be judged after a number of things, it is as with the number before.

The model's lists for those whom it was fitted to are judged by these alone; where they are few,
by newcomers together with them, for after so many things it says much the same of both. Those for
newcomers are judged by newcomers alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.data.likes import FEW
from trainer.evaluation.metrics import mean_figure
from trainer.selection.newcomers import PLAIN, SEED, JudgedSources, together
from trainer.versions.manifest import asked_after

CHANCE = 0.025
"""That a source which is no better than what is popular is asked after any number of things."""
LAST = "popular"
IMPERSONAL = ("people", "lately")
PERSONAL = ("model", "fold_in")

type ByNumber = Mapping[int, JudgedSources]
"""By the number of things done."""


def sources(newcomers: ByNumber, known: ByNumber) -> dict[str, list[str]]:
    """From so many things of somebody on, what is asked, in this order.

    After how many things nobody could be judged at all, the model is asked from the first on.

    Args:
        newcomers: judged by what the model says of people whom it never met.
        known: judged by what it says of those whom it was fitted to.
    """
    judged = _all_together(newcomers, known)
    enough = {number: each for number, each in judged.items() if len(each) >= FEW}
    found = {"0": [LAST]}
    if not any(enough):  # nobody who did something
        found["1"] = [*PERSONAL, LAST]
    judges = {
        number: Judges(_if_enough(known.get(number)) or both, _if_enough(newcomers.get(number)))
        for number, both in enough.items()
    }
    better = {name: _better(name, judges) for name in (*IMPERSONAL, *PERSONAL)}
    for number, its in judges.items():
        before = asked_after(found, number)
        order = _order(its, {name for name in better if number in better[name]}, before)
        if number == 0 or order != before:
            found[str(number)] = order
    return found


@dataclass(frozen=True)
class Judges:
    """By whom sources are judged after a number of things."""

    fitted: JudgedSources
    """Those whom the model was fitted to, or that stand in for them."""
    new: JudgedSources | None
    """Newcomers; None where they are few."""

    def of(self, source: str) -> JudgedSources | None:
        """Those who judge a source."""
        if source == "model":
            return self.fitted
        return self.new if source == "fold_in" else self.new or self.fitted


def _better(source: str, judges: Mapping[int, Judges]) -> set[int]:
    """The numbers of things after which a source is better than what is popular beyond noise."""
    judged = {number: its.of(source) for number, its in judges.items()}
    chances = {
        number: chance
        for number, each in judged.items()
        if each and (chance := each.chance(source, [LAST])) is not None
    }
    likeliest = sorted(chances, key=chances.__getitem__, reverse=True)
    for looks, number in enumerate(likeliest, 1):
        if chances[number] <= CHANCE / looks:
            return set(likeliest[looks - 1 :])
    return set()


def _if_enough(judged: JudgedSources | None) -> JudgedSources | None:
    return None if judged is None or len(judged) < FEW else judged


def _all_together(newcomers: ByNumber, known: ByNumber) -> dict[int, JudgedSources]:
    """Both, as if the model had been fitted to all of them."""
    found = {}
    for number in sorted({*newcomers, *known}):
        parts = [known[number]] if number in known else []
        if number in newcomers:
            ndcg = dict(newcomers[number].ndcg)
            if "fold_in" in ndcg:
                ndcg["model"] = ndcg.pop("fold_in")
            parts.append(JudgedSources(ndcg))
        found[number] = together(parts)
    return found


def _order(judges: Judges, able: Collection[str], before: Sequence[str]) -> list[str]:
    """The sources that gain, the one that gains most first, then the last.

    Args:
        judges: who judges them.
        able: those that are better than what is popular, here and beyond noise.
        before: what is asked after fewer things.
    """
    judged = judges.new or judges.fitted
    gains = {name: judged.gain(name, [LAST]) for name in IMPERSONAL if name in able}
    better = {name: gain.value for name, gain in gains.items() if gain and gain.low > 0}
    order = [*sorted(better, key=better.__getitem__, reverse=True), LAST]
    if judges.new:
        order = _with("fold_in", order, judges.new) if "fold_in" in able else order
    elif "fold_in" in before:
        later = before[before.index("fold_in") :]
        order.insert(next(i for i, name in enumerate(order) if name in later), "fold_in")
    return _with("model", order, judges.fitted) if "model" in able else order


def _with(source: str, order: Sequence[str], judged: JudgedSources) -> list[str]:
    """The order with a source at the first place where it gains over all that comes after it."""
    for place in range(len(order)):
        gain = judged.gain(source, order[place:])
        if gain and gain.low > 0:
            return [*order[:place], source, *order[place:]]
    return [*order]


def stated(judged: ByNumber, asked: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    """What a manifest says of newcomers, or of known people, by the number of things they did.

    How many were judged; the NDCG@20 of each source, for whom it has something to say, and its
    gain over what is popular for the same; that of what is popular over plain counts; and the
    gain over what is popular of what is asked in this order.
    """
    return {
        str(number): _stated(each, asked_after(asked, number)) for number, each in judged.items()
    }


def _stated(judged: JudgedSources, order: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"people_judged": {"value": len(judged)}}
    for name, ndcg in judged.ndcg.items():
        if name != PLAIN and not np.isnan(ndcg).all():
            found[name] = _figure(ndcg)
            over = judged.served([PLAIN if name == LAST else LAST])
            found[f"{name}_gain"] = _figure(ndcg - over)
    return found | {"gain": _figure(judged.served(order) - judged.served([LAST]))}


def _figure(values: NDArray[np.float64]) -> dict[str, float]:
    figure = mean_figure(values[~np.isnan(values)], np.random.default_rng(SEED))
    return {"value": figure.value, "low": figure.low, "high": figure.high}


def served_gain_low(newcomers: Mapping[str, Mapping[str, Any]]) -> float:
    """The least lower end of what people are served over what is popular, of what `stated` says.

    Of all numbers of things after which enough people could be judged; 0 without any.
    """
    gains = [
        each["gain"]["low"] for each in newcomers.values() if each["people_judged"]["value"] >= FEW
    ]
    return min(gains, default=0.0)
