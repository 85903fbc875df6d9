"""Which recordings may be heard in a review, what of them can be heard, their drawing, and parts of them."""

from __future__ import annotations

import io
import os
import wave
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from callanalytics.config import Config
from callanalytics.errors import CallError
from callanalytics.records import CallResult, StoredWord
from callanalytics.redaction.sound import PAD_MS
from callanalytics.review.sound import POINTS, Sounds, cut_range, measure_peaks
from callanalytics.scoring import load_files
from tests.support.browser import HOLD, review_call, write_recording
from tests.support.fakes import MOMENT

TODAY = MOMENT.date()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of recordings."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


@pytest.fixture
def result(config: Config, folder: Path) -> CallResult:
    """A stereo call, its recording in the folder."""
    return review_call(config, load_files(config).criteria, "a1", 0, write_recording(folder / "a1.wav"))


def sounds(config: Config, folder: Path | str, recordings_days: int = 0) -> Sounds:
    review = config.review.model_copy(update={"recordings": str(folder)})
    terms = config.retention.model_copy(update={"recordings_days": recordings_days})
    return Sounds(config.model_copy(update={"review": review, "retention": terms}))


def samples_of(wav: bytes) -> NDArray[np.int16]:
    """(channels, n) of a WAV."""
    with wave.open(io.BytesIO(wav)) as source:
        flat = np.frombuffer(source.readframes(source.getnframes()), dtype="<i2")
        return flat.reshape(-1, source.getnchannels()).T


def test_a_recording_is_found_by_its_path_or_its_name_alone(config: Config, folder: Path, result: CallResult) -> None:
    found = sounds(config, folder)
    assert found.find(result, TODAY) == (folder / "a1.wav").resolve()
    deeper = replace(result, call=replace(result.call, recording="2026/w47/a1.wav"))
    assert found.find(deeper, TODAY) == (folder / "a1.wav").resolve()
    (folder / "2026" / "w47").mkdir(parents=True)
    (folder / "a1.wav").rename(folder / "2026" / "w47" / "a1.wav")
    assert found.find(deeper, TODAY) == (folder / "2026" / "w47" / "a1.wav").resolve()


@pytest.mark.parametrize("name", ["../secret.wav", "/etc/passwd", "link.wav", "linked/a1.wav", "", ".", "a\0.wav"])
def test_nothing_outside_the_folder_is_found(
    config: Config, folder: Path, result: CallResult, tmp_path: Path, name: str
) -> None:
    (folder / "a1.wav").rename(tmp_path / "secret.wav")
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    (tmp_path / "elsewhere").mkdir()
    os.link(tmp_path / "secret.wav", tmp_path / "elsewhere" / "a1.wav")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    assert sounds(config, folder).find(replace(result, call=replace(result.call, recording=name)), TODAY) == "absent"


def test_there_is_no_sound_without_a_folder_or_with_another_file(
    config: Config, folder: Path, result: CallResult
) -> None:
    assert sounds(config, "").find(result, TODAY) == "off"
    found = sounds(config, folder)
    assert isinstance(found.find(result, TODAY), Path)
    with (folder / "a1.wav").open("ab") as stream:
        stream.write(b"\0")
    assert found.find(result, TODAY) == "changed"
    with pytest.raises(CallError):
        found.make(folder / "a1.wav", result)


def test_a_recording_past_its_term_is_not_heard_unless_it_is_held(
    config: Config, folder: Path, result: CallResult
) -> None:
    found = sounds(config, folder, recordings_days=30)
    assert isinstance(found.find(result, TODAY + timedelta(days=30)), Path)
    assert found.find(result, TODAY + timedelta(days=31)) == "over"
    assert isinstance(found.find(result, TODAY + timedelta(days=31), is_held=True), Path)
    assert isinstance(sounds(config, folder).find(result, date(2126, 1, 1)), Path)


def test_a_call_in_which_nobody_knows_where_personal_data_is_has_no_sound(
    config: Config, folder: Path, result: CallResult
) -> None:
    found = sounds(config, folder)
    assert found.find(replace(result, turns=()), TODAY) == "words_gone"
    foreign = replace(result.call, not_scorable_reason="other_language")
    assert found.find(replace(result, call=foreign), TODAY) == "other_language"


def test_placeholders_are_silent_on_all_channels_and_holds_on_the_citizens(
    config: Config, folder: Path, result: CallResult
) -> None:
    sound = sounds(config, folder).make(folder / "a1.wav", result)
    heard = samples_of(sound.wav)
    with wave.open(str(folder / "a1.wav")) as source:
        flat = np.frombuffer(source.readframes(source.getnframes()), dtype="<i2")
        original = flat.reshape(-1, 2).T
    data: list[StoredWord] = [w for turn in result.turns for w in turn.words if "[" in w.text]
    assert len(data) == 2
    expected = original.copy()
    for word in data:
        expected[:, (word.start_ms - PAD_MS) * 8 : (word.end_ms + PAD_MS) * 8] = 0
    expected[1, (HOLD[0] - PAD_MS) * 8 : (HOLD[1] + PAD_MS) * 8] = 0
    assert original[1, HOLD[0] * 8 : HOLD[1] * 8].any()
    assert np.array_equal(heard, expected)
    assert sound.duration_ms == result.call.duration_ms


def test_a_swap_of_roles_silences_the_other_channel_in_holds(
    config: Config, folder: Path, result: CallResult
) -> None:
    found, hold = sounds(config, folder), slice(HOLD[0] * 8, HOLD[1] * 8)
    assert not samples_of(found.make(folder / "a1.wav", result).wav)[1, hold].any()
    swapped = replace(result, call=replace(result.call, agent_channel=1))
    heard = samples_of(found.make(folder / "a1.wav", swapped).wav)
    assert heard[1, hold].any()
    assert not heard[0, hold].any()


def test_a_hold_of_a_mono_call_is_silent(config: Config, folder: Path) -> None:
    path = write_recording(folder / "m.wav", channels=1)
    result = review_call(config, load_files(config).criteria, "m", 0, path, layout="mono")
    heard = samples_of(sounds(config, folder).make(path, result).wav)
    assert heard.shape[0] == 1
    assert not heard[0, HOLD[0] * 8 : HOLD[1] * 8].any()
    assert heard.any()


def test_a_studio_recording_is_sent_at_the_rate_of_speech(config: Config, folder: Path) -> None:
    path = write_recording(folder / "s.wav", rate=48_000)
    result = review_call(config, load_files(config).criteria, "s", 0, path)
    sound = sounds(config, folder).make(path, result)
    assert samples_of(sound.wav).shape == (2, 35 * 16_000)
    assert sound.duration_ms == 35_000


def test_no_copy_of_the_sound_is_left_on_disk(
    config: Config, folder: Path, result: CallResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    sounds(config, folder).make(folder / "a1.wav", result)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_last_copies_are_kept_and_older_ones_go(
    config: Config, folder: Path, result: CallResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sounds(config, folder)
    first = found.make(folder / "a1.wav", result)
    assert found.make(folder / "a1.wav", result) is first
    monkeypatch.setattr("callanalytics.review.sound.KEPT_BYTES", len(first.wav))
    path = write_recording(folder / "b.wav", channels=1)
    found.make(path, review_call(config, load_files(config).criteria, "b", 0, path, layout="mono"))
    assert found.make(folder / "a1.wav", result) is not first


def test_the_drawing_has_the_loudest_of_each_stretch() -> None:
    samples = np.array([[0, 8, -4, 2], [0, 0, 0, -16]], dtype=np.int16)
    assert measure_peaks(samples, points=2) == ((50, 25), (0, 100))
    assert measure_peaks(np.zeros((1, 0), dtype=np.int16)) == ((),)


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=5000))
def test_the_drawing_of_any_sound_is_small_and_within_bounds(values: list[int]) -> None:
    (row,) = measure_peaks(np.array([values], dtype=np.int16))
    assert len(row) <= POINTS
    assert all(0 <= value <= 100 for value in row)
    assert max(row) == (100 if any(values) else 0)


@pytest.mark.parametrize(
    ("header", "cut"),
    [
        (None, (0, 10)), ("bytes=0-", (0, 10)), ("bytes=2-", (2, 10)), ("bytes=2-4", (2, 5)), ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)), ("bytes=4-99", (4, 10)), ("bytes=10-", None), ("bytes=5-4", None),
        ("bytes=-", (0, 10)), ("bytes=0-1,3-4", (0, 10)), ("lines=1-2", (0, 10)),
    ],
)  # fmt: skip
def test_parts_are_cut_as_asked(header: str | None, cut: tuple[int, int] | None) -> None:
    assert cut_range(header, 10) == cut


