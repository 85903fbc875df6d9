"""One fingerprint that changes whenever a row could change, and only then."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from callanalytics.call import fingerprint as module
from callanalytics.call.fingerprint import bare_code, fingerprint, hash_code, scoring_fingerprint
from callanalytics.config import Config
from tests.support.paths import PACKAGE

SOURCE = '''"""What it is."""
import re  # for words


def find(text: str) -> bool:
    """Return whether."""
    # why
    return bool(re.search("a  b", text))
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# why\n", "# because\n    # of that\n"),
        ("Return whether.", "Tell if."),
        ("What it is.", "Else."),
        ("\n\n\n", "\n\n"),
    ],
)
def test_words_about_code_change_nothing(old: str, new: str) -> None:
    assert SOURCE.replace(old, new) != SOURCE
    assert bare_code(SOURCE.replace(old, new)) == bare_code(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"), [("search", "match"), ("a  b", "a b"), ("a  b", "#why"), ("bool(", "not bool("), ("text:", "said:")]
)
def test_what_code_does_changes_it(old: str, new: str) -> None:
    assert bare_code(SOURCE.replace(old, new)) != bare_code(SOURCE)


def test_a_block_that_ends_elsewhere_is_other_code() -> None:
    inside = "if a:\n    b()\n    c()\n"
    assert bare_code(inside) != bare_code("if a:\n    b()\nc()\n")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package's code that a test may change."""
    copy = tmp_path / "callanalytics"
    for place in {*module.WORDS_CODE, *module.SCORES_CODE}:
        if (PACKAGE / place).is_dir():
            shutil.copytree(PACKAGE / place, copy / place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (copy / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PACKAGE / place, copy / place)
    monkeypatch.setattr(module, "PACKAGE", copy)
    monkeypatch.setattr(module, "hash_code", hash_code.__wrapped__)
    return copy


@pytest.mark.parametrize(
    ("changed", "words", "scores"),
    [("redaction/long_numbers.py", True, False), ("scoring/promises.py", False, True), ("dutch/numbers.py", True, True),
     ("call/turns.py", True, False), ("dutch/lexicon/common.txt", True, True)],
)  # fmt: skip
def test_a_changed_rule_is_a_changed_fingerprint(
    package: Path, config: Config, changed: str, words: bool, scores: bool
) -> None:
    before = fingerprint(config), scoring_fingerprint(config)
    with (package / changed).open("a") as file:
        file.write("\nADDED = 1\n" if changed.endswith(".py") else "\nnieuwwoord\n")
    assert (fingerprint(config) != before[0], scoring_fingerprint(config) != before[1]) == (words, scores)


def test_a_changed_cue_is_a_changed_fingerprint(config: Config, tmp_path: Path) -> None:
    folder = tmp_path / "cues"
    shutil.copytree(config.resolve(config.redaction.cues), folder)
    here = config.model_copy(update={"redaction": config.redaction.model_copy(update={"cues": str(folder)})})
    before = fingerprint(here)
    assert fingerprint(here) == before
    file = next(folder.glob("*.toml"))
    file.write_text(file.read_text() + "\n# more\n")
    assert fingerprint(here) != before
