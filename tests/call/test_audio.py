"""Decoding: every format and rate a recorder writes, the layouts, the levels, and files that are no recordings."""

from __future__ import annotations

import hashlib
import shutil
import socket
import struct
from pathlib import Path

import numpy as np
import pytest

from callanalytics.call.audio import SAMPLE_RATE_HZ, Recording, decode_recording, frame_levels_db
from callanalytics.config import Audio, Config
from callanalytics.errors import CallError
from tests.support.fakes import CODECS, Clip, music, noise, resample, tone, write_audio
from tests.support.paths import RECORDINGS, bundled


@pytest.fixture(scope="module")
def settings(config: Config) -> Audio:
    return config.audio


def decode(path: Path, settings: Audio) -> Recording:
    recording = decode_recording(path, "c1", settings)
    assert recording.samples.dtype == np.float32
    assert np.isfinite(recording.samples).all()
    assert np.abs(recording.samples).max() <= 1.0
    assert recording.duration_ms == recording.samples.shape[1] // 16
    assert recording.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    return recording


def refusal(path: Path, settings: Audio) -> str:
    """The message of a refused recording: one sentence for a person, naming the stage and what mends it."""
    with pytest.raises(CallError) as caught:
        decode_recording(path, "c1", settings)
    message = str(caught.value)
    assert caught.value.stage == "decode"
    assert message.startswith("Call c1 failed at stage decode: ")
    assert "\n" not in message
    assert message.endswith(".")
    # What is wrong, then what mends it.
    assert len([part for part in str(caught.value.reason).split(";") if part.strip()]) >= 2
    return str(caught.value.reason)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two sounds whatever their level and a codec's delay of up to 0.15 s."""
    n = min(len(a), len(b))
    size = 1 << (2 * n - 1).bit_length()
    cross = np.fft.irfft(np.fft.rfft(a[:n], size) * np.conj(np.fft.rfft(b[:n], size)), size)
    near = np.concatenate([cross[:2400], cross[-2400:]])
    return float(near.max() / np.sqrt((a[:n] ** 2).sum() * (b[:n] ** 2).sum()))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("kind", "rate"),
    [
        ("pcm16", 8000), ("pcm16", 11025), ("pcm16", 16000), ("pcm16", 44100), ("pcm16", 48000), ("pcm24", 16000),
        ("float", 22050), ("alaw", 8000), ("mulaw", 8000), ("gsm", 8000), ("mp3", 8000), ("mp3", 16000),
        ("mp3", 44100), ("opus", 8000), ("opus", 16000), ("opus", 48000), ("m4a", 16000), ("m4a", 44100),
        ("flac", 8000), ("flac", 48000),
    ],
)  # fmt: skip
def test_every_format_and_rate_gives_the_same_sound(
    tmp_path: Path, settings: Audio, stereo_clip: Clip, kind: str, rate: int, channels: int
) -> None:
    if kind == "gsm" and channels == 2:
        pytest.skip("GSM carries one channel")
    original = stereo_clip.samples[:, : 8000 * 8]
    if channels == 1:
        original = original[:1]
    path = write_audio(tmp_path / f"a.{kind if kind in CODECS else 'wav'}", resample(original, 8000, rate), rate, kind)
    recording = decode(path, settings)
    # A codec may add its priming and padding, never more than a tenth of a second.
    assert abs(recording.duration_ms - 8000) <= 100
    assert len(recording.samples) == channels
    assert recording.layout == ("mono" if channels == 1 else "stereo")
    wanted = resample(original, 8000, SAMPLE_RATE_HZ)
    for row, source in zip(recording.samples, wanted, strict=True):
        # Opus and GSM keep what is heard, not the wave.
        assert likeness(row, source) > (0.6 if kind in ("opus", "gsm") else 0.9)


@pytest.mark.parametrize("path", sorted(RECORDINGS.iterdir()), ids=lambda path: path.name)
def test_bundled_recordings_decode(path: Path, settings: Audio) -> None:
    recording = decode(path, settings)
    layouts = {"demo-1": "stereo", "demo-2": "mono", "demo-3": "stereo", "demo-4": "mono", "demo-5": "dual_mono"}
    assert recording.layout == layouts[path.name[:6]]
    assert not recording.is_silent


def test_duration_is_that_of_the_samples_whatever_the_header_says(tmp_path: Path, settings: Audio) -> None:
    path = write_audio(tmp_path / "a.wav", tone(440, 2, 8000)[None], 8000)
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)  # as a recorder that was stopped leaves it
    path.write_bytes(data)
    assert decode(path, settings).duration_ms == 2000


def test_channels_keep_their_order(tmp_path: Path, settings: Audio) -> None:
    left, right = tone(300, 2, 8000), tone(1000, 2, 8000)
    recording = decode(write_audio(tmp_path / "a.wav", np.stack([left, right]), 8000), settings)
    strongest = [np.argmax(np.abs(np.fft.rfft(row))) * 16_000 / len(row) for row in recording.samples]
    assert strongest == pytest.approx([300, 1000], abs=2)


# --- layout ---------------------------------------------------------------------------------------------------------


def test_identical_channels_are_one(tmp_path: Path, settings: Audio, mono_clip: Clip) -> None:
    both = np.repeat(mono_clip.samples, 2, axis=0)
    recording = decode(write_audio(tmp_path / "a.wav", both, 8000), settings)
    assert recording.layout == "dual_mono"
    assert len(recording.samples) == len(recording.gains_db) == 1


def test_channels_that_differ_by_noise_of_the_codec_are_one(
    tmp_path: Path, settings: Audio, mono_clip: Clip
) -> None:
    both = np.repeat(mono_clip.samples, 2, axis=0)
    both[1] += np.random.default_rng(0).standard_normal(both.shape[1]).astype(np.float32) * both.std() * 0.005
    assert decode(write_audio(tmp_path / "a.wav", both, 8000), settings).layout == "dual_mono"


def test_a_loud_echo_on_the_other_channel_stays_stereo(tmp_path: Path, settings: Audio, stereo_clip: Clip) -> None:
    left, right = stereo_clip.samples
    mixed = np.stack([left + 0.3 * right, right + 0.3 * left])
    assert decode(write_audio(tmp_path / "a.wav", mixed, 8000), settings).layout == "stereo"


@pytest.mark.parametrize("silent", [0, 1])
def test_a_silent_channel_is_dropped(tmp_path: Path, settings: Audio, mono_clip: Clip, silent: int) -> None:
    both = np.repeat(mono_clip.samples, 2, axis=0)
    both[silent] = 0
    recording = decode(write_audio(tmp_path / "a.wav", both, 8000), settings)
    assert recording.layout == "mono"
    assert not recording.is_silent
    assert likeness(recording.samples[0], mono_clip.wide[0]) > 0.98


@pytest.mark.parametrize("kind", ["pcm16", "alaw", "mulaw"])
@pytest.mark.parametrize("channels", [1, 2])
def test_silence_is_told(tmp_path: Path, settings: Audio, kind: str, channels: int) -> None:
    path = write_audio(tmp_path / "a.wav", np.zeros((channels, 16000), np.float32), 8000, kind)
    recording = decode(path, settings)
    assert recording.is_silent
    assert recording.duration_ms == 2000
    # Nothing is made louder than it is.
    assert np.abs(recording.samples).max() < 2e-3


# --- level ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gain_db", [-30, -12, 0, 8])
def test_level_is_brought_to_the_target(tmp_path: Path, settings: Audio, mono_clip: Clip, gain_db: int) -> None:
    spoken = mono_clip.samples / np.abs(mono_clip.samples).max() * 0.35 * 10 ** (gain_db / 20)
    recording = decode(write_audio(tmp_path / "a.wav", spoken, 8000, "float"), settings)
    levels = frame_levels_db(recording.samples[0])
    loud = levels[levels > levels.max() - 30]
    mean_db = 10 * np.log10(np.mean(10 ** (loud / 10)))
    assert mean_db == pytest.approx(settings.target_level_dbfs, abs=1.5)


def test_each_channel_has_its_own_gain(tmp_path: Path, settings: Audio, stereo_clip: Clip) -> None:
    uneven = stereo_clip.samples * np.array([[1.0], [0.05]], np.float32)
    even = decode(write_audio(tmp_path / "a.wav", stereo_clip.samples, 8000, "float"), settings)
    recording = decode(write_audio(tmp_path / "b.wav", uneven, 8000, "float"), settings)
    assert recording.gains_db[0] == pytest.approx(even.gains_db[0], abs=0.1)
    assert recording.gains_db[1] == pytest.approx(even.gains_db[1] + 26, abs=0.5)


def test_faint_line_noise_is_not_made_to_roar(tmp_path: Path, settings: Audio) -> None:
    path = write_audio(tmp_path / "a.wav", noise(3, level=3e-4)[None], 16000, "float")
    assert frame_levels_db(decode(path, settings).samples[0]).max() < -25


def test_levels_as_recorded_stay_known(tmp_path: Path, settings: Audio, mono_clip: Clip) -> None:
    recording = decode(write_audio(tmp_path / "a.wav", mono_clip.samples, 8000, "float"), settings)
    before = frame_levels_db(mono_clip.wide[0])
    after = frame_levels_db(recording.samples[0])[: len(before)] - recording.gains_db[0]
    spoken = before[: len(after)] > -50
    assert np.median(np.abs(after - before[: len(after)])[spoken]) < 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_a_sample_that_is_no_number_spoils_nothing(
    tmp_path: Path, settings: Audio, mono_clip: Clip, bad: float
) -> None:
    spoilt = mono_clip.samples.copy()
    spoilt[0, 5000] = bad
    recording = decode(write_audio(tmp_path / "a.wav", spoilt, 8000, "float"), settings)
    assert likeness(recording.samples[0][16_000:], mono_clip.wide[0][16_000:]) > 0.9
    assert np.median(frame_levels_db(recording.samples[0])) > -60


# --- files that are no recordings -----------------------------------------------------------------------------------


def test_zero_bytes_are_refused(tmp_path: Path, settings: Audio) -> None:
    path = tmp_path / "a.wav"
    path.touch()
    assert "empty" in refusal(path, settings)


def test_a_text_file_is_refused(tmp_path: Path, settings: Audio) -> None:
    path = tmp_path / "a.wav"
    path.write_text("Dit is geen opname.\n" * 100)
    reason = refusal(path, settings)
    assert "no audio" in reason
    assert "opname" not in reason  # what the file says is nobody's business


def test_random_bytes_are_refused(tmp_path: Path, settings: Audio) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(np.random.default_rng(3).bytes(5000))
    refusal(path, settings)


def test_a_header_without_sound_is_refused(tmp_path: Path, settings: Audio) -> None:
    assert "no sound" in refusal(write_audio(tmp_path / "a.wav", np.zeros((1, 0), np.float32), 8000), settings)


def test_a_missing_file_is_refused(tmp_path: Path, settings: Audio) -> None:
    assert "can't be opened" in refusal(tmp_path / "a.wav", settings)


def test_a_folder_is_refused(tmp_path: Path, settings: Audio) -> None:
    (tmp_path / "a.wav").mkdir()
    refusal(tmp_path / "a.wav", settings)


def test_a_picture_is_refused(tmp_path: Path, settings: Audio) -> None:
    import av

    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    assert "holds no audio" in refusal(path, settings)


@pytest.mark.parametrize("kind", ["flac", "pcm16"])
def test_six_channels_are_refused(tmp_path: Path, settings: Audio, kind: str) -> None:
    path = write_audio(tmp_path / "a.x", np.stack([tone(200 + 50 * i, 1, 8000) for i in range(6)]), 8000, kind)
    assert "6 channels" in refusal(path, settings)


def test_a_recording_that_is_too_long_is_refused(tmp_path: Path, settings: Audio) -> None:
    path = write_audio(tmp_path / "a.wav", tone(440, 3, 8000)[None], 8000)
    assert "longer than 2 s" in refusal(path, settings.model_copy(update={"max_duration_s": 2.0}))


def test_a_playlist_does_not_open_other_files(tmp_path: Path, settings: Audio, mono_clip: Clip) -> None:
    """FFmpeg reads playlists of any name; the files they point at were never meant to be published."""
    other = write_audio(tmp_path / "secret.mp3", mono_clip.samples, 8000, "mp3")
    inside = tmp_path / "calls"
    inside.mkdir()
    texts = {
        "hls.wav": f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:25\n#EXTINF:25,\n{other}\n#EXT-X-ENDLIST\n",
        "concat.wav": "ffconcat version 1.0\nfile 'beside.mp3'\n",
    }
    shutil.copy(other, inside / "beside.mp3")
    for name, text in texts.items():
        (inside / name).write_text(text)
        refusal(inside / name, settings)


def test_a_recording_under_the_wrong_name_is_read(tmp_path: Path, settings: Audio, mono_clip: Clip) -> None:
    path = write_audio(tmp_path / "a.wav", mono_clip.samples, 8000, "mp3")
    recording = decode(path, settings)
    assert abs(recording.duration_ms - 25_000) <= 200
    assert likeness(recording.samples[0], mono_clip.wide[0]) > 0.8


@pytest.mark.parametrize("kind", ["mp3", "opus", "flac", "pcm16"])
def test_a_recording_that_breaks_off_is_used_as_far_as_it_goes(
    tmp_path: Path, settings: Audio, mono_clip: Clip, kind: str
) -> None:
    path = write_audio(tmp_path / "a.x", mono_clip.samples, 8000, kind)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    recording = decode(path, settings)
    assert 11_000 < recording.duration_ms < 19_000
    assert not recording.is_silent


def test_an_m4a_that_breaks_off_is_refused(tmp_path: Path, settings: Audio, mono_clip: Clip) -> None:
    """Its index stands at the end, so nothing can be found in it."""
    path = write_audio(tmp_path / "a.m4a", mono_clip.samples, 8000, "m4a")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    refusal(path, settings)


def test_noise_in_the_middle_of_an_mp3_costs_only_that_stretch(
    tmp_path: Path, settings: Audio, mono_clip: Clip
) -> None:
    path = write_audio(tmp_path / "a.mp3", mono_clip.samples, 8000, "mp3")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1500] = np.random.default_rng(0).bytes(1500)
    path.write_bytes(data)
    assert decode(path, settings).duration_ms > 12_000


@pytest.mark.parametrize("milliseconds", [20, 50, 100])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_click_is_a_recording(tmp_path: Path, settings: Audio, milliseconds: int, channels: int) -> None:
    sound = np.stack([tone(300 * (i + 1), milliseconds / 1000, 8000) for i in range(channels)])
    recording = decode(write_audio(tmp_path / "a.wav", sound, 8000), settings)
    assert recording.duration_ms == pytest.approx(milliseconds, abs=1)


@pytest.mark.parametrize("name", ["concat:secret.wav", "file:secret.wav", "subfile,,start,0,end,0,,:secret.wav"])
def test_a_name_never_leads_to_another_file(
    tmp_path: Path, settings: Audio, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """FFmpeg takes what stands before a colon for a protocol."""
    monkeypatch.chdir(tmp_path)
    write_audio(Path("secret.wav"), tone(300, 1, 8000)[None], 8000)
    Path(name).write_text("no audio")
    refusal(Path(name), settings)
    write_audio(Path(name), tone(300, 2, 8000)[None], 8000)
    assert decode(Path(name), settings).duration_ms == 2000


def test_a_name_never_leads_to_the_network(tmp_path: Path, settings: Audio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        name = f"tcp:127.0.0.1:{server.getsockname()[1]}?x=.wav"
        Path(name).write_text("no audio")
        refusal(Path(name), settings)
        with pytest.raises(TimeoutError):
            server.accept()


def test_decoding_leaves_the_file_alone(tmp_path: Path, settings: Audio) -> None:
    path = tmp_path / "a.m4a"
    shutil.copy(bundled("demo-1"), path)
    path.chmod(0o400)
    before = path.read_bytes()
    decode(path, settings)
    assert path.read_bytes() == before


def test_music_is_levelled_like_speech(tmp_path: Path, settings: Audio) -> None:
    loud = decode(write_audio(tmp_path / "a.wav", music("organ", 4, level=0.3)[None], 16000), settings)
    quiet = decode(write_audio(tmp_path / "b.wav", music("organ", 4, level=0.01)[None], 16000), settings)
    assert np.abs(loud.samples).mean() == pytest.approx(np.abs(quiet.samples).mean(), rel=0.1)
