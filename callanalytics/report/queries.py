"""The named queries of the report over the catalog (queries.sql), and the period that they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callanalytics.config import Config
from callanalytics.dutch.dates import is_working_day
from callanalytics.files import read_statements
from callanalytics.report.statistics import Rate

if TYPE_CHECKING:
    import duckdb

STATUS_TOPIC = "status_medewerker"  # of configs/topics.toml: calls that ask how a case stands
MET = "count(*) FILTER (status = 'met') AS hits, count(*) FILTER (status IN ('met', 'not_met')) AS n"
NONE = Rate(0, 0)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Period:
    """The days of the report, both included, and the day on which promises are judged."""

    first: date
    last: date
    today: date

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> date:
        """First day of the period of the same length before it."""
        return self.first - timedelta(days=self.days)


class Queries:
    """The named queries over an open catalog, in which the tables that they read are made first."""

    def __init__(self, sql: duckdb.DuckDBPyConnection, config: Config, period: Period) -> None:
        self._sql, norms = sql, config.norms
        self._fields = {
            "status": STATUS_TOPIC, "smallest": config.privacy.smallest_group, "answer_s": norms.answer_s, "met": MET,
            "transfers": norms.transfers, "callback_working_days": norms.callback_working_days,
        }  # fmt: skip
        sql.execute(
            "CREATE TEMP TABLE about AS SELECT ?::DATE AS before_day, ?::DATE AS first_day, ?::DATE AS last_day, "
            "?::DATE AS today",
            [period.before, period.first, period.last, period.today],
        )
        sql.execute("CREATE TEMP TABLE working_days (day DATE PRIMARY KEY, number INTEGER)")
        sql.execute(
            "INSERT INTO working_days SELECT unnest(?::DATE[]), unnest(?::INTEGER[])", list(_count_working_days(period))
        )
        for name, select in _statements().items():
            if name.endswith("_"):
                sql.execute(f"CREATE TEMP TABLE {name} AS {self._fill(select)}")

    def __call__(self, name: str) -> list[Row]:
        """Return the rows of a query by column name."""
        found = self._sql.execute(self._fill(_statements()[name]))
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def _fill(self, select: str) -> str:
        for name, value in self._fields.items():
            select = select.replace("{" + name + "}", str(value))
        return select


@cache
def _statements() -> dict[str, str]:
    return read_statements(Path(__file__).with_name("queries.sql"))


def _count_working_days(period: Period) -> tuple[list[date], list[int]]:
    """Every day from three years before the report to three years after it, numbered by the working days up to it."""
    first = period.first - timedelta(days=3 * 365)
    days = [first + timedelta(days=i) for i in range(6 * 365 + period.days)]
    return days, list(accumulate(map(int, map(is_working_day, days))))


def rate_of(row: Mapping[str, Any] | None) -> Rate:
    """Return the rate in the columns `hits` and `n`; an empty one without a row."""
    return Rate(row["hits"], row["n"]) if row else NONE
