"""Which secrets there are, who reads each, and how each is first made."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

ROLE_UIDS = {
    "ingest": 10101,
    "retention": 10102,
    "trainer": 10103,
    "recommender": 10104,
    "evaluation": 10105,
    "releaser": 10106,
    "exporter": 10109,
    "backup": 0,
    "analyst": 0,
    "scheduler": 1000,
}
"""Database roles and the user id of who logs in with each; analyst: people, scheduler: Jenkins."""

BACKUP_UID, MIGRATE_UID, POSTGRES_UID = ROLE_UIDS["backup"], 10108, 999
ALERTMANAGER_UID, GRAFANA_UID = 65534, 472
JENKINS_UID, HELPER_UID = ROLE_UIDS["scheduler"], 10110
OWNER = "postgres"
"""The password of the database's owner: the server reads it, and `migrate` logs in with it."""
OPTIONAL = {"slack": "http://slack.invalid/not-set", "watchdog": "http://watchdog.invalid/not-set"}
"""Addresses that only a person knows, and what stands for each until it is set: Slack's webhook
for alerts, and whoever raises the alarm when Alertmanager no longer says that all is well."""
HELPER = "helper"
"""What Jenkins shows to be obeyed by its helper, who has the hash of it alone."""
BUILD_SECRETS = ("apt_sources", "apt_conf", "ca_bundle", "pip_conf", "maven_settings")
"""How this host reaches its package mirrors, for images that the helper builds."""
REGISTRY = "registry"
"""A Docker configuration with the login to IMAGE_REGISTRY, for the helper, who pushes and pulls."""
BROKER_SECRETS = ("kafka", "kafka-ca", "kafka-certificate", "kafka-key")
"""What another broker than ours may ask for: password, its authority, our certificate and key."""

VOLUME_OWNERS = {
    "models": ROLE_UIDS["trainer"],
    "state": ROLE_UIDS["releaser"],
    "page": ROLE_UIDS["evaluation"],
    "receipts-blue": ROLE_UIDS["recommender"],
    "receipts-green": ROLE_UIDS["recommender"],
}
"""Volumes that services share, and the user id of each one's only writer."""


@dataclass(frozen=True)
class Secret:
    """A file on the secrets volume: its name, who may read it, and how it is first made."""

    name: str
    uid: int
    make: Callable[[], str]


def new_password() -> str:
    """192 random bits, URL-safe."""
    return secrets.token_urlsafe(24)


SECRETS = (
    Secret(OWNER, POSTGRES_UID, new_password),
    *(Secret(role, uid, new_password) for role, uid in ROLE_UIDS.items()),
    *(Secret(name, ALERTMANAGER_UID, partial(str, unset)) for name, unset in OPTIONAL.items()),
    Secret("settings", BACKUP_UID, str),  # what .env says, so that a backup has it, too
    *(Secret(name, ROLE_UIDS["ingest"], str) for name in BROKER_SECRETS),
    Secret("grafana", GRAFANA_UID, new_password),
    Secret("jenkins", JENKINS_UID, new_password),
    Secret(HELPER, JENKINS_UID, new_password),
    Secret("helper-settings", HELPER_UID, str),  # what .env says, so that it drives this stack
    *(Secret(name, HELPER_UID, str) for name in BUILD_SECRETS),
    Secret(REGISTRY, HELPER_UID, lambda: "{}"),
)
"""Every secret that does not depend on another one."""

UIDS = {secret.name: secret.uid for secret in SECRETS}
PASSFILE_READERS = {OWNER: ("migrate", MIGRATE_UID)} | {
    role: (role, uid) for role, uid in ROLE_UIDS.items()
}
"""For each database password: whose passfile holds it, and that one's user id."""
