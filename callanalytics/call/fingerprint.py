"""The fingerprint of everything that can change a row of output."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from callanalytics import __version__
from callanalytics.config import Config, hash_of, project_root
from callanalytics.dutch.grammar import dutch_fingerprint
from callanalytics.dutch.lexicon import LEXICON_PATH
from callanalytics.files import sha256_of
from callanalytics.models import model_fingerprint
from callanalytics.privacy.pseudonyms import Pseudonyms


def fingerprint(config: Config) -> str:
    """Hash of all that can change a call's words and measures: settings, software, weights, small models, key.

    Needs no model in memory, so a run can tell at once what is left to do.
    """
    files = [
        *(path for name in ("roles", "names") for path in (project_root() / "models" / name).glob("*.skops")),
        *LEXICON_PATH.glob("*.txt"),
    ]
    return hash_of(
        __version__,
        config.fingerprint(),
        {name: model_fingerprint(name) for name in config.models.used},
        _hashes(files),
        dutch_fingerprint(config),
        Pseudonyms(config.privacy).fingerprint,
    )


def scoring_fingerprint(config: Config) -> str:
    """What can change the scores of words that stand: a hash per part, so that `rescore` can say which one changed.

    "card=1f0c22aa phrases=... models=... topics=... municipality=... dutch=..."
    """
    folder = config.resolve(config.scorecard.models)
    models = [*folder.glob("*.skops"), *folder.glob("*.json")] if config.scorecard.models else []
    settings = config.model_dump(mode="json", include={"scorecard", "topics", "municipality"})
    parts = {
        "card": hash_of(__version__, settings["scorecard"]),
        "phrases": hash_of(_hashes(config.resolve(config.scorecard.criteria).glob("*.toml"))),
        "models": hash_of(_hashes(models)),
        "topics": hash_of(
            settings["topics"],
            _hashes([config.resolve(config.topics.path), *(project_root() / "models" / "topics").glob("*.skops")]),
        ),
        "municipality": hash_of(settings["municipality"]),
        "dutch": hash_of(dutch_fingerprint(config)),
    }
    return " ".join(f"{name}={value[:8]}" for name, value in parts.items())


def _hashes(files: Iterable[Path]) -> dict[str, str]:
    return {file.name: sha256_of(file) for file in sorted(files)}
