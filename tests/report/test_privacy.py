"""The report of the privacy officer."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import get_args

import pytest

from callanalytics.config import Config, project_root
from callanalytics.errors import ConfigError, StoreError
from callanalytics.privacy.ledger import Action, Ledger
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.privacy.rights import Rights
from callanalytics.records import DATASETS
from callanalytics.report.privacy import privacy_report
from callanalytics.store.datasets import Store
from callanalytics.texts import has_text
from tests.support.centre import (
    aged,
    changed,
    held,
    marked,
    opened,
)


@pytest.mark.parametrize(("lang", "words"), [("nl", "# Privacyrapport"), ("en", "# Privacy report")])
def test_the_report_says_what_is_processed_and_why(tmp_path: Path, config: Config, lang: str, words: str) -> None:
    store = aged(tmp_path)
    store.publish([marked(f"q{i}", queue="burgerzaken") for i in range(12)], "part-2")
    store.publish([marked("rare", queue="parkeren")], "part-3")
    Rights(store, config).erase("new", "op verzoek")
    store.close()
    full = changed(config, "privacy", legal_basis="AVG art. 6 lid 1 onder e").model_copy(update={"lang": lang})
    report = privacy_report(Store(tmp_path), full)
    assert report.startswith(words)
    assert "AVG art. 6 lid 1 onder e" in report
    assert "burgerzaken 12" in report
    assert "parkeren < 10" in report
    assert "whisper-base" in report
    assert "| 90 da" in report
    last = Ledger(Store(tmp_path).place, Pseudonyms(config.privacy)).entries()[-1].hash
    assert last in report
    assert "{{" not in report


def test_the_report_has_words_for_all_it_may_tell() -> None:
    manifest = tomllib.loads((project_root() / "models" / "manifest.toml").read_text())
    figures = tomllib.loads((project_root() / "models" / "figures.toml").read_text())["figure"]
    keys = {f"privacy_report.task_{model['task']}" for model in manifest.values()} | {
        f"privacy_report.data_{name}" for name in DATASETS
    }
    keys |= {f"privacy_report.figure_{figure['key']}" for figure in figures} | {
        f"cli.action_{action}" for action in get_args(Action)
    }
    assert all(map(has_text, keys))


def test_no_report_without_a_legal_basis(tmp_path: Path, config: Config) -> None:
    opened(tmp_path).close()
    with pytest.raises(ConfigError, match="legal_basis is empty"):
        privacy_report(Store(tmp_path), config)


def test_no_report_over_a_changed_ledger(tmp_path: Path, config: Config) -> None:
    told = held(tmp_path, config)
    told.write_text(told.read_text().replace("bezwaar", "beroep"))
    with pytest.raises(StoreError, match="not as it was written"):
        privacy_report(Store(tmp_path), changed(config, "privacy", legal_basis="AVG"))
