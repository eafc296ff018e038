"""The figures of online evaluation as Prometheus reads them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Gauge

from compose.service.due import next_run_gauge
from compose.service.schedule import next_due
from monitoring.evaluation.evaluation_pass import Pass
from monitoring.evaluation.figures import OnlineFigure
from monitoring.experiments.summaries import Summary

LABELS = ("model_version", "arm", "reason", "segment", "metric")


class Exporter:
    """Gauges in one registry; they stay what they were until the next pass."""

    def __init__(
        self, registry: CollectorRegistry, clock: Callable[[], float], schedule: str
    ) -> None:
        """Register the gauges; `clock` gives the seconds since 1970, `schedule` a cron."""
        self._registry = registry
        self._clock = clock
        self._value = Gauge(
            "marquee_online_metric",
            "The newest figure from what people did after a model version's answers",
            LABELS,
            registry=registry,
        )
        self._bound = Gauge(
            "marquee_online_metric_bound",
            "The ends (low, high) of that figure's 95 % interval",
            [*LABELS, "bound"],
            registry=registry,
        )
        self._samples = Gauge(
            "marquee_online_metric_samples",
            "How many answers, ratings or requests that figure rests on",
            LABELS,
            registry=registry,
        )
        self._too_late = Gauge(
            "marquee_evaluation_too_late_rows",
            "Rows so far that came too late to be judged",
            ["kind"],
            registry=registry,
        )
        self._lift = Gauge(
            "marquee_experiment_lift",
            "How much more people of the challenger's watched something recommended, as a share, or"
            " of interleaving the preference; and the ends (low, high) of its interval",
            ["experiment", "challenger", "bound"],
            registry=registry,
        )
        self._experiment_people = Gauge(
            "marquee_experiment_people",
            "People whose time in the experiment is over",
            ["experiment", "challenger"],
            registry=registry,
        )
        self._watermark = self._gauge(
            "marquee_evaluation_watermark_timestamp_seconds",
            "First answer time that is not judged yet",
        )
        self._closed = self._gauge(
            "marquee_evaluation_closed_timestamp_seconds",
            "First answer time whose figures may still change",
        )
        self._lag = self._gauge(
            "marquee_evaluation_watermark_lag_seconds",
            "How long ago the first answer was given that is not judged yet",
        )
        self._last_pass = self._gauge(
            "marquee_evaluation_last_pass_timestamp_seconds", "When the last pass ended well"
        )
        self._schedule = schedule
        self._next_run = next_run_gauge(registry).labels("evaluate")
        self._tell_next()

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, registry=self._registry)

    def passed(
        self, done: Pass, figures: Iterable[OnlineFigure], too_late: Mapping[str, int]
    ) -> None:
        """Show what a pass that ended well found."""
        self._show(figures)
        for kind, rows in too_late.items():
            self._too_late.labels(kind).set(rows)
        self._watermark.set(done.judged_until.timestamp())
        self._closed.set(done.closed_until.timestamp())
        self._lag.set_function(lambda: self._clock() - done.judged_until.timestamp())
        self._last_pass.set(self._clock())
        self._tell_next()

    def _tell_next(self) -> None:
        now = datetime.fromtimestamp(self._clock(), UTC)
        self._next_run.set(next_due(self._schedule, now).timestamp())

    def looked_at(self, experiments: Iterable[Summary]) -> None:
        """Show what the experiments that run say so far; those that ended go."""
        self._lift.clear()
        self._experiment_people.clear()
        for one in experiments:
            labels = (str(one.experiment_id), one.challenger)
            self._experiment_people.labels(*labels).set(one.people or 0)
            for bound in ("low", "value", "high"):
                if (value := getattr(one, bound)) is not None:
                    self._lift.labels(*labels, bound).set(value)

    def _show(self, figures: Iterable[OnlineFigure]) -> None:
        for gauge in (self._value, self._bound, self._samples):
            gauge.clear()
        for figure in figures:
            labels = (*astuple(figure.group), figure.metric)
            self._value.labels(*labels).set(figure.value)
            self._samples.labels(*labels).set(figure.samples)
            for bound, value in (("low", figure.low), ("high", figure.high)):
                if value is not None:
                    self._bound.labels(*labels, bound).set(value)
