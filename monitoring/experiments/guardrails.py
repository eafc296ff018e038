"""What a challenger must not do however well people like it; guardrails stop, never promote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitoring.experiments.confidence import ALPHA, interval
from monitoring.experiments.estimates import Sums, difference, over_strata, ratios

type Strata = Sequence[tuple[Sums, Sums]]
"""Control and challenger while the share was the same: `y` what happened, `x` the requests."""


@dataclass(frozen=True)
class Guardrail:
    """A figure, outcomes over requests, that may be only so much worse than control's."""

    figure: str
    words: str
    limit: float
    more_is_worse: bool = True

    def harm(self, strata: Strata, planned_people: int) -> str | None:
        """What is worse beyond the limit and beyond chance, in words; None if nothing is."""
        both = over_strata([pair for arms in strata if (pair := ratios(*arms))])
        if both is None:
            return None
        control, challenger = both
        found = interval(difference(*both), planned_people, ALPHA / len(GUARDRAILS))
        surely = found.low if self.more_is_worse else -found.high
        if surely <= self.limit:
            return None
        return (
            f"{self.words}: {challenger.value:.4g} against {control.value:.4g},"
            f" at least {surely:.2g} worse where {self.limit:g} is allowed"
        )


GUARDRAILS = (
    Guardrail("failed", "share of requests that failed", limit=0.01),
    Guardrail("seconds", "seconds to an answer, as the caller saw them", limit=0.05),
    Guardrail("empty", "share of answers without a movie", limit=0.01),
    Guardrail("personalised", "share of answers personalised", limit=0.05, more_is_worse=False),
)


def harms(figures: Mapping[str, Strata], planned_people: int) -> list[str]:
    """What is harmed, by the strata of each figure; mostly nothing."""
    found = (
        guardrail.harm(figures.get(guardrail.figure, ()), planned_people)
        for guardrail in GUARDRAILS
    )
    return [words for words in found if words]
