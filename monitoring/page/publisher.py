"""Renders the status page every few seconds into the folder from which Nginx serves it.

With the database away the last page is rendered again, with since when it is the last; a
file is replaced whole, so whoever reads it reads one or the other.
"""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import psycopg
import structlog

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


@dataclass
class Publisher:
    """Where pages go, and what the last one said."""

    settings: Settings
    last: Content | None = field(default=None, init=False)
    unreadable_since: datetime | None = field(default=None, init=False)

    def publish(self, now: datetime) -> None:
        """Render what is known now; where nothing ever was, leave the folder as it is.

        Raises:
            OSError: the page cannot be written.
        """
        content = self._content(now)
        if content is not None:
            page = render(content, self.unreadable_since)
            replace_page(self.settings.page_folder / NAME, page)

    def _content(self, now: datetime) -> Content | None:
        try:
            with psycopg.connect(self.settings.conninfo(), autocommit=True) as connection:
                self.last = read_content(connection, self._figures(now), now)
            self.unreadable_since = None
        except psycopg.Error as error:
            if self.unreadable_since is None:
                LOG.warning("the status page keeps what it last knew", error=str(error).strip())
                self.unreadable_since = now
        return self.last

    def _figures(self, now: datetime) -> LiveFigures | None:
        try:
            return read_figures(self.settings.prometheus_url, now)
        except UnansweredError:
            return None  # the page says so


def publish_forever(publisher: Publisher, stop: Event, every_seconds: float) -> None:
    """Publish every so many seconds until `stop`; what fails is logged and tried again."""
    while not stop.wait(every_seconds):
        try:
            publisher.publish(datetime.now(UTC))
        except Exception:
            LOG.exception("the status page could not be published")


def replace_page(target: Path, page: str) -> None:
    """Write a page, whole."""
    partial = target.with_name(f".{target.name}.partial")
    partial.write_text(page)
    partial.replace(target)


def prepare(settings: Settings) -> None:
    """Make the folder with what to do when, and take away what an earlier setting put elsewhere."""
    for folder in settings.page_root.glob("*/"):
        if folder != settings.page_folder:
            shutil.rmtree(folder)
    settings.page_folder.mkdir(parents=True, exist_ok=True)
    page = operations_page(OPERATIONS.read_text())
    replace_page(settings.page_folder / OPERATIONS_NAME, page)
