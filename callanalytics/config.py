"""One frozen tree of settings, read from TOML.  Defaults stand once, in configs/default.toml; unknown keys fail.

A user's file overlays the defaults key by key.  `fingerprint` covers what can change a row and nothing else, so a
different number of workers never reprocesses a call.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from callanalytics.errors import ConfigError
from callanalytics.records import SCHEMA_VERSION
from callanalytics.texts import Message


def project_root() -> Path:
    """Return the folder that holds configs/ and models/: the checkout, or the data installed with the package."""
    package = Path(__file__).resolve().parent
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent


class Settings(BaseModel):
    """A section: frozen, complete in configs/default.toml, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Municipality(Settings):
    """Whose contact centre this is; feeds the recogniser's hotwords and the {gemeente} and {naam} slots."""

    names: tuple[str, ...]
    agent_names: tuple[str, ...]
    jargon: tuple[str, ...]
    timezone: str
    opening_hours: tuple[int, int]  # first and last minute of a working day, minutes since midnight


class Models(Settings):
    """Which model of models/manifest.toml does which task, and where it runs."""

    recognition: str
    segmentation: str
    embedding: str
    diarization: str  # "" = pyannote's pipeline around the two above; else a whole pipeline from the manifest
    device: Literal["auto", "cpu", "cuda"]
    compute_type: str
    threads: int = Field(ge=0)  # lanes of each worker, a core each; 0 = an equal share of the cores

    @property
    def voices(self) -> list[str]:
        """Return the models that tell speakers apart: one whole pipeline, or segmentation and embedding."""
        return [self.diarization] if self.diarization else [self.segmentation, self.embedding]

    @property
    def used(self) -> list[str]:
        """Names of all models that the configuration uses."""
        return [self.recognition, *self.voices]


class Audio(Settings):
    """Decoding and levels."""

    agent_channel: Literal["auto", "0", "1"]
    target_level_dbfs: float
    max_duration_s: float = Field(gt=0)
    dual_mono_db: float  # channels whose difference is this far below them are one recording


class Speech(Settings):
    """Where somebody speaks, and where music or a muted line means a hold."""

    threshold: float = Field(gt=0, lt=1)
    min_speech_ms: int
    min_silence_ms: int
    pad_ms: int
    crosstalk_db: float  # speech this much weaker than the other channel's at the same time is that channel's echo
    hold_min_ms: int


class Recognition(Settings):
    """Speech regions to words."""

    language: str
    beam_size: int = Field(ge=1)
    batch_size: int = Field(ge=0)  # windows; 0: what suits the device
    window_s: float = Field(gt=0, le=30)
    gap_ms: int
    max_word_ms: int
    min_logprob: float
    max_compression_ratio: float
    hotwords: bool
    context: str  # text that the recogniser is told came before; {gemeente} is the first of municipality.names
    blocklist: tuple[str, ...]


class Diarization(Settings):
    """Who speaks when in a mono recording."""

    min_speakers: int = Field(ge=1)
    max_speakers: int = Field(ge=1)
    step: float = Field(gt=0, le=1)
    threshold: float
    min_cluster_size: int
    bridge_ms: int  # a speaker's pause up to this long, in which nobody else speaks, belongs to the segment
    batch_size: int = Field(ge=1)


class Turns(Settings):
    """From words to turns, and what counts as silence and interruption."""

    pause_ms: int
    dead_air_ms: int
    interruption_overlap_ms: int
    interruption_after_ms: int
    interruption_min_words: int
    backchannels: tuple[str, ...]


class Roles(Settings):
    """When a speaker's role is sure enough to be named."""

    min_confidence: float = Field(ge=0, le=1)


class Language(Settings):
    """The spaCy pipeline that knows Dutch grammar and names."""

    pipeline: str  # a folder, relative to the project or absolute, or an installed package: "nl_core_news_md"


class Redaction(Settings):
    """Which personal data is replaced before anything leaves memory; case numbers are no personal data by default."""

    kinds: tuple[
        Literal[
            "person_name",
            "bsn",
            "phone",
            "iban",
            "email",
            "postcode",
            "house_number",
            "birth_date",
            "licence_plate",
            "document_number",
            "special",
            "case_number",
        ],
        ...,
    ]
    cues: str  # folder of the words and patterns that redaction goes by, relative to the project or absolute


class ItemName(Settings):
    """What people call an item."""

    nl: str
    en: str


class Item(Settings):
    """One line of the scorecard: met when all of its parts that apply are met."""

    name: ItemName
    weight: float = Field(ge=0)  # points; with 0 the item is shown and not counted
    parts: tuple[str, ...] = Field(min_length=1)  # criteria, or callback.who and callback.when: see scorecard.py
    applies: tuple[str, ...]  # one of these criteria must be found; none named: whenever a part applies


class Scorecard(Settings):
    """The municipality's scorecard."""

    version: str
    criteria: str  # folder of criterion files, relative to the project or absolute
    models: str  # folder of the trained models beside them; "" judges by the phrases alone
    items: dict[str, Item]  # in the order in which they are shown
    compliance: tuple[str, ...]  # criteria reported apart, never averaged away
    announcement_in_recording: bool
    satisfaction_survey: bool
    uncertain_between: tuple[float, float]


class Topics(Settings):
    """Reasons of a call."""

    path: str
    min_probability: float  # from here a topic is one of the call's
    sensitive_probability: float  # from here a sensitive topic makes the call sensitive: lower, to be on the safe side


class Privacy(Settings):
    """The law: on what ground, under which consent, and the key of the pseudonyms."""

    legal_basis: str  # e.g. "AVG art. 6 lid 1 onder e, verwerkingsbesluit 2026-014"; `privacy-report` wants it
    or_consent_ref: str  # the works council's decision; without it and its date no row says which agent it was
    or_consent_date: date | None
    smallest_group: int = Field(ge=1)  # no aggregate tells of fewer calls
    key_env: str  # the HMAC key is in this environment variable,
    key_file: str  # else in this file
    old_key_files: tuple[str, ...]  # of keys that were replaced: what was erased under them stays erased

    @field_validator("or_consent_date", mode="before")
    @classmethod
    def _none_yet(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def agents_may_be_told_apart(self) -> bool:
        """Whether the works council has agreed to output about single agents (WOR art. 27 lid 1 onder k en l)."""
        return bool(self.or_consent_ref and self.or_consent_date and self.or_consent_date <= date.today())


class Retention(Settings):
    """For how many days after the call each class of data is kept; 0 is without end."""

    recordings_days: int = Field(ge=0)  # only `purge --recordings DIR` touches recordings, and only with a number here
    texts_days: int = Field(ge=0)  # what was said: turns, quotes of evidence and of promises
    features_days: int = Field(ge=0)  # everything else about a call
    failures_days: int = Field(ge=0)
    reviews_days: int = Field(ge=0)  # what people said of a call; never longer than its features are kept


class Engine(Settings):
    """How a batch is run; nothing here changes a row."""

    workers: int = Field(ge=1)
    shard_calls: int = Field(ge=1)
    isolated: bool  # calls are worked on in other processes, which may die or hang; false for a debugger
    patience_s: float = Field(gt=0)  # a process that gives no sign of life for so long hangs
    patience_per_s: float = Field(ge=0)  # and so much more for each second of the longest recording it works on
    memory_mib: int = Field(ge=0)  # a process that takes more is ended; 0: no limit
    settle_s: float = Field(ge=0)  # a recording written in the last minute must stay as it is for so long
    retry_waits_s: tuple[float, ...]  # before each new try of a call whose failure may pass
    skip_duplicates: bool  # a recording with the content of another one has that one's row
    first_queues: tuple[str, ...]  # their calls are taken first, in this order
    min_free_mb: int = Field(ge=0)  # what must be left on OUT's disk beside what the run is likely to write
    ray_address: str  # of a cluster's head, "" for one of this machine alone
    ray_gpus: float = Field(ge=0)  # that each Ray actor asks for
    nice: int = Field(ge=0, le=19)  # how far other work of the machine goes first


class Storage(Settings):
    """Object storage that speaks S3; credentials come from the environment or ~/.aws, as for the AWS tools."""

    endpoint: str  # of storage of one's own, e.g. "https://minio.intern:9000"; "" is Amazon's
    region: str
    timeout_s: float = Field(gt=0)
    attempts: int = Field(ge=1)  # of each request, with growing waits between them
    retry_waits_s: tuple[float, ...]  # for an outage while OUT is written, after those attempts
    lease_s: float = Field(ge=1)  # a run that writes to OUT there and was killed keeps others out this long


class Notify(Settings):
    """Whom a run tells how it went; "" is nobody."""

    prometheus_file: str  # e.g. "/var/lib/node_exporter/callanalytics.prom"
    webhook: str  # gets the row of a run with failures as JSON, by POST
    mail_to: str
    mail_from: str
    smtp: str  # host:port
    # A collector of OpenTelemetry on this machine and no other, e.g. "http://localhost:4318".
    otlp_endpoint: str = Field(pattern=r"^(https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?/?)?$")


class Review(Settings):
    """The web app of the quality team."""

    database: str  # "" is OUT/reviews.sqlite; or "postgresql+psycopg://user@host/name", the password from ~/.pgpass
    host: str
    port: int = Field(ge=0, le=65535)
    recordings: str  # folder of the recordings, for listening; "": the words alone
    session_hours: float = Field(gt=0)  # without a click for so long, log in again
    proxy_user_header: str  # that a proxy with OIDC sets to the user's name, e.g. "X-Forwarded-User"; "" takes none
    proxy_addresses: tuple[str, ...]  # from which that header is believed


class Norms(Settings):
    """What the municipality steers on; 0 where it has no norm.  They differ, so none is built in."""

    answer_s: float = Field(ge=0)  # seconds until an agent answers, against calls.wait_s; VNG's least: 25
    callback_working_days: float = Field(ge=0)
    transfers: int = Field(ge=0)  # at most so many in a call; 0: no norm
    handled_share: float = Field(ge=0, le=1)  # handled without a transfer or a callback
    items: dict[str, float]  # pass rate wanted by item of the scorecard


class Config(Settings):
    """All settings."""

    lang: Literal["nl", "en"]
    municipality: Municipality
    models: Models
    audio: Audio
    speech: Speech
    recognition: Recognition
    diarization: Diarization
    turns: Turns
    roles: Roles
    language: Language
    redaction: Redaction
    scorecard: Scorecard
    topics: Topics
    privacy: Privacy
    retention: Retention
    engine: Engine
    storage: Storage
    notify: Notify
    review: Review
    norms: Norms

    def resolve(self, path: str) -> Path:
        """Return a path from the configuration: absolute, or relative to the project."""
        given = Path(path).expanduser()
        return given if given.is_absolute() else project_root() / given

    def fingerprint(self) -> str:
        """Hash of every setting that can change words and measures, and of the schema version; hex, 16 digits."""
        neutral = {"lang", "engine", "storage", "notify", "privacy", "retention", "scorecard", "topics"}
        neutral |= {"review", "norms"}
        tree = self.model_dump(mode="json", exclude=neutral)
        tree["models"].pop("threads")
        return hash_of(tree, SCHEMA_VERSION)


def hash_of(*values: Any) -> str:
    """Return a short stable hash of JSON-like values; hex, 16 digits."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def load_config(path: Path | None = None) -> Config:
    """Return the defaults, overlaid by the file at `path` or named in CALLANALYTICS_CONFIG.

    Raises ConfigError with the key at fault when the file can't be read, is not TOML or holds unknown keys.
    """
    tree = _read_toml(project_root() / "configs" / "default.toml")
    chosen = path or (Path(os.environ["CALLANALYTICS_CONFIG"]) if os.environ.get("CALLANALYTICS_CONFIG") else None)
    if chosen is not None:
        tree = _overlay(tree, _read_toml(chosen))
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        reason = Message("errors.key", key=key, problem=first["msg"])
        if first["type"] == "extra_forbidden":
            reason = Message("errors.unknown_key", key=key)
        raise ConfigError(path=chosen or "configs/default.toml", reason=reason) from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(path=path, reason=Message("errors.no_such_file")) from None
    except tomllib.TOMLDecodeError as error:
        raise explain_toml(path, text, error) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path=path, reason=f"{error}.") from None


def explain_toml(path: Path, text: str, error: tomllib.TOMLDecodeError) -> ConfigError:
    """Return what is probably wrong with a file that is no TOML, for somebody who never heard of TOML."""
    lines = text.splitlines()
    at = re.search(r"at line (\d+)", str(error))
    number = min(int(at[1]) if at else len(lines), len(lines))
    # An unfinished text or list is noticed further on; the line at fault is the first with an odd number of quotes.
    odd = next((i for i, line in enumerate(lines[:number], start=1) if _code(line).count('"') % 2), 0)
    if odd:
        return ConfigError(
            path=path, reason=Message("errors.line_quotation_mark_missing", line=odd, text=lines[odd - 1].strip())
        )
    for i, line in enumerate(lines[:number], start=1):
        is_first = i == 1 or not re.search(r'"\s*$', _code(lines[i - 2]))
        if re.search(r'"\s+"', _code(line)) or (not is_first and _code(line).lstrip().startswith('"')):
            return ConfigError(path=path, reason=Message("errors.line_comma_missing", line=i, text=line.strip()))
    line = lines[number - 1].strip() if lines else ""
    if "array" in str(error) or "Invalid value" in str(error):
        return ConfigError(path=path, reason=Message("errors.line_list_not_closed", line=number, text=line))
    if "overwrite" in str(error) or "twice" in str(error):
        return ConfigError(path=path, reason=Message("errors.line_key_table_stands", line=number, text=line))
    return ConfigError(path=path, reason=Message("errors.line_makes_no_sense", line=number, text=line))


def _code(line: str) -> str:
    """Return the line without a comment behind it."""
    return re.sub(r'#[^"]*$', "", line)


def _overlay(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _overlay(merged[key], value)
        else:
            merged[key] = value
    return merged


def masked(url: str) -> str:
    """A URL without what may be secret in it: a password, and the path and query that webhooks carry their key in.

    https://me:secret@hooks.example/T0/B1?key=2 -> https://hooks.example/...
    """
    if not url:
        return ""
    scheme, _, rest = url.partition("://")
    place, *more = re.split("[/?#]", rest, maxsplit=1)
    if not place or any("@" in part for part in more):
        return "..."  # no URL, or a password with a slash in it: where the host begins can't be told
    host = place.rpartition("@")[2]
    return f"{scheme}://{host}" + ("/..." if host != place or any(more) else "")
