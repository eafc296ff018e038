"""Where lists come from, by how many things somebody did: the order follows from the figures.

For each number of things that was judged, a source is asked if it serves people better, beyond
noise, than what would be asked without it; what is popular serves everybody and comes last. One
that is no better is left out, and so is one that could not be judged. Where few could be judged
after a number of things, it is as with the number before.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.evaluation.metrics import mean_figure
from trainer.selection.newcomers import FEW, PLAIN, SEED, Newcomers
from trainer.versions.manifest import asked_after

LAST = "popular"
IMPERSONAL = ("people", "lately")
PERSONAL = ("model", "fold_in")


def sources(judged: Mapping[int, Newcomers]) -> dict[str, list[str]]:
    """From so many things of somebody on, what is asked, in this order.

    After how many things nobody could be judged at all, the model is asked from the first on.
    """
    enough = {number: each for number, each in judged.items() if len(each) >= FEW}
    found = {"0": [LAST]}
    if not any(enough):  # nobody who did something
        found["1"] = [*PERSONAL, LAST]
    for number, newcomers in enough.items():
        order = _order(newcomers)
        if number == 0 or order != asked_after(found, number):
            found[str(number)] = order
    return found


def _order(newcomers: Newcomers) -> list[str]:
    """The sources that gain, the one that gains most first, then the last; the model above all."""
    gains = {name: newcomers.gain(name, [LAST]) for name in IMPERSONAL}
    better = {name: gain.value for name, gain in gains.items() if gain and gain.low > 0}
    order = [*sorted(better, key=better.__getitem__, reverse=True), LAST]
    folded_in = newcomers.gain("fold_in", order)
    return [*PERSONAL, *order] if folded_in and folded_in.low > 0 else order


def stated(
    judged: Mapping[int, Newcomers], asked: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Any]]:
    """What a manifest says of newcomers, by the number of things they did.

    How many were judged; the NDCG@20 of each source, for whom it has something to say, and its
    gain over what is popular for the same; that of what is popular over plain counts; and the
    gain over what is popular of what is asked in this order.
    """
    return {
        str(number): _stated(newcomers, asked_after(asked, number))
        for number, newcomers in judged.items()
    }


def _stated(newcomers: Newcomers, order: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"people_judged": {"value": len(newcomers)}}
    for name in newcomers.ndcg:
        if name != PLAIN:
            found[name] = _figure(newcomers.served([name]))
            over = newcomers.served([PLAIN if name == LAST else LAST])
            found[f"{name}_gain"] = _figure(newcomers.served([name]) - over)
    return found | {"gain": _figure(newcomers.served(order) - newcomers.served([LAST]))}


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
