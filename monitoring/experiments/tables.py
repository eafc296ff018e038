"""The tables of experiments: what was tried on whom, what they did, and what was seen when."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY

from ingest.tables import metadata

TIME = DateTime(timezone=True)


def _column(name: str, kind: Any, comment: str, **options: Any) -> Column[Any]:
    return Column(name, kind, comment=comment, **{"nullable": False, **options})


def _experiment_id() -> Column[Any]:
    return Column(
        "experiment_id",
        BigInteger,
        ForeignKey("experiment.experiment_id"),
        primary_key=True,
        autoincrement=False,
        comment="the experiment",
    )


def _user_id() -> Column[Any]:
    return _column("user_id", BigInteger, "the person", primary_key=True, autoincrement=False)


def _count(name: str, comment: str) -> Column[Any]:
    return _column(name, Integer, comment, server_default="0")


experiment = Table(
    "experiment",
    metadata,
    Column("experiment_id", BigInteger, Identity(), primary_key=True, comment="number"),
    _column("name", Text, "what is tried"),
    _column("control", Text, "model version that was live at the start"),
    _column("challenger", Text, "model version that is tried against it"),
    _column("challenger_slot", Text, "slot that holds the challenger; both, of interleaving"),
    _column("salt", Text, "with the seed, what the buckets were drawn by"),
    _column("seed", BigInteger, "random number of this experiment alone"),
    _column("horizon", Interval, "how long after a person's first answer what they do counts"),
    _column("margin", Double, "a smaller relative difference is none"),
    _column("largest_sample", Integer, "people at which it ends, decided or not"),
    _column("started_at", TIME, "start", server_default=func.now()),
    _column("ended_at", TIME, "end; null while it runs", nullable=True),
    _column("end_reason", Text, "why it ended", nullable=True),
    _column(
        "kind",
        Text,
        "ab: each arm gets one version; interleaving: the challenger's arm gets lists of both",
        server_default="ab",
    ),
    comment="Experiments: a random subset of buckets that gets another model",
)
experiment_stratum = Table(
    "experiment_stratum",
    metadata,
    _experiment_id(),
    _column("stratum", SmallInteger, "1, 2, …", primary_key=True, autoincrement=False),
    _column("share", SmallInteger, "buckets of 1,000 that get the challenger"),
    _column("buckets", ARRAY(SmallInteger), "which these are"),
    _column("begun_at", TIME, "since when; until the next begins", server_default=func.now()),
    comment="The shares an experiment had one after the other; people are compared within one",
)
experiment_offset = Table(
    "experiment_offset",
    metadata,
    _experiment_id(),
    _column(
        "log_partition", SmallInteger, "Kafka partition", primary_key=True, autoincrement=False
    ),
    _column("request_offset", BigInteger, "the next offset to look for requests at"),
    _column("watch_offset", BigInteger, "the next offset to look for watched minutes at"),
    _column("taken_until", TIME, "everything before it is reckoned with"),
    comment="How far the stream is reckoned with for an experiment",
)
experiment_person = Table(
    "experiment_person",
    metadata,
    _experiment_id(),
    _user_id(),
    _column("stratum", SmallInteger, "stratum in which they came"),
    _column("arm", Text, "by their bucket: control or challenger"),
    _column("entered_at", TIME, "their first request in the experiment"),
    _column("closes_at", TIME, "end of their time: that and the horizon"),
    _column("state", Text, "open; counted, once; or cut, when their time was cut short"),
    _count("movies_before", "different movies they watched in the week before the start"),
    _count("requests", "requests in their time"),
    _count("failed", "of these, how many failed"),
    _count("empty", "of these, how many were answered without a movie"),
    _column("response_ms", BigInteger, "milliseconds these took, together", server_default="0"),
    _count("receipts", "answers of a slot in their time"),
    _count("personalised", "of these, how many were made for them"),
    _count("watched", "recommended movies they watched in their time"),
    _count("minutes", "minutes of these, after they were recommended"),
    _count(
        "took_control",
        "of interleaved lists: movies they watched that only control would have shown",
    ),
    _count(
        "took_challenger",
        "of interleaved lists: movies they watched that only the challenger would have shown",
    ),
    _column(
        "stale",
        Boolean,
        "something of theirs came after it was passed: they are counted once more",
        server_default="false",
    ),
    comment="Everybody in an experiment and what they came to, counted once, when it is over",
)
Index(
    "experiment_person_open",
    experiment_person.c.experiment_id,
    experiment_person.c.closes_at,
    postgresql_where=experiment_person.c.state == "open",
)
Index(
    "experiment_person_stale",
    experiment_person.c.experiment_id,
    postgresql_where=experiment_person.c.stale,
)
experiment_movie = Table(
    "experiment_movie",
    metadata,
    _experiment_id(),
    _user_id(),
    _column("movie_id", Text, "a movie they were shown or watched", primary_key=True),
    _column("shown_at", TIME, "when it was first recommended; null if not", nullable=True),
    _column("watched_at", TIME, "when they last watched of it; null if not", nullable=True),
    _count("minutes", "minutes of it that they watched after it was recommended"),
    comment="What people whose time is not over were shown and watched in it",
)
experiment_look = Table(
    "experiment_look",
    metadata,
    _experiment_id(),
    _column("looked_at", TIME, "when", primary_key=True),
    _column("metric", Text, "what was compared", primary_key=True),
    _column(
        "control_people",
        Integer,
        "people counted in the control arm; of interleaving 0, as each compares both",
    ),
    _column("challenger_people", Integer, "people counted in the challenger's arm"),
    _column("control", Double, "figure of control", nullable=True),
    _column("challenger", Double, "figure of the challenger", nullable=True),
    _column(
        "value",
        Double,
        "how much more the challenger has, as a share; of interleaving the preference, -1 to 1",
        nullable=True,
    ),
    _column("low", Double, "lower end of the interval at all looks together", nullable=True),
    _column("high", Double, "upper end of the interval at all looks together", nullable=True),
    _column("verdict", Text, "of the metric that decides; null of others", nullable=True),
    _column("reason", Text, "why, in a sentence", nullable=True),
    comment="Each look at an experiment in which something had changed: the interval over time",
)
