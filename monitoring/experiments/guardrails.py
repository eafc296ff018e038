"""What a challenger must not do however well people like it; guardrails stop, never promote."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.experiments.confidence import ALPHA, interval
from monitoring.experiments.estimates import Sums, difference, ratio


@dataclass(frozen=True)
class Guardrail:
    """A figure, outcomes over requests, that may be only so much worse than control's."""

    figure: str
    words: str
    limit: float
    more_is_worse: bool = True

    def harm(self, control: Sums, challenger: Sums, planned_people: int) -> str | None:
        """What is worse beyond the limit and beyond chance, in words; None if nothing is."""
        pair = ratio(control), ratio(challenger)
        if pair[0] is None or pair[1] is None:
            return None
        found = interval(difference(pair[0], pair[1]), planned_people, ALPHA / len(GUARDRAILS))
        surely = found.low if self.more_is_worse else -found.high
        if surely <= self.limit:
            return None
        return (
            f"{self.words}: {pair[1].value:.4g} against {pair[0].value:.4g},"
            f" at least {surely:.2g} worse where {self.limit:g} is allowed"
        )


GUARDRAILS = (
    Guardrail("failed", "share of requests that failed", limit=0.01),
    Guardrail("seconds", "seconds to an answer, as the caller saw them", limit=0.05),
    Guardrail("empty", "share of answers without a movie", limit=0.01),
    Guardrail("personalised", "share of answers personalised", limit=0.05, more_is_worse=False),
)


def harms(
    control: Mapping[str, Sums], challenger: Mapping[str, Sums], planned_people: int
) -> list[str]:
    """What is harmed, by figure (`y` what happened, `x` the requests of a person); mostly none."""
    found = (
        guardrail.harm(control[guardrail.figure], challenger[guardrail.figure], planned_people)
        for guardrail in GUARDRAILS
        if guardrail.figure in control and guardrail.figure in challenger
    )
    return [words for words in found if words]
