"""From what people did to how far two arms differ, with the variance of that; no I/O.

Everything rests on sums over people, so it can be told from totals that only grow, and a
person is a row once: all answers of a person hang together, so they are never counted apart.

Sources: Deng, Knoblich and Lu, Applying the Delta Method in Metric Analytics, KDD 2018
(ratios and relative differences); Deng, Xu, Kohavi and Walker, Improving the Sensitivity of
Online Controlled Experiments by Utilizing Pre-Experiment Data, WSDM 2013 (CUPED).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

FEWEST_PEOPLE = 50
"""Of fewer in an arm a mean is not about normal, and its variance not known."""
CLEAR_OF_ZERO = 3.0
"""Standard errors that what a lift is divided by must be above 0."""


@dataclass(frozen=True)
class Sums:
    """What the people of one arm came to, summed over them.

    `y` is the outcome; `x` what it is divided by, or what a person did before: see `ratio`
    and `adjusted`. Squares and products are summed, not centred.
    """

    people: int
    y: float
    yy: float
    x: float = 0.0
    xx: float = 0.0
    xy: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.people + other.people,
            self.y + other.y,
            self.yy + other.yy,
            self.x + other.x,
            self.xx + other.xx,
            self.xy + other.xy,
        )

    def y_variance(self) -> float:
        """Variance of the outcome between people; 0 of fewer than two."""
        return self._covariance(self.y, self.y, self.yy)

    def x_variance(self) -> float:
        """Variance of `x` between people; 0 of fewer than two."""
        return self._covariance(self.x, self.x, self.xx)

    def covariance(self) -> float:
        """Covariance of `x` and the outcome between people; 0 of fewer than two."""
        return self._covariance(self.x, self.y, self.xy)

    def _covariance(self, first: float, second: float, product: float) -> float:
        if self.people < 2:  # noqa: PLR2004 -- one person does not vary
            return 0.0
        return (product - first * second / self.people) / (self.people - 1)


@dataclass(frozen=True)
class Estimate:
    """A figure, how sure it is, and on how many people it rests.

    `variance` is that of the figure itself: its squared standard error.
    """

    value: float
    variance: float
    people: int


def mean(sums: Sums) -> Estimate | None:
    """The outcome per person; None of too few people."""
    if sums.people < FEWEST_PEOPLE:
        return None
    return Estimate(sums.y / sums.people, sums.y_variance() / sums.people, sums.people)


def ratio(sums: Sums) -> Estimate | None:
    """All outcomes over all of `x`, as failures over requests, by the delta method.

    None of too few people, or when `x` is 0.
    """
    if sums.people < FEWEST_PEOPLE or not sums.x:
        return None
    value = sums.y / sums.x
    spread = sums.y_variance() - 2 * value * sums.covariance() + value**2 * sums.x_variance()
    return Estimate(
        value, max(spread, 0.0) / (sums.x / sums.people) ** 2 / sums.people, sums.people
    )


def adjusted(control: Sums, challenger: Sums) -> tuple[Estimate | None, Estimate | None]:
    """The outcome per person of both arms, less what `x` (the time before) foretold of it: CUPED.

    One coefficient for both arms, so that the difference stays unbiased.
    """
    both = control + challenger
    before = both.x_variance()
    slope = both.covariance() / before if before else 0.0
    centre = both.x / both.people if both.people else 0.0
    return _adjusted(control, slope, centre), _adjusted(challenger, slope, centre)


def _adjusted(sums: Sums, slope: float, centre: float) -> Estimate | None:
    plain = mean(sums)
    if plain is None:
        return None
    value = plain.value - slope * (sums.x / sums.people - centre)
    spread = sums.y_variance() - 2 * slope * sums.covariance() + slope**2 * sums.x_variance()
    return Estimate(value, max(spread, 0.0) / sums.people, sums.people)


def means(control: Sums, challenger: Sums) -> tuple[Estimate, Estimate] | None:
    """The outcome per person of two arms to be compared, CUPED-adjusted; None of too few people.

    Neither is surer than `_no_surer_than_together` lets it be.
    """
    one, other = adjusted(control, challenger)
    both = control + challenger
    together, _ = adjusted(both, both)
    return _compared(one, other, together)


def ratios(control: Sums, challenger: Sums) -> tuple[Estimate, Estimate] | None:
    """The outcome per `x` of two arms to be compared; None of too few people or no `x`.

    Neither is surer than `_no_surer_than_together` lets it be.
    """
    return _compared(ratio(control), ratio(challenger), ratio(control + challenger))


def _compared(
    one: Estimate | None, other: Estimate | None, together: Estimate | None
) -> tuple[Estimate, Estimate] | None:
    if one is None or other is None or together is None:
        return None
    return _no_surer_than_together(one, together), _no_surer_than_together(other, together)


def _no_surer_than_together(arm: Estimate, together: Estimate) -> Estimate:
    """An arm's estimate, its variance at least what it is if both arms are alike.

    Of 50 people none may have done what one in 50 does: they do not vary, and an arm would be
    sure of 0 by what it lacks. Were the arms alike, its people would vary as all people do.
    """
    return replace(
        arm, variance=max(arm.variance, together.variance * together.people / arm.people)
    )


def over_strata(strata: Sequence[tuple[Estimate, Estimate]]) -> tuple[Estimate, Estimate] | None:
    """Control and challenger over several strata, each stratum weighted by its people.

    When the share changes, the people of before and after are of different days; counted
    together, an arm that grew would look like the days on which it grew. None of no strata.
    """
    if not strata:
        return None
    weights = [control.people + challenger.people for control, challenger in strata]
    return _weighted([one for one, _ in strata], weights), _weighted(
        [other for _, other in strata], weights
    )


def _weighted(estimates: Sequence[Estimate], weights: Sequence[int]) -> Estimate:
    total = sum(weights)
    shares = [weight / total for weight in weights]
    return Estimate(
        sum(share * one.value for share, one in zip(shares, estimates, strict=True)),
        sum(share**2 * one.variance for share, one in zip(shares, estimates, strict=True)),
        sum(one.people for one in estimates),
    )


def difference(control: Estimate, challenger: Estimate) -> Estimate:
    """How much more the challenger has than control, in the outcome's own unit."""
    return Estimate(
        challenger.value - control.value,
        control.variance + challenger.variance,
        control.people + challenger.people,
    )


def relative_lift(control: Estimate, challenger: Estimate) -> Estimate | None:
    """How much more the challenger has, as a share of control's (0.1 is 10 % more).

    By the delta method; None while control's figure is not clear of 0, where dividing by it
    would mean nothing.
    """
    if control.value <= CLEAR_OF_ZERO * control.variance**0.5:
        return None
    quotient = challenger.value / control.value
    variance = (challenger.variance + quotient**2 * control.variance) / control.value**2
    return Estimate(quotient - 1, variance, control.people + challenger.people)
