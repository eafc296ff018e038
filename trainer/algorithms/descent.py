"""The descents of Surprise's SVD and SVDpp, compiled: same formulas, same order, same numbers.

Each takes the ratings user by user (`starts`, `users`, `items`, `ratings`) and changes its
factors and biases in place. Sums may be reassociated, so numbers agree up to rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # it ships no type information
from numba.core import cgutils, config, types
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic
from numpy.typing import NDArray
from surprise import Trainset

Floats = NDArray[np.float64]

# Numba has no setting for one function; where a CPU has no wider vectors, this changes nothing.
_FEATURES = get_host_cpu_features()  # type: ignore[no-untyped-call]  # Numba's types end here
config.CPU_FEATURES = f"{_FEATURES},-prefer-256-bit"  # type: ignore[attr-defined]  # set by Numba


def _compiled(function: Callable[..., None]) -> Callable[..., None]:
    """Compile once for a machine; that sums may be reassociated makes them vector sums."""
    return numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz"})(function)


def _emit_fetch(typing: Any, rows: Any, row: Any, column: Any) -> Any:
    """Have the CPU bring rows[row, column] into its cache, and go on without waiting for it."""
    del typing

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(rows)(context, builder, arguments[0])
        places = [
            context.cast(builder, place, kind, types.intp)
            for place, kind in zip(arguments[1:], signature.args[1:], strict=True)
        ]
        address = cgutils.get_item_pointer(  # type: ignore[no-untyped-call]  # as above
            context, builder, rows, array, places
        )
        flag, pointer = cgutils.int32_t, cgutils.voidptr_t
        kind = ir.FunctionType(ir.VoidType(), [pointer, flag, flag, flag])
        fetch = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]  # as above
            builder.module, kind, "llvm.prefetch.p0"
        )
        to_read, to_keep, data = flag(0), flag(3), flag(1)
        builder.call(fetch, [builder.bitcast(address, pointer), to_read, to_keep, data])
        return context.get_dummy_value()

    return types.void(rows, row, column), emit


_fetch_early: Callable[..., None] = intrinsic(_emit_fetch)
CACHE_LINE = 8
"""Numbers of 8 bytes in one line of the CPU's cache."""
FETCHED_AHEAD = 4
"""So many ratings before an item's factors are needed, they are sent for."""


@dataclass(frozen=True)
class RatingsByUser:
    """The ratings of a trainset in the order in which Surprise goes through them."""

    users: NDArray[np.int64]
    """int64 [users with ratings]: inner ids."""
    starts: NDArray[np.int64]
    """int64 [users with ratings + 1]: where each one's ratings start."""
    items: NDArray[np.int64]
    """int64 [ratings]: inner ids."""
    ratings: Floats
    """float64 [ratings]."""

    @classmethod
    def of(cls, trainset: Trainset) -> "RatingsByUser":
        """Flatten the trainset's lists."""
        rows: dict[int, list[tuple[int, float]]] = trainset.ur
        lengths = np.fromiter(map(len, rows.values()), np.int64, len(rows))
        starts = np.concatenate([[0], np.cumsum(lengths)])

        def all_of(place: int, kind: type) -> NDArray[Any]:
            numbers = map(itemgetter(place), chain.from_iterable(rows.values()))
            return np.fromiter(numbers, kind, starts[-1])

        users = np.fromiter(rows, np.int64, len(rows))
        return cls(users, starts, all_of(0, np.int64), all_of(1, np.float64))

    @property
    def repeated(self) -> bool:
        """Whether somebody rated the same item more than once."""
        rows = np.repeat(np.arange(len(self.users)), np.diff(self.starts))
        pairs = rows * (self.items.max(initial=0) + 1) + self.items
        return len(np.unique(pairs)) < len(pairs)

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """The arrays in the order of the compiled descents' first arguments."""
        return self.users, self.starts, self.items, self.ratings


@_compiled
def descend_svd(  # noqa: PLR0913, PLR0917 -- compiled code takes arrays and numbers, not objects
    users: NDArray[np.int64],
    starts: NDArray[np.int64],
    items: NDArray[np.int64],
    ratings: Floats,
    mean: float,
    biased: bool,  # noqa: FBT001 -- likewise
    rates: tuple[float, float, float, float],
    penalties: tuple[float, float, float, float],
    user_biases: Floats,
    item_biases: Floats,
    user_factors: Floats,
    item_factors: Floats,
) -> None:
    """One epoch of SVD.

    Args:
        users: int64 [n], each user once.
        starts: int64 [n + 1].
        items: int64 [ratings].
        ratings: float64 [ratings].
        mean: of all ratings, or 0 without biases.
        biased: whether biases are learned.
        rates: learning rates of user biases, item biases, user factors, item factors.
        penalties: their regularisation.
        user_biases: float64 [users], changed.
        item_biases: float64 [items], changed.
        user_factors: float64 [users, factors], changed.
        item_factors: float64 [items, factors], changed.
    """
    kept_of_user, kept_of_item = 1 - rates[2] * penalties[2], 1 - rates[3] * penalties[3]
    for place in range(len(users)):
        user, last = users[place], starts[place + 1] - 1
        own, bias = user_factors[user], user_biases[user]
        product = 0.0
        if starts[place] <= last:
            product = (own * item_factors[items[starts[place]]]).sum()
        for rated in range(starts[place], last + 1):
            item = items[rated]
            other, following = item_factors[item], item_factors[items[min(rated + 1, last)]]
            later = items[min(rated + FETCHED_AHEAD, len(items) - 1)]
            for f in range(0, len(own), CACHE_LINE):
                _fetch_early(item_factors, later, f)
            error = ratings[rated] - (mean + bias + item_biases[item] + product)
            if biased:
                bias += rates[0] * (error - penalties[0] * bias)
                item_biases[item] += rates[1] * (error - penalties[1] * item_biases[item])
            to_user, to_item = rates[2] * error, rates[3] * error
            product = 0.0  # of the next rating, in the same pass: each factor is read once
            for f in range(len(own)):
                before, factor = own[f], other[f]
                moved = kept_of_user * before + to_user * factor
                own[f] = moved
                other[f] = kept_of_item * factor + to_item * before
                product += moved * following[f]
        user_biases[user] = bias


@_compiled
def descend_svdpp(  # noqa: PLR0913, PLR0917 -- as above
    users: NDArray[np.int64],
    starts: NDArray[np.int64],
    items: NDArray[np.int64],
    ratings: Floats,
    mean: float,
    rates: tuple[float, float, float, float, float],
    penalties: tuple[float, float, float, float, float],
    user_biases: Floats,
    item_biases: Floats,
    user_factors: Floats,
    item_factors: Floats,
    implicit_factors: Floats,
) -> None:
    """One epoch of SVD++, linear in ratings times factors.

    After each rating of a user, every implicit factor y of the user's items is moved by the
    same affine map, y <- (1 - rate * penalty) * y + rate * error * q / sqrt(n). So the maps
    are composed into one, y <- scale * y + shift, that is applied after the last rating; until
    then the sum of all y is scale * (their sum at first) + n * shift.

    Args:
        users: int64 [n], each user once, no item twice in a user's ratings.
        starts: int64 [n + 1].
        items: int64 [ratings].
        ratings: float64 [ratings].
        mean: of all ratings.
        rates: learning rates of user biases, item biases, user, item and implicit factors.
        penalties: their regularisation.
        user_biases: float64 [users], changed.
        item_biases: float64 [items], changed.
        user_factors: float64 [users, factors], changed.
        item_factors: float64 [items, factors], changed.
        implicit_factors: float64 [items, factors], changed.
    """
    first = np.empty(user_factors.shape[1])
    shift = np.empty(user_factors.shape[1])
    implicit = np.empty(user_factors.shape[1])
    shrink = 1 - rates[4] * penalties[4]
    for place in range(len(users)):
        user = users[place]
        own = user_factors[user]
        number = starts[place + 1] - starts[place]
        root = np.sqrt(number)
        scale = 1.0
        shift[:] = 0
        first[:] = 0
        for rated in range(starts[place], starts[place + 1]):
            y = implicit_factors[items[rated]]
            for f in range(len(first)):
                first[f] += y[f]
        for rated in range(starts[place], starts[place + 1]):
            item = items[rated]
            other = item_factors[item]
            product = 0.0
            for f in range(len(first)):
                implicit[f] = (scale * first[f] + number * shift[f]) / root
                product += other[f] * (own[f] + implicit[f])
            error = ratings[rated] - (mean + user_biases[user] + item_biases[item] + product)
            user_biases[user] += rates[0] * (error - penalties[0] * user_biases[user])
            item_biases[item] += rates[1] * (error - penalties[1] * item_biases[item])
            scale *= shrink
            for f in range(len(first)):
                before, factor = own[f], other[f]
                own[f] += rates[2] * (error * factor - penalties[2] * before)
                other[f] += rates[3] * (error * (before + implicit[f]) - penalties[3] * factor)
                shift[f] = shrink * shift[f] + rates[4] * error * factor / root
        for rated in range(starts[place], starts[place + 1]):
            y = implicit_factors[items[rated]]
            for f in range(len(first)):
                y[f] = scale * y[f] + shift[f]


@_compiled
def descend_svdpp_step_by_step(  # noqa: PLR0913, PLR0917 -- as above
    users: NDArray[np.int64],
    starts: NDArray[np.int64],
    items: NDArray[np.int64],
    ratings: Floats,
    mean: float,
    rates: tuple[float, float, float, float, float],
    penalties: tuple[float, float, float, float, float],
    user_biases: Floats,
    item_biases: Floats,
    user_factors: Floats,
    item_factors: Floats,
    implicit_factors: Floats,
) -> None:
    """The same, moving every implicit factor after every rating: items may be repeated."""
    for place in range(len(users)):
        user = users[place]
        own = user_factors[user]
        rated_items = items[starts[place] : starts[place + 1]]
        root = np.sqrt(len(rated_items))
        for rated in range(starts[place], starts[place + 1]):
            item = items[rated]
            other = item_factors[item]
            implicit = np.zeros(len(own))
            for j in rated_items:
                implicit += implicit_factors[j] / root
            error = ratings[rated] - (mean + user_biases[user] + item_biases[item])
            error -= (other * (own + implicit)).sum()
            user_biases[user] += rates[0] * (error - penalties[0] * user_biases[user])
            item_biases[item] += rates[1] * (error - penalties[1] * item_biases[item])
            before, factor = own.copy(), other.copy()
            own += rates[2] * (error * factor - penalties[2] * before)
            other += rates[3] * (error * (before + implicit) - penalties[3] * factor)
            for j in rated_items:
                y = implicit_factors[j]
                y += rates[4] * (error * factor / root - penalties[4] * y)
