"""One JSON object for each line a service logs."""

import logging
from collections import deque

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LINES_KEPT = 200
JSON = structlog.processors.JSONRenderer()
_RECENT: deque[str] = deque(maxlen=LINES_KEPT)


def configure_logging(service: str) -> None:
    """Log as JSON to standard output, each line with the time in UTC and the service's name."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _name(service),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


def recent_lines() -> list[str]:
    """The last lines this process logged, oldest first."""
    return list(_RECENT)


def _rendered(logger: WrappedLogger, method: str, event: EventDict) -> str:
    line = str(JSON(logger, method, event))
    _RECENT.append(line)
    return line


def _name(service: str) -> Processor:
    """Name the service on every line; what is bound to a context would miss other threads'."""

    def name(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {"service": service, **event}

    return name
