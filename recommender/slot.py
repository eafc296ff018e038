"""Which model this slot answers with: the assigned one, once it is verified and tested.

A model that is damaged, too new or unfit is refused, and the last good one stays.
"""

from datetime import datetime
from pathlib import Path

import structlog

from compose.service.assignment import assigned_version
from recommender.answers.self_test import self_test
from recommender.errors import UnfitModelError
from recommender.metrics import Metrics
from trainer.errors import VersionError
from trainer.versions.contents import ModelVersion
from trainer.versions.reader import read_version

LOG = structlog.get_logger()

RETRY_REFUSED_SECONDS = 30.0


class Slot:
    """The model that answers now; one thread replaces it, any thread reads `model`."""

    def __init__(self, models_dir: Path, assignment: Path, metrics: Metrics) -> None:
        self._versions = models_dir / "versions"
        self._assignment = assignment
        self._metrics = metrics
        self._retry_at = 0.0
        self.model: ModelVersion | None = None
        self.refused: str | None = None
        """The assigned version that was refused last; None once its assignment is over."""

    def follow(self, now: float) -> None:
        """Load the assigned version if it is not the one that answers.

        Args:
            now: seconds on a clock that only goes forward.

        Raises:
            AssignmentError: the assignment cannot be understood.
        """
        version = assigned_version(self._assignment)
        if version is None or (self.model is not None and version == self.model.name):
            self.refused = None
        elif version != self.refused or now >= self._retry_at:
            self._retry_at = now + RETRY_REFUSED_SECONDS
            self._load(version)

    def _load(self, version: str) -> None:
        try:
            model = read_version(self._versions / version)
            self_test(model)
        except (VersionError, UnfitModelError) as error:
            self._refuse(version, str(error))
        else:
            self._answer_with(model)

    def _refuse(self, version: str, why: str) -> None:
        self.refused = version
        self._metrics.model_refused.inc()
        staying = None if self.model is None else self.model.name
        LOG.error("model refused", version=version, why=why, staying_with=staying)

    def _answer_with(self, model: ModelVersion) -> None:
        self.model, self.refused = model, None
        self._metrics.model_loaded.clear()
        self._metrics.model_loaded.labels(model.name).set(1)
        LOG.info("model loaded", version=model.name)


def age_seconds(model: ModelVersion, now: datetime) -> float:
    """Time since the model's training ended."""
    return (now - datetime.fromisoformat(model.manifest.created_at)).total_seconds()


def offsets_trained_on(model: ModelVersion) -> dict[int, int]:
    """For each partition of the stream, the first offset that the model was not trained on."""
    return {int(partition): end for partition, end in model.manifest.data["offsets"].items()}
