"""Texts by key: every key used exists in both languages, and none is left over."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from callanalytics.cli.main import main
from callanalytics.config import Config
from callanalytics.engine import batch as engine
from callanalytics.errors import CallAnalyticsError, CallError, ConfigError, InputError, ModelRefused, ModelUnreachable
from callanalytics.store.bucket import SIGNS
from callanalytics.store.datasets import Store
from callanalytics.texts import FOLDER, Message, say, texts_of
from tests.support.fakes import ScriptedWorker, Watcher
from tests.support.paths import PACKAGE

ROOMS = sorted(path.stem for path in FOLDER.glob("*.toml"))
KEYS = [f"{room}.{name}" for room in ROOMS for name in texts_of(room)]
# Rooms whose pages leave the name of the room out: say("nav_plan") in a template of review is "review.nav_plan".
OWN_ROOM = {"review": "review", "report": "report", "cli": "cli"}


def literals() -> Iterator[tuple[Path, str, bool]]:
    """Every string of the package, and whether it is only the beginning of a key, as in f"cli.state_{...}"."""
    for path in PACKAGE.rglob("*.py"):
        parts: set[int] = set()  # what belongs to a string that goes on is no string of its own
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                parts.add(id(node.values[0]))
                yield path, str(node.values[0].value), True
            elif isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant):
                parts.add(id(node.left))
                yield path, str(node.left.value), True
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
                yield path, node.value, False
    for path in (*PACKAGE.rglob("*.html"), *PACKAGE.rglob("*.js"), *PACKAGE.glob("report/templates/*.md")):
        for text, joined in re.findall(r"""["']([\w.-]+)["']( ?[~+])?""", path.read_text(encoding="utf-8")):
            yield path, text, bool(joined)


def uses() -> tuple[set[str], set[str]]:
    """Return the keys that the package names whole, and the beginnings of those it puts together."""
    whole, begun, names = set(), set(), {text for _, text, is_beginning in literals() if not is_beginning}
    for path, text, is_beginning in literals():
        room = OWN_ROOM.get(path.relative_to(PACKAGE).parts[0])
        for key in (text, f"{room}.{text}") if room else (text,):
            (begun if is_beginning else whole).add(key)
        if is_beginning and text.removesuffix(".") in ROOMS:  # f"cli.{kind}": the kinds stand elsewhere
            whole |= {text + name for name in names}
    begun.add("help.argparse_")  # found by their English: tests/cli/test_help.py holds each
    for kind in error_classes():
        whole.add(f"errors.{kind.__name__}")
    return whole | {f"errors.{sign}" for sign in SIGNS.values()}, {key for key in begun if re.search(r"\.\w", key)}


def error_classes() -> Iterator[type[CallAnalyticsError]]:
    kinds = [CallAnalyticsError]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind.__module__.startswith("callanalytics."):
            yield kind


def fields(template: str) -> set[str]:
    return {field for _, field, *_ in Formatter().parse(template) if field is not None}


def test_every_key_that_is_named_exists() -> None:
    named = {
        text
        for path, text, is_beginning in literals()
        if not is_beginning and path.suffix in (".py", ".md") and re.fullmatch(rf"({'|'.join(ROOMS)})\.[a-z]\w*", text)
    }
    files = {f"{room}.toml" for room in ROOMS}
    assert len(named) > 250
    assert {key for key in named if key not in KEYS} - files <= NO_KEYS


# Strings that look like a key and are none: names of settings and attributes.
NO_KEYS = {"review.database", "review.password", "report.html", "report.pdf", "errors.user_"}


def test_every_key_a_page_says_exists() -> None:
    for path in (*PACKAGE.rglob("*.html"), *PACKAGE.glob("report/templates/*.md")):
        room = OWN_ROOM.get(path.relative_to(PACKAGE).parts[0])
        for text, joined in re.findall(r"""\bsay\(["']([\w.]+)["']( ?[~+])?""", path.read_text(encoding="utf-8")):
            key = text if text.split(".")[0] in ROOMS and "." in text else f"{room}.{text}"
            assert any(known.startswith(key) for known in KEYS) if joined else key in KEYS, (path.name, key)


def test_no_text_is_left_over() -> None:
    whole, begun = uses()
    left = [key for key in KEYS if key not in whole and not any(key.startswith(start) for start in begun)]
    assert left == []


@pytest.mark.parametrize("room", ROOMS)
def test_both_languages_say_the_same(room: str) -> None:
    for name, text in texts_of(room).items():
        assert set(text) == {"nl", "en"}, name
        assert text["nl"], name
        assert text["en"], name
        assert fields(text["nl"]) == fields(text["en"]), name
        assert "" not in fields(text["nl"]), name


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "dutch"),
    [
        (
            CallError(call_id="c1", stage="decode", reason=Message("errors.recording_channels_export_as", channels=6)),
            "Gesprek c1 mislukt bij decode: de opname heeft 6 kanalen; exporteer haar als mono of stereo.",
        ),
        (
            ConfigError(
                path="a.toml",
                reason=Message(
                    "errors.table_key_line", table="x", key="window", line=7,
                    reason=Message("errors.not_one_of", value="near", choices="any, first N%"),
                ),
            ),
            'De configuratie a.toml is niet te gebruiken: tabel [x], sleutel window (regel 7): "near" is geen van any, '
            "first N%.",
        ),
        (
            InputError(path="/a {b}/can't be read/line 3\n.json", reason=Message("errors.no_json")),
            "/a {b}/can't be read/line 3\n.json is niet te lezen: het is geen JSON.",
        ),
        (InputError(path="x", reason="Permission denied."), "x is niet te lezen: Permission denied."),
    ],
)  # fmt: skip
def test_an_error_as_users_meet_it(error: CallAnalyticsError, dutch: str) -> None:
    assert error.say("nl") == dutch
    assert error.say("en") == str(error)


def test_what_each_source_of_a_model_said_is_told_in_one_language() -> None:
    refused = ModelRefused(name="m", file="model.bin")
    pip = Message("errors.pip_could_not_download", package="w")
    error = ModelUnreachable(
        name="m",
        reason=(
            Message("errors.source_local", where="/usb", reason=refused.message),
            Message("errors.source_registry", where="w==1", reason=pip),
        ),
    )
    assert error.say("nl") == (
        'Het model "m" is niet op te halen: map /usb: Het model "m" is geweigerd: model.bin is niet het bestand dat '
        "het manifest noemt (sha256 verschilt); voer uit: callanalytics models pull m; pakket w==1: pip kon w niet "
        "downloaden"
    )


def test_an_error_survives_the_way_between_processes() -> None:
    error = CallError(call_id="c", stage="intake", reason=Message("errors.line", line=3, reason=KeyError("x")))
    again = pickle.loads(pickle.dumps(error))
    assert (again.say("nl"), again.stage, again.fields) == (error.say("nl"), "intake", error.fields)


def test_a_value_is_never_read_as_a_template() -> None:
    assert say("errors.InputError", "nl", path="{reason}", reason="{path}") == "{reason} is niet te lezen: {path}"


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
