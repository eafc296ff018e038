"""Renders the status page every few seconds into the folder from which Nginx serves it.

With the database away the last page is rendered again, with since when it is the last; what was
last known is kept beside the pages, so that a restart does not lose it. A file is replaced whole,
so whoever reads it reads one or the other.
"""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import psycopg
import structlog
from pydantic import TypeAdapter, ValidationError

from monitoring.errors import UnansweredError
from monitoring.page.content import Content, LiveFigures
from monitoring.page.database import read_content
from monitoring.page.operations import OPERATIONS, operations_page
from monitoring.page.prometheus import read_figures
from monitoring.page.rendering import render
from monitoring.settings import Settings

LOG = structlog.get_logger()
NAME = "status.html"
OPERATIONS_NAME = "operations.html"
LAST_KNOWN_NAME = "last_known.json"
AS_JSON = TypeAdapter(Content)


@dataclass
class Publisher:
    """Where pages go, and what the last one said."""

    settings: Settings
    last: Content | None = field(default=None, init=False)
    unreadable_since: datetime | None = field(default=None, init=False)

    def publish(self, now: datetime) -> None:
        """Render what is known now, or was last; where nothing ever was, there is no page.

        Raises:
            OSError: the page cannot be written.
        """
        content = self._content(now)
        if content is not None:
            page = render(content, self.unreadable_since, self.settings.what_to_do)
            replace_file(self.settings.page_folder / NAME, page.encode())

    def _content(self, now: datetime) -> Content | None:
        try:
            with psycopg.connect(self.settings.conninfo(), autocommit=True) as connection:
                self.last = read_content(connection, self._figures(now), now)
            self.unreadable_since = None
            replace_file(self._last_known, AS_JSON.dump_json(self.last))
        except psycopg.Error as error:
            if self.unreadable_since is None:
                LOG.warning("the status page keeps what it last knew", error=str(error).strip())
                self.unreadable_since = now
            self.last = self.last or self._before_the_start()
        return self.last

    @property
    def _last_known(self) -> Path:
        return self.settings.page_root / LAST_KNOWN_NAME  # not where a page is served from

    def _before_the_start(self) -> Content | None:
        """What was known when this service was stopped; None of one that never knew anything."""
        try:
            return AS_JSON.validate_json(self._last_known.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            LOG.warning("the status page cannot read what it last knew", errors=error.error_count())
            return None

    def _figures(self, now: datetime) -> LiveFigures | None:
        try:
            return read_figures(self.settings.prometheus_url, now)
        except UnansweredError:
            return None  # the page says so


def publish_forever(publisher: Publisher, stop: Event, every_seconds: float) -> None:
    """Publish every so many seconds until `stop`."""
    while not stop.wait(every_seconds):
        publish_or_log(publisher, datetime.now(UTC))


def publish_or_log(publisher: Publisher, now: datetime) -> None:
    """Publish; what fails is logged, and tried again when there is something to publish next."""
    try:
        publisher.publish(now)
    except Exception:
        LOG.exception("the status page could not be published")


def replace_file(target: Path, content: bytes) -> None:
    """Write a file, whole."""
    partial = target.with_name(f".{target.name}.partial")
    partial.write_bytes(content)
    partial.replace(target)


def prepare(settings: Settings) -> None:
    """Make the folder with what to do when, and take away what an earlier setting put elsewhere."""
    for folder in settings.page_root.glob("*/"):
        if folder != settings.page_folder:
            shutil.rmtree(folder)
    settings.page_folder.mkdir(parents=True, exist_ok=True)
    page = operations_page(OPERATIONS.read_text())
    replace_file(settings.page_folder / OPERATIONS_NAME, page.encode())
