"""What the whole suite shares: settings, the models loaded once, the bundled calls cut to clips, marks that skip."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from callanalytics.config import Config, load_config
from callanalytics.errors import ModelMissing
from callanalytics.models import find_model
from callanalytics.scoring import load_files
from tests.support.browser import _browser, app_url, chromium, review_config, review_out  # noqa: F401  # fixtures
from tests.support.fakes import Clip, ScriptedWorker, cut_clip
from tests.support.paths import SHARED, bundled
from tests.support.s3 import _storage, bucket  # noqa: F401  # fixtures

if TYPE_CHECKING:
    from callanalytics.call.campplus import CampplusModel
    from callanalytics.call.diarize import Diarizer
    from callanalytics.call.pipeline import Worker
    from callanalytics.call.speech import SpeechDetector
    from callanalytics.call.transcribe import Transcriber

# The same key everywhere: neither the developer's key file nor environment may change what a test sees.
os.environ["CALLANALYTICS_KEY"] = "a key that only tests use"
os.environ.pop("CALLANALYTICS_CONFIG", None)

# No deadline: how long an example takes says something about the machine, not about the code.
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("thorough", deadline=None, derandomize=True, max_examples=150)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives a browser; skip what needs weights or development recordings that are not on this machine."""
    config = load_config()
    try:
        for name in (config.models.recognition, config.models.segmentation, config.models.embedding):
            find_model(name)
        no_models = None
    except ModelMissing as error:
        no_models = pytest.mark.skip(reason=str(error))
    no_shared = None if SHARED.is_dir() else pytest.mark.skip(reason="the development recordings ../shared are absent")
    for item in items:
        if "_browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
        if no_models and item.get_closest_marker("models"):
            item.add_marker(no_models)
        if no_shared and item.get_closest_marker("shared"):
            item.add_marker(no_shared)


@pytest.fixture(scope="session")
def config() -> Config:
    """The defaults, with calls worked on in this process, where tests can look at it, and without waiting."""
    config = load_config()
    here = {"isolated": False, "settle_s": 0.0, "retry_waits_s": ()}
    return config.model_copy(update={"engine": config.engine.model_copy(update=here)})


@pytest.fixture(scope="session")
def phrase_files(config: Config) -> Any:
    """The phrase files, read once."""
    return load_files(config)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, phrase_files: Any) -> type[ScriptedWorker]:
    """The engine with a worker that needs no models."""
    monkeypatch.setattr("callanalytics.scoring.load_files", lambda config: phrase_files)
    monkeypatch.setattr("callanalytics.call.pipeline.Worker", ScriptedWorker)
    monkeypatch.setattr("callanalytics.engine.batch.find_model", Path)
    ScriptedWorker.made = 0
    ScriptedWorker.seen.clear()
    return ScriptedWorker


@pytest.fixture(scope="session")
def find_speech(config: Config) -> SpeechDetector:
    """The voice activity detector; its weights ship with faster-whisper."""
    from callanalytics.call.speech import SpeechDetector

    return SpeechDetector(config.speech)


@pytest.fixture(scope="session")
def worker(config: Config) -> Worker:
    """All models, loaded once for the whole suite."""
    from callanalytics.call.pipeline import Worker

    return Worker(config)


@pytest.fixture(scope="session")
def transcriber(worker: Worker) -> Transcriber:
    """The worker's recogniser."""
    return worker._transcribe


@pytest.fixture(scope="session")
def diarizer(worker: Worker) -> Diarizer:
    """The worker's diarizer."""
    return worker._diarize


@pytest.fixture(scope="session")
def voiceprint(config: Config) -> CampplusModel:
    """The speaker embedding on its own."""
    from callanalytics.call.campplus import CampplusModel

    return CampplusModel(find_model(config.models.embedding) / "campplus_cn_en_common.pt")


@pytest.fixture(scope="session")
def stereo_clip() -> Clip:
    """Demo 1, agent on channel 0: greeting and question, 23 s."""
    return cut_clip(bundled("demo-1"), 0, 23)


@pytest.fixture(scope="session")
def mono_clip() -> Clip:
    """Demo 4: agent and citizen on one channel, 25 s."""
    return cut_clip(bundled("demo-4"), 0, 25)


@pytest.fixture(scope="session")
def hold_clip() -> Clip:
    """Demo 2 around its music on hold: speech to 6.6 s, music from 6.6 to 16.6 s, speech to 29 s."""
    return cut_clip(bundled("demo-2"), 32.5, 61.5)
