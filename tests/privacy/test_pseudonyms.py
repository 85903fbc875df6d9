"""Erasure, terms, legal hold, what a citizen gets, the ledger, and the report of the privacy officer."""

from __future__ import annotations

import pytest

from callanalytics.config import Config, Privacy


@pytest.mark.parametrize(
    ("ref", "day", "may"),
    [("", "", False), ("OR-12", "", False), ("", "2026-09-01", False), ("OR-12", "2026-09-01", True),
     ("OR-12", "2999-01-01", False)],
)  # fmt: skip
def test_agents_are_told_apart_only_with_the_works_councils_consent(
    config: Config, ref: str, day: str, may: bool
) -> None:
    values = config.privacy.model_dump() | {"or_consent_ref": ref, "or_consent_date": day}
    assert Privacy.model_validate(values).agents_may_be_told_apart is may
