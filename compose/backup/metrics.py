"""What Prometheus knows of backups."""

from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge

from compose.backup.folder import finished, read_manifest, size


class BackupMetrics:
    """The newest whole backup, as it lies on the disk, and how many could not be taken."""

    def __init__(self, registry: CollectorRegistry, *, scheduled: bool) -> None:
        """Register the metrics; `scheduled`: whether backups are taken by themselves."""
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
        ).set(scheduled)

    def show(self, backups: Path, project: str) -> None:
        """Look at what is there."""
        folders = finished(backups, project)
        self._kept.set(len(folders))
        if folders:
            manifest = read_manifest(folders[-1])
            self._newest.set(datetime.fromisoformat(manifest.taken_at).timestamp())
            self._bytes.set(size(folders[-1]))
            self._seconds.set(manifest.seconds)
