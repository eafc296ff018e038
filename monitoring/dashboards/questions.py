"""Dashboards, one for each question that somebody who is woken asks."""

from monitoring.dashboards.changes import WHAT_CHANGED
from monitoring.dashboards.data import IS_THE_DATA_RIGHT
from monitoring.dashboards.fast import IS_IT_FAST
from monitoring.dashboards.quality import IS_THE_MODEL_GOOD
from monitoring.dashboards.told import IS_ANYBODY_TOLD
from monitoring.dashboards.up import IS_IT_UP

DASHBOARDS = (
    IS_IT_UP,
    IS_IT_FAST,
    IS_THE_DATA_RIGHT,
    IS_THE_MODEL_GOOD,
    WHAT_CHANGED,
    IS_ANYBODY_TOLD,
)
