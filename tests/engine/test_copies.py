"""Copies of recordings without personal data.  All persons and numbers are invented."""

from __future__ import annotations

import stat
import wave
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.call.audio import decode_original
from callanalytics.cli.main import main
from callanalytics.config import Config
from callanalytics.engine import copies as redact_audio
from callanalytics.engine.copies import redact_recordings
from callanalytics.records import CallResult, CallSource, EventRow, StoredWord, TurnRow
from callanalytics.redaction.sound import (
    NEAR_MS,
    PAD_MS,
    TONE_HZ,
    Muted,
    Pcm,
    find_data,
    find_holds,
    find_unheard,
    silenced,
)
from tests.support.fakes import call_result, call_row, write_audio
from tests.support.paths import RECORDINGS

if TYPE_CHECKING:
    from callanalytics.call.pipeline import Worker

RATE = 8000


def sound(seconds: float = 2.0, channels: int = 2) -> Pcm:
    noise = np.random.default_rng(3).integers(-9000, 9000, (channels, round(seconds * RATE)))
    return np.asarray(np.where(noise == 0, 1, noise), dtype=np.int16)


def result_of(*words: tuple[str, int, int, float], channel: int | None = 0, **row: object) -> CallResult:
    """A call of one turn."""
    stored = tuple(StoredWord(*word) for word in words)
    text = " ".join(word.text for word in stored)
    turn = TurnRow("c", 0, "citizen", channel, "x", 0, 9000, text, stored)
    return CallResult(call_row("c", **row), turns=(turn,))


def test_a_span_is_silent_on_all_channels_and_the_rest_is_untouched() -> None:
    before = sound()
    after = silenced(before, RATE, [Muted(500, 750)])
    assert not after[:, 4000:6000].any()
    np.testing.assert_array_equal(after[:, :4000], before[:, :4000])
    np.testing.assert_array_equal(after[:, 6000:], before[:, 6000:])
    assert before[:, 4000:6000].any()


def test_a_span_may_concern_one_channel() -> None:
    before = sound()
    after = silenced(before, RATE, [Muted(0, 1000, (1,))])
    np.testing.assert_array_equal(after[0], before[0])
    assert not after[1, :RATE].any()


def test_a_tone_takes_the_place_of_what_was_said() -> None:
    before = sound()
    after = silenced(before, RATE, [Muted(500, 1500)], tone=True)
    spectrum = np.abs(np.fft.rfft(after[0, 4000:12000]))
    assert np.argmax(spectrum) == TONE_HZ
    assert spectrum[TONE_HZ] > 100 * np.median(spectrum)
    np.testing.assert_array_equal(after[:, :4000], before[:, :4000])
    assert np.abs(np.diff(after[0, 3999:4010].astype(int)))[1:].max() < 1000


@given(
    st.lists(st.tuples(st.integers(-500, 3000), st.integers(0, 900)), max_size=6),
    st.sampled_from([8000, 11_025, 44_100]),
    st.booleans(),
)
def test_silence_is_exactly_where_a_span_is(spans: list[tuple[int, int]], rate: int, tone: bool) -> None:
    before = np.full((1, rate * 2), 20_000, np.int16)  # louder than any tone
    after = silenced(before, rate, [Muted(start, start + length) for start, length in spans], tone)
    ms = np.arange(before.shape[1]) * 1000 / rate
    inside = np.zeros(before.shape[1], bool)
    near = np.zeros(before.shape[1], bool)
    for start, length in spans:
        inside |= (ms >= start) & (ms < start + length)
        near |= (ms >= start - 1) & (ms < start + length + 1)
    assert (after[0][inside] != 20_000).all()
    assert (after[0][~near] == 20_000).all()


def test_a_datum_goes_with_its_unsure_neighbours() -> None:
    words = [("met", 0, 300, 0.9), ("kwa", 400, 600, 0.2), ("[NAME]", 700, 1200, 0.9), ("dag", 1300, 1500, 0.9)]
    assert find_data(result_of(*words)) == [Muted(400 - PAD_MS, 1200 + PAD_MS)]


def test_an_unsure_word_after_a_pause_is_heard() -> None:
    later = 1200 + NEAR_MS + 1
    assert find_data(result_of(("[BSN].", 700, 1200, 0.9), ("hm", later, later + 200, 0.1))) == [
        Muted(700 - PAD_MS, 1200 + PAD_MS)
    ]


def test_a_turn_without_words_goes_as_a_whole() -> None:
    turn = TurnRow("c", 0, "citizen", 0, "x", 1000, 4000, "met [NAME]", ())
    assert find_data(CallResult(call_row("c"), turns=(turn,))) == [Muted(1000 - PAD_MS, 4000 + PAD_MS)]


@pytest.mark.parametrize(("agent", "channels"), [(0, (1,)), (1, (0,)), (None, None)])
def test_a_hold_is_silent_on_the_citizens_channel(agent: int | None, channels: tuple[int, ...] | None) -> None:
    result = CallResult(
        call_row("c", agent_channel=agent),
        events=(EventRow("c", "hold", "agent", 1000, 9000), EventRow("c", "overlap", "agent", 10_000, 11_000)),
    )
    assert find_holds(result, 2) == [Muted(1000 - PAD_MS, 9000 + PAD_MS, channels)]


def test_speech_without_words_is_not_trusted() -> None:
    assert find_unheard([(1000, 4000)], [(1000, 1400), (3600, 4000)]) == [Muted(1700 - PAD_MS, 3600 + PAD_MS)]
    assert find_unheard([(1000, 4000)], []) == [Muted(1000 - PAD_MS, 4000 + PAD_MS)]
    assert find_unheard([(1000, 1400)], []) == []
    assert find_unheard([(1000, 2000)], [(1100, 1900)]) == []


def test_16_bits_come_out_as_they_were(tmp_path: Path, config: Config) -> None:
    path = tmp_path / "a.wav"
    redact_audio._write(path, sound(), RATE)
    samples, rate = decode_original(path, "a", config.audio)
    assert rate == RATE
    np.testing.assert_array_equal(samples, sound())


def test_copies_among_the_recordings_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = write_audio(tmp_path / "a.wav", sound().astype(np.float32) / 32768, RATE)
    before = recording.read_bytes()
    for folder in (tmp_path, tmp_path / "copies"):
        assert main(["redact-audio", str(tmp_path), str(folder), "--lang", "en"]) == 2
        assert "choose a folder outside of them" in capsys.readouterr().err
    assert recording.read_bytes() == before
    assert not (tmp_path / "copies").exists()


class OtherLanguage:
    """A worker that hears no Dutch."""

    def __call__(self, calls: list[CallSource]) -> tuple[list[CallResult], dict[str, int]]:
        return [call_result(calls[0].call_id, not_scorable_reason="other_language")], {}


def test_what_can_not_be_read_is_not_copied(tmp_path: Path, config: Config) -> None:
    recordings = tmp_path / "in"
    recordings.mkdir()
    write_audio(recordings / "a.wav", sound().astype(np.float32) / 32768, RATE)
    told: list[redact_audio.Copied] = []
    worker: Callable[..., object] = OtherLanguage()
    done = redact_recordings(config, recordings, tmp_path / "out", told.append, worker=worker)  # type: ignore[arg-type]
    assert [copied.error is not None for copied in done] == [True]
    assert told == done
    assert list((tmp_path / "out").iterdir()) == []


def words_in(worker: Worker, path: Path, spans: list[Muted]) -> list[str]:
    """The words recognised in a recording where the data themselves are, without what is around them."""
    heard = worker.decode(CallSource("demo", path.name, str(path)))
    words = [word for found in worker._transcribe(heard.tracks) for word in found.words]
    return [
        word.text
        for word in words
        if any(s.start_ms + PAD_MS < (word.start_ms + word.end_ms) / 2 < s.end_ms - PAD_MS for s in spans)
    ]


@pytest.mark.models
def test_nothing_of_the_data_is_heard_in_a_copy(tmp_path: Path, config: Config, worker: Worker) -> None:
    """Demo 1: what redaction found is gone, the rest is the recording's own, and what fails leaves nothing."""
    recordings, out = tmp_path / "in", tmp_path / "out"
    recordings.mkdir()
    source = next((RECORDINGS).glob("demo-1*"))
    original, rate = decode_original(source, "demo", config.audio)
    recording = recordings / "demo.wav"
    redact_audio._write(recording, original, rate)
    (recordings / "broken.wav").write_bytes(b"no sound")

    broken, copied = redact_recordings(config, recordings, out, lambda _: None, worker=worker)

    assert broken.error is not None
    assert copied.error is None
    assert [path.name for path in out.iterdir()] == ["demo.wav"]
    copy = out / "demo.wav"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    with wave.open(str(copy)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (len(original), rate, 2)

    (result,), _ = worker([CallSource("demo", "demo.wav", str(recording))])
    assert isinstance(result, CallResult)
    spans = find_data(result)
    assert copied.data == len(spans) > 2
    samples, _ = decode_original(copy, "demo", config.audio)
    for span in spans:
        assert not samples[:, max(0, span.start_ms) * rate // 1000 : span.end_ms * rate // 1000].any()
    is_same = (samples == original).all(axis=0)
    assert is_same.mean() > 1 - copied.muted_ms / (1000 * original.shape[1] / rate) - 0.001

    said = words_in(worker, recording, spans)
    assert len(said) >= len(spans)  # how many words a datum is heard as differs between processors
    assert words_in(worker, copy, spans) == []
    texts = {word.text for turn in result.turns for word in turn.words}
    gone = {word for word in said if len(word) > 3} - texts
    heard = worker.decode(CallSource("demo", "demo.wav", str(copy)))
    again = {word.text for found in worker._transcribe(heard.tracks) for word in found.words}
    assert gone
    assert not gone & again
