"""What the slots of an experiment say while it runs, and when that ends it.

A challenger whose answers fail looks well to people, since Nginx asks the other slot again: only
its slot's own figures tell. And an experiment never outlives its slots.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx

from ci.release.experiments import BOTH_SLOTS, Running
from ci.release.plan import (
    LATENCY_REQUESTS,
    Bounds,
    Observed,
    Readiness,
    ReleaseVerdict,
    finding_of,
)
from ci.release.slots import figures, readiness
from ci.settings import Settings
from ci.slots.state import Slot
from ci.slots.traffic import SlotFigures, Traffic
from monitoring.experiments.verdict import Word

MISSED_LOOKS = 6
"""So many looks in a row a slot may say nothing, or something else: a busy one is no dead one."""
RECENT_LOOKS = 60
"""After so many a new stretch begins: who failed nobody for days is judged by what they do now."""

OUTLIVED = "an experiment does not outlive its slots"


@dataclass(frozen=True)
class Ending:
    """Why an experiment is to end now."""

    reason: str
    harm: str | None = None
    """What the challenger does to people, where that is why: a verdict, and no accident."""


@dataclass(frozen=True)
class SlotSays:
    """What a slot said of itself at one look."""

    readiness: Readiness
    figures: SlotFigures


def ask_slots(client: httpx.Client, settings: Settings) -> dict[Slot, SlotSays]:
    """Ask both slots; what does not answer is among it, as what it is."""
    urls = {slot: settings.url(slot) for slot in Slot}
    return {
        slot: SlotSays(readiness(client, url), figures(client, url)) for slot, url in urls.items()
    }


class Watch:
    """One experiment, look by look."""

    def __init__(self, experiment: Running) -> None:
        self._experiment = experiment
        self._missed: Counter[Slot] = Counter()
        self._stretches: list[dict[Slot, Traffic]] = []
        """What both had counted when it was first looked at, and when the newest stretch began."""
        self._looks = 0

    @property
    def experiment_id(self) -> int:
        """Which experiment it is."""
        return self._experiment.experiment_id

    def look(self, said: Mapping[Slot, SlotSays], bounds: Bounds) -> Ending | None:
        """Why the experiment is to end, by what its slots say now; None while it may go on."""
        for slot in Slot:
            if lost := self._lost(slot, said[slot]):
                return Ending(lost)
        counted = {slot: says.figures.traffic for slot, says in said.items()}
        harm = next(self._harms(counted, bounds), None)
        self._count(counted)
        return Ending(f"{Word.STOP}: {harm}", harm) if harm else None

    def _lost(self, slot: Slot, says: SlotSays) -> str | None:
        """Why the slot is no longer the one that the experiment began with; None if it is."""
        begun = says.figures.started_at
        if begun and begun > self._experiment.started_at:
            return f"{slot} was started anew at {begun:%H:%M:%S} UTC, and {OUTLIVED}"
        missing = _missing(self._experiment, slot, says)
        self._missed[slot] = self._missed[slot] + 1 if missing else 0
        if self._missed[slot] >= MISSED_LOOKS:
            return f"{slot}: {missing}, and {OUTLIVED}"
        return None

    def _harms(self, counted: Mapping[Slot, Traffic | None], bounds: Bounds) -> Iterator[str]:
        """What the challenger's answers do, since the first look and in the newest stretch.

        Where lists are interleaved both slots answer with both, and people's figures tell.
        """
        if self._experiment.challenger_slot == BOTH_SLOTS:
            return
        new = Slot(self._experiment.challenger_slot)
        for place, before in enumerate(self._stretches):
            seen = [Observed.of(slot, counted[slot], before.get(slot)) for slot in (new, new.other)]
            finding = finding_of(seen[0], seen[1], bounds)
            enough = place == 0 or seen[0].since.requests >= LATENCY_REQUESTS
            if enough and finding.verdict is ReleaseVerdict.STOP:
                yield finding.words

    def _count(self, counted: Mapping[Slot, Traffic | None]) -> None:
        known = {slot: traffic for slot, traffic in counted.items() if traffic}
        if len(known) < len(counted):
            return  # a stretch begins when both can be read
        if self._looks % RECENT_LOOKS == 0:
            self._stretches = [*self._stretches[:1], known]
        self._looks += 1


def _missing(experiment: Running, slot: Slot, says: SlotSays) -> str | None:
    """Why the slot does not answer as it should in this experiment; None if it does."""
    if experiment.challenger_slot == BOTH_SLOTS:
        missing = says.readiness.missing(experiment.control, experiment.challenger)
    elif slot == experiment.challenger_slot:
        missing = says.readiness.missing(experiment.challenger)
    else:
        missing = says.readiness.missing(experiment.control)
    return missing or (None if says.figures.traffic else "its metrics cannot be read")
