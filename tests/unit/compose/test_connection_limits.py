"""Sessions of PostgreSQL: nobody's own use of them keeps others out."""

import re
from pathlib import Path

from compose.secrets.inventory import ROLE_UIDS

ROOT = Path(__file__).parents[3]
LIMIT = re.compile(r"^ALTER ROLE (\w+) CONNECTION LIMIT (\d+);", re.MULTILINE)
SUPERUSERS = 3
"""PostgreSQL's own default of superuser_reserved_connections."""


def configured(name: str) -> int:
    text = (ROOT / "compose/images/postgres/postgresql.conf").read_text()
    return int(re.search(rf"^{name} = (\d+)", text, re.MULTILINE)[1])


def limits() -> dict[str, int]:
    text = (ROOT / "compose/migrate/connection_limits.sql").read_text()
    return {role: int(limit) for role, limit in LIMIT.findall(text)}


def test_every_role_has_a_limit():
    assert limits().keys() == ROLE_UIDS.keys()


def test_all_roles_can_have_all_their_sessions_at_once():
    assert sum(limits().values()) <= configured("max_connections") - SUPERUSERS


def test_people_have_theirs_while_every_service_has_all_of_its_own():
    of_services = sum(limits().values()) - limits()["analyst"]
    kept_back = SUPERUSERS + configured("reserved_connections")
    assert configured("max_connections") - kept_back - of_services >= limits()["analyst"]
