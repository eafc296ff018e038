"""How every service reaches PostgreSQL: one settings class, one connection string."""

from pathlib import Path

from psycopg.conninfo import make_conninfo
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    """Where the database is and who connects; read from the environment.

    The password is in a passfile, which libpq reads each time it connects: it stands in no
    environment or connection string, and a new one is used without a restart.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_host: str = "postgres"
    database_port: int = 5432
    database_name: str = "marquee"
    database_user: str
    database_passfile: Path
    heartbeat_file: Path = Field(
        default=Path("/tmp/heartbeat"),  # noqa: S108 -- a container's own tmpfs
        description="Touched while the service's main loop turns; its health check reads the age.",
    )
    metrics_port: int = 9000

    def conninfo(self) -> str:
        """A libpq connection string, without a secret in it."""
        return make_conninfo(
            host=self.database_host,
            port=self.database_port,
            dbname=self.database_name,
            user=self.database_user,
            passfile=str(self.database_passfile),
            application_name=self.database_user,
            connect_timeout=5,
        )
