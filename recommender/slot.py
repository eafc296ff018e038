"""Which model this slot answers with: the assigned one, once it is verified and tested.

A model that is damaged, too new or unfit is refused, and the last good one stays. While lists
are interleaved, a second one is held beside it, by the same rules.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import structlog

from compose.service.assignment import Interleaved, read_assignment
from recommender.answers.self_test import self_test
from recommender.errors import UnfitModelError
from recommender.metrics import Metrics
from trainer.errors import VersionError
from trainer.versions.contents import ModelVersion
from trainer.versions.reader import read_version

LOG = structlog.get_logger()

RETRY_REFUSED_SECONDS = 30.0


class Interleaving(NamedTuple):
    """The second version, and whose lists are drafted from both; never changed, only replaced."""

    challenger: ModelVersion
    buckets: frozenset[int]

    def challenger_of(self, bucket: int) -> ModelVersion | None:
        """The second version, for somebody in one of these buckets."""
        return self.challenger if bucket in self.buckets else None


class Slot:
    """The model that answers now; one thread replaces it, any thread reads `model`."""

    def __init__(self, models_dir: Path, assignment: Path, metrics: Metrics) -> None:
        self._versions = models_dir / "versions"
        self._assignment = assignment
        self._metrics = metrics
        self._retry_at = 0.0
        self.model: ModelVersion | None = None
        self.interleaving: Interleaving | None = None
        self.refused: str | None = None
        """The assigned version that was refused last; None once its assignment is over."""

    def follow(self, now: float) -> None:
        """Load the assigned version if it is not the one that answers, then the one beside it.

        Args:
            now: seconds on a clock that only goes forward.

        Raises:
            AssignmentError: the assignment cannot be understood.
        """
        told = read_assignment(self._assignment)
        beside = told.interleaved if told else None
        if beside is None or self._interleaved_with() != beside.version:
            self.interleaving = None
        if told and (self.model is None or told.version != self.model.name):
            self._follow_version(told.version, now, self._answer_with)
        elif beside and self.interleaving is None:
            self._follow_version(beside.version, now, partial(self._interleave, beside))
        else:
            self.refused = None
            if beside and self.interleaving and self.interleaving.buckets != beside.buckets:
                self.interleaving = self.interleaving._replace(buckets=beside.buckets)

    def _interleaved_with(self) -> str | None:
        return self.interleaving.challenger.name if self.interleaving else None

    def _follow_version(
        self, version: str, now: float, take: Callable[[ModelVersion], None]
    ) -> None:
        """Load a version, unless it was refused a moment ago."""
        if version != self.refused or now >= self._retry_at:
            self._retry_at = now + RETRY_REFUSED_SECONDS
            self._load(version, take)

    def _load(self, version: str, take: Callable[[ModelVersion], None]) -> None:
        try:
            model = read_version(self._versions / version)
            self_test(model)
        except (VersionError, UnfitModelError) as error:
            self._refuse(version, str(error))
        else:
            self.refused = None
            take(model)

    def _refuse(self, version: str, why: str) -> None:
        self.refused = version
        self._metrics.model_refused.inc()
        staying = None if self.model is None else self.model.name
        LOG.error("model refused", version=version, why=why, staying_with=staying)

    def _answer_with(self, model: ModelVersion) -> None:
        self.model, self.interleaving = model, None
        self._metrics.model_loaded.clear()
        self._metrics.model_loaded.labels(model.name).set(1)
        LOG.info("model loaded", version=model.name)

    def _interleave(self, told: Interleaved, challenger: ModelVersion) -> None:
        self.interleaving = Interleaving(challenger, told.buckets)
        LOG.info("lists are interleaved", version=challenger.name, buckets=len(told.buckets))


def age_seconds(model: ModelVersion, now: datetime) -> float:
    """Time since the model's training ended."""
    return (now - datetime.fromisoformat(model.manifest.created_at)).total_seconds()


def offsets_trained_on(model: ModelVersion) -> dict[int, int]:
    """For each partition of the stream, the first offset that the model was not trained on."""
    return {int(partition): end for partition, end in model.manifest.data["offsets"].items()}
