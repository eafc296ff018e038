"""What Prometheus knows of backups."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge

from compose.backup.errors import BackupError
from compose.backup.folder import finished, read_manifest, size
from compose.service.due import next_run_gauge
from compose.service.schedule import next_due


class BackupMetrics:
    """The newest whole backup, as it lies on the disk, and how many could not be taken."""

    def __init__(
        self, registry: CollectorRegistry, schedule: str | None, clock: Callable[[], datetime]
    ) -> None:
        """Register the metrics; `schedule`: when backups come by themselves, None for never."""
        self._schedule, self._clock, self._started = schedule, clock, clock()
        self._next_run = next_run_gauge(registry)
        self._newest = Gauge(
            "marquee_backup_newest_timestamp_seconds",
            "The moment that the newest whole backup is of; 0 while there is none",
            registry=registry,
        )
        self._bytes = Gauge(
            "marquee_backup_newest_bytes", "Size of the newest whole backup", registry=registry
        )
        self._seconds = Gauge(
            "marquee_backup_newest_seconds",
            "How long the newest whole backup took",
            registry=registry,
        )
        self._kept = Gauge("marquee_backups_kept", "Whole backups on the disk", registry=registry)
        self.failures = Counter(
            "marquee_backup_failures", "Backups that could not be taken", registry=registry
        )
        Gauge(
            "marquee_backup_scheduled",
            "1 where backups are taken by themselves (BACKUP_CRON), else 0",
            registry=registry,
        ).set(schedule is not None)

    def show(self, backups: Path, project: str) -> None:
        """Look at what is there."""
        folders = finished(backups, project)
        self._kept.set(len(folders))
        newest = max(self._readable(folders), default=None)
        if newest:
            taken, folder, seconds = newest
            self._newest.set(taken.timestamp())
            self._bytes.set(size(folder))
            self._seconds.set(seconds)
        self._tell_next(newest[0] if newest else self._started)

    def _readable(self, folders: Sequence[Path]) -> Iterator[tuple[datetime, Path, float]]:
        """When each was taken, and in how many seconds; none that a wrong clock dated ahead."""
        for folder in folders:
            with suppress(BackupError):  # damaged, or of later code: said by `list`
                manifest = read_manifest(folder)
                taken = datetime.fromisoformat(manifest.taken_at)
                if taken <= self._clock():
                    yield taken, folder, manifest.seconds

    def _tell_next(self, last: datetime) -> None:
        if self._schedule:
            self._next_run.labels("backup").set(next_due(self._schedule, last).timestamp())
