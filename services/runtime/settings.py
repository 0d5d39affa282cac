"""Everything a process is told from outside: environment variables, read once into one frozen object."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.failpoints import Failpoints

_SERVER = re.compile(r"([^\s:]+|\[[\da-fA-F:]+\]):(\d{1,5})")


class SettingsError(Exception):
    """A setting is missing or makes no sense; the text names the variable and what it should be."""


def _servers(text: str) -> str:
    for server in text.split(","):
        found = _SERVER.fullmatch(server)
        if found is None or not 0 < int(found[2]) < 65_536:
            raise ValueError(f"{server!r} is not host:port")
    return text


def _sane_failpoints(text: str) -> str:
    Failpoints.parse(text)
    return text


class Settings(BaseSettings):
    """The settings of a process. Each is the variable `OPENITEM_<NAME>`; an unset one has the default."""

    model_config = SettingsConfigDict(env_prefix="OPENITEM_", frozen=True, extra="ignore")

    kafka: Annotated[str, AfterValidator(_servers)] = Field(
        "127.0.0.1:9092", description="bootstrap servers, host:port,..."
    )
    lanes: int = Field(24, ge=1, le=1024, description="partitions of every topic; fixed for a cluster's life")
    replication: int = Field(1, ge=1, le=7, description="replicas of each topic when topics are made")
    invoicing_dsn: str = Field("", description="PostgreSQL of invoicing, postgresql://...")
    payments_dsn: str = Field("", description="PostgreSQL of payments")
    ledger_dsn: str = Field("", description="PostgreSQL of the ledger")
    reporting_dsn: str = Field("", description="PostgreSQL of reporting")
    migrate_dsn: str = Field("", description="PostgreSQL as the owner of all schemas, for migrations only")
    group_prefix: str = Field("openitem", min_length=1, description="consumer groups are <prefix>-<service>")
    batch_records: int = Field(2000, ge=1, le=20_000, description="most records in one transaction")
    poll_ms: int = Field(20, ge=1, le=5000, description="longest wait for records, and latency when idle")
    session_timeout_ms: int = Field(
        10_000, ge=1000, le=300_000, description="a silent worker loses its lanes"
    )
    idle_transaction_seconds: int = Field(
        15, ge=1, le=600, description="a worker paused in a transaction loses its locks"
    )
    health_host: str = Field("127.0.0.1", description="address of /livez, /readyz and /metrics")
    health_port: int = Field(0, ge=0, le=65535, description="their port; 0 picks a free one")
    http_host: str = Field("127.0.0.1", description="address of the HTTP API and the web console")
    http_port: int = Field(8642, ge=0, le=65535, description="their port")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level logged")
    failpoints: Annotated[str, AfterValidator(_sane_failpoints)] = Field("", description="see failpoints.py")

    def dsn(self, service: str) -> str:
        """Give a service's DSN. Raises SettingsError when it is not set."""
        dsn: str = getattr(self, f"{service}_dsn")
        if not dsn.startswith(("postgresql://", "postgres://")):
            raise SettingsError(
                f"OPENITEM_{service.upper()}_DSN: set it to postgresql://user:password@host:port/database"
            )
        return dsn


def read_settings(**overrides: object) -> Settings:
    """Read the environment. Raises SettingsError that names every wrong variable at once."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # validated by pydantic, not by mypy
    except ValidationError as error:
        lines = [
            f"OPENITEM_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']} (is {e['input']!r})"
            for e in error.errors()
        ]
        raise SettingsError("\n".join(lines)) from None
