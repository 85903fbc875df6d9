"""The fingerprint of everything that can change a row of output, in two parts: the words, and the scores of words."""

from __future__ import annotations

import hashlib
import io
import tokenize
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from callanalytics.config import Config, hash_of, project_root
from callanalytics.dutch.grammar import dutch_fingerprint
from callanalytics.dutch.lexicon import LEXICON_PATH
from callanalytics.files import sha256_of
from callanalytics.models import model_fingerprint
from callanalytics.privacy.pseudonyms import Pseudonyms

PACKAGE = Path(__file__).resolve().parents[1]
WORDS_CODE = ("call", "dutch", "privacy/pseudonyms.py", "redaction", "records.py")
SCORES_CODE = ("dutch", "scoring")


def fingerprint(config: Config) -> str:
    """Return the hash of all that can change a call's words and measures.

    It covers settings, models, word lists and cues, the key, and the code from recording to redacted turns.  It loads
    no model, so a run can tell at once what is left to do.
    """
    files = [
        *(path for name in ("roles", "names") for path in (project_root() / "models" / name).glob("*.skops")),
        *LEXICON_PATH.glob("*.txt"),
        *config.resolve(config.redaction.cues).glob("*.toml"),
    ]
    return hash_of(
        config.fingerprint(),
        {name: model_fingerprint(name) for name in config.models.used},
        _hashes(files),
        hash_code(WORDS_CODE),
        dutch_fingerprint(config),
        Pseudonyms(config.privacy).fingerprint,
    )


def scoring_fingerprint(config: Config) -> str:
    """Return what can change the scores of stored words: a hash per part, so that `rescore` can name what changed.

    "card=1f0c22aa phrases=... models=... topics=... municipality=... dutch=... code=..."
    """
    folder = config.resolve(config.scorecard.models)
    models = [*folder.glob("*.skops"), *folder.glob("*.json")] if config.scorecard.models else []
    settings = config.model_dump(mode="json", include={"scorecard", "topics", "municipality"})
    topics = [config.resolve(config.topics.path), *(project_root() / "models" / "topics").glob("*.skops")]
    parts = {
        "card": hash_of(settings["scorecard"]),
        "phrases": hash_of(_hashes(config.resolve(config.scorecard.criteria).glob("*.toml"))),
        "models": hash_of(_hashes(models)),
        "topics": hash_of(settings["topics"], _hashes(topics)),
        "municipality": hash_of(settings["municipality"]),
        "dutch": hash_of(dutch_fingerprint(config)),
        "code": hash_code(SCORES_CODE),
    }
    return " ".join(f"{name}={value[:8]}" for name, value in parts.items())


@cache
def hash_code(places: tuple[str, ...]) -> str:
    """Return the hash of what modules do, and of the data files beside them.

    `places` are modules and folders of the package.  Comments, docstrings and layout do not count: a release that
    only explains itself better must not cost a municipality a year of recognition.
    """
    files = [path for place in places for path in ([PACKAGE / place] if "." in place else (PACKAGE / place).rglob("*"))]
    code = {
        path.relative_to(PACKAGE).as_posix(): bare_code(path.read_text("utf-8"))
        for path in files
        if path.suffix == ".py"
    }
    data = [path for path in files if path.suffix in (".toml", ".txt", ".sql")]
    return hash_of(code, _hashes(data))


def bare_code(source: str) -> str:
    """Return the hash of Python source without comments, docstrings and blank space within and between lines."""
    kept, begins_line = [], True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.NL):
            continue
        is_text_alone = begins_line and token.type == tokenize.STRING
        begins_line = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
        if not is_text_alone:
            kept.append("" if token.type == tokenize.INDENT else token.string)
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def _hashes(files: Iterable[Path]) -> dict[str, str]:
    return {file.name: sha256_of(file) for file in sorted(files)}
