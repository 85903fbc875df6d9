"""Settings: complete defaults, overlays, refusals that name the key, and a fingerprint of what changes rows."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from callanalytics.call.fingerprint import scoring_fingerprint
from callanalytics.config import Config, hash_of, load_config, project_root
from callanalytics.errors import ConfigError


def overlaid(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_defaults_are_complete_and_stand_once() -> None:
    """Every setting is in configs/default.toml; none has a second default in the code."""
    tree = tomllib.loads((project_root() / "configs" / "default.toml").read_text())
    assert set(tree) == set(Config.model_fields)
    for name, field in Config.model_fields.items():
        assert field.is_required()
        if isinstance(tree[name], dict):
            section = field.annotation.model_fields  # type: ignore[union-attr]
            assert set(tree[name]) == set(section)
            assert all(inner.is_required() for inner in section.values())


def test_a_file_overlays_key_by_key(tmp_path: Path) -> None:
    config = overlaid(tmp_path, '[municipality]\nnames = ["Zutphen"]\n[turns]\npause_ms = 900\n')
    assert config.municipality.names == ("Zutphen",)
    assert config.turns.pause_ms == 900
    assert config.municipality.timezone == load_config().municipality.timezone
    assert config.turns.backchannels == load_config().turns.backchannels


def test_a_file_may_be_named_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "env.toml").write_text('lang = "en"\n')
    monkeypatch.setenv("CALLANALYTICS_CONFIG", str(tmp_path / "env.toml"))
    assert load_config().lang == "en"
    (tmp_path / "arg.toml").write_text('lang = "nl"\n')
    assert load_config(tmp_path / "arg.toml").lang == "nl"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[speech]\ntreshold = 0.4\n", 'unknown key "speech.treshold"'),
        ("[spech]\n", 'unknown key "spech"'),
        ("speech = 1\n", 'key "speech"'),
        ("[speech]\nthreshold = 2\n", 'key "speech.threshold"'),
        ('[engine]\nworkers = "many"\n', 'key "engine.workers"'),
        ("[engine]\nworkers = 0\n", 'key "engine.workers"'),
        ('[models]\ndevice = "tpu"\n', 'key "models.device"'),
        ('[redaction]\nkinds = ["shoe_size"]\n', 'key "redaction.kinds.0"'),
        ("[recognition]\nwindow_s = 31\n", 'key "recognition.window_s"'),
        ('lang = "de"\n', 'key "lang"'),
    ],
)
def test_a_mistake_is_told_with_its_key_and_file(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overlaid(tmp_path, text)
    message = str(caught.value)
    assert key in message
    assert "own.toml" in message
    assert "\n" not in message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("content", [b"= 1", b"[speech\n", b"\xff\xfe", b"a = \x00"])
def test_a_file_that_is_no_toml_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"own\.toml"):
        load_config(path)


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load_config(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError):
        load_config(tmp_path)


def test_settings_are_frozen(config: Config) -> None:
    with pytest.raises(ValidationError):
        config.turns.pause_ms = 1  # type: ignore[misc]


def changed(config: Config, section: str, **values: Any) -> Config:
    return config.model_copy(update={section: getattr(config, section).model_copy(update=values)})


def test_the_fingerprint_is_the_same_every_time(config: Config) -> None:
    assert load_config().fingerprint() == config.fingerprint()
    assert len(config.fingerprint()) == 16


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # values of a wrong type, to be different at all
def test_what_can_change_a_row_changes_the_fingerprint(config: Config) -> None:
    """Every setting of every section, but those around it: engine, storage, reviews, norms, law.

    What only scores depend on changes the fingerprint of scoring, and no call is recognised again for it.
    """
    neutral = {("models", "threads")}
    apart = {"lang", "engine", "storage", "notify", "privacy", "retention", "review", "norms"}
    for section in set(Config.model_fields) - apart:
        for name, value in getattr(config, section).model_dump().items():
            other = changed(config, section, **{name: different(value)})
            same_words = other.fingerprint() == config.fingerprint()
            if section in ("scorecard", "topics"):  # these leave the words alone, and change the scores
                assert same_words, (section, name)
                if name not in ("criteria", "models", "path"):  # of a folder or file its contents count
                    assert scoring_fingerprint(other) != scoring_fingerprint(config), (section, name)
            else:
                assert same_words == ((section, name) in neutral), (section, name)


def different(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return value + "x" if isinstance(value, str) else (*value, "x")


def test_how_a_batch_is_run_changes_no_fingerprint(config: Config) -> None:
    for other in (
        changed(config, "engine", workers=7, shard_calls=3),
        changed(config, "privacy", key_env="OTHER"),
        config.model_copy(update={"lang": "en"}),
    ):
        assert other.fingerprint() == config.fingerprint()


def test_hashes_tell_values_apart_and_forget_the_order_of_keys() -> None:
    assert hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1})
    assert len({hash_of(1), hash_of("1"), hash_of([1]), hash_of(1, 2), hash_of([1, 2]), hash_of()}) == 6


def test_paths_are_of_the_project_unless_absolute(config: Config, tmp_path: Path) -> None:
    assert config.resolve("configs/topics.toml").is_file()
    assert config.resolve(str(tmp_path)) == tmp_path
    assert config.resolve("~/x") == Path.home() / "x"
