"""What there is to process: folders, calls.csv, sidecars, vCon, and each mistake such files can hold."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from callanalytics.engine.intake import Refused, list_calls
from callanalytics.errors import InputError, ManifestError
from callanalytics.records import CallSource


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three recordings, one of them in a subfolder."""
    root = tmp_path / "recordings"
    (root / "maandag").mkdir(parents=True)
    for name in ("a.wav", "b.MP3", "maandag/c.opus"):
        (root / name).write_bytes(b"sound")
    return root


def csv(folder: Path, *lines: str, name: str = "calls.csv", where: Path | None = None) -> Path:
    path = (where or folder.parent) / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def ids(calls: list[CallSource | Refused]) -> list[str]:
    return [c.call_id if isinstance(c, CallSource) else f"-{c.call.call_id}" for c in calls]


def refused(calls: list[CallSource | Refused]) -> dict[str, str]:
    return {c.call.recording: str(c.reason) for c in calls if isinstance(c, Refused)}


def described(call: CallSource | Refused) -> CallSource:
    assert isinstance(call, CallSource), call
    return call


# --- folders --------------------------------------------------------------------------------------------------------


def test_a_folder_gives_its_recordings_with_subfolders_sorted_by_id(folder: Path) -> None:
    (folder / "notes.txt").write_text("x")
    calls = list_calls(folder)
    assert ids(calls) == ["a", "b", "c"]
    assert [described(c).recording for c in calls] == ["a.wav", "b.MP3", "maandag/c.opus"]
    assert all(Path(described(c).path).is_file() for c in calls)


def test_one_file_is_a_folder_of_one(folder: Path) -> None:
    (call,) = list_calls(folder / "a.wav")
    assert (described(call).call_id, described(call).recording) == ("a", "a.wav")


def test_an_empty_folder_has_no_calls(tmp_path: Path) -> None:
    assert list_calls(tmp_path) == []


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file or folder"):
        list_calls(tmp_path / "nowhere")


def test_links_that_lead_out_of_the_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.wav").write_bytes(b"x")
    (folder / "link.wav").symlink_to(outside / "secret.wav")
    (folder / "linked").symlink_to(outside)
    (folder / "broken.wav").symlink_to(tmp_path / "nowhere.wav")
    (folder / "inside.wav").symlink_to(folder / "a.wav")
    calls = list_calls(folder)
    assert [i for i in ids(calls) if i != "inside"] == ["a", "b", "c", "-link"]
    assert refused(calls) == {"link.wav": "it is a link to a file outside of the folder; copy the recording itself."}


def test_a_sidecar_that_is_a_link_out_of_the_folder_is_not_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"queue": "secret", "started_at": "secret"}')
    (folder / "a.json").symlink_to(tmp_path / "secret.json")
    assert described(list_calls(folder)[0]).queue is None


OUTSIDE = ["../secret.wav", "/{}/secret.wav", "../../../../../../../../../etc/passwd", "link.wav"]


@pytest.mark.parametrize("where", OUTSIDE)
def test_calls_csv_cannot_lead_out_of_the_folder(folder: Path, tmp_path: Path, where: str) -> None:
    (tmp_path / "secret.wav").write_bytes(b"x")
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    named = where.format(tmp_path)
    path = csv(folder, "call_id,recording", f"out,{named}", "in,a.wav", where=folder)
    calls = list_calls(folder, path)
    assert "not in the folder" in refused(calls)[named]
    assert {c.call.path for c in calls if isinstance(c, Refused)} == {""}  # nobody reads it, not even for its hash
    assert [c.call_id for c in calls if isinstance(c, CallSource)] == ["b", "c", "in"]
    assert len(calls) == (4 if where == "link.wav" else 5)  # the link has one row


def test_names_that_cannot_be_an_id_are_made_one(folder: Path) -> None:
    (folder / "jan & piet (2).wav").write_bytes(b"x")
    assert "jan___piet__2_" in ids(list_calls(folder))


def test_recordings_of_the_same_name_are_told_apart_or_refused(folder: Path) -> None:
    (folder / "maandag" / "a.mp3").write_bytes(b"x")
    calls = list_calls(folder)
    assert ids(calls) == ["a", "-a", "b", "c"]
    assert "same call_id" in refused(calls)["maandag/a.mp3"]


# --- calls.csv ------------------------------------------------------------------------------------------------------

ALL = "call_id,recording,started_at,agent_id,queue,direction,agent_channel,caller_ref,wait_s"


def test_calls_csv_describes_calls(folder: Path) -> None:
    path = csv(folder, ALL, "k1,recordings/a.wav,2026-10-05T09:42:00+02:00,b01,burgerzaken,inbound,1,x9,12.5")
    calls = list_calls(folder, path)
    assert ids(calls) == ["b", "c", "k1"]
    call = described(calls[2])
    assert call.started_at == datetime.fromisoformat("2026-10-05T07:42:00+00:00")
    assert (call.agent_id, call.queue, call.direction, call.agent_channel) == ("b01", "burgerzaken", "inbound", 1)
    assert (call.caller_ref, call.wait_s, call.recording) == ("x9", 12.5, "recordings/a.wav")


def test_only_the_recording_is_required(folder: Path) -> None:
    calls = list_calls(folder, csv(folder, "recording", "recordings/b.MP3"))
    assert ids(calls) == ["a", "b", "c"]


@pytest.mark.parametrize("recording", ["recordings/a.wav", "a.wav", "./a.wav"])
def test_recordings_are_relative_to_the_csv_or_to_the_folder(folder: Path, recording: str) -> None:
    calls = list_calls(folder, csv(folder, "call_id,recording", f"k1,{recording}"))
    assert ids(calls) == ["b", "c", "k1"]


def test_empty_values_are_unknown(folder: Path) -> None:
    call = described(list_calls(folder, csv(folder, ALL, ",a.wav,,,,,,,"))[0])
    assert call == CallSource("a", "a.wav", str(folder / "a.wav"))


def test_a_short_row_leaves_the_rest_unknown(folder: Path) -> None:
    assert described(list_calls(folder, csv(folder, ALL, "k1,a.wav"))[-1]).call_id == "k1"


def test_a_byte_order_mark_and_windows_lines_are_read(folder: Path) -> None:
    path = folder.parent / "calls.csv"
    path.write_bytes("\ufeffcall_id,recording\r\nk1,a.wav\r\n\r\n".encode())
    assert ids(list_calls(folder, path)) == ["b", "c", "k1"]


def test_a_missing_recording_is_refused_and_costs_the_others_nothing(folder: Path) -> None:
    calls = list_calls(folder, csv(folder, "call_id,recording", "k1,weg.wav", "k2,a.wav"))
    assert ids(calls) == ["b", "c", "-k1", "k2"]
    assert "is not in the folder" in refused(calls)["weg.wav"]


def test_a_recording_named_twice_is_refused_once(folder: Path) -> None:
    calls = list_calls(folder, csv(folder, "call_id,recording", "k1,a.wav", "k2,a.wav"))
    assert ids(calls) == ["b", "c", "k1", "-k2"]
    assert "twice" in refused(calls)["a.wav"]


def test_an_id_given_twice_is_refused_once(folder: Path) -> None:
    calls = list_calls(folder, csv(folder, "call_id,recording", "k1,a.wav", "k1,b.MP3"))
    assert ids(calls) == ["c", "k1", "-k1"]
    assert "same call_id" in refused(calls)["b.MP3"]


def test_rows_of_other_folders_are_not_this_runs_business(folder: Path) -> None:
    path = csv(folder, "call_id,recording", "k1,recordings/a.wav", "k2,recordings/maandag/c.opus")
    assert ids(list_calls(folder / "maandag", path)) == ["k2"]
    assert ids(list_calls(folder / "a.wav", path)) == ["k1"]


def test_a_named_recording_is_taken_whatever_its_suffix(folder: Path) -> None:
    """Nothing that calls.csv names may vanish without a row of calls or failures."""
    (folder / "d.vox").write_bytes(b"x")
    assert "k1" in ids(list_calls(folder, csv(folder, "call_id,recording", "k1,d.vox")))


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["call_id,queue", "k1,x"], 'the column "recording" is missing'),
        ([""], 'the column "recording" is missing'),
        (["recording,agent", "a.wav,x"], "unknown column 'agent'"),
        (["recording;queue", "a.wav;x"], 'the column "recording" is missing'),
        (["recording,queue", "a.wav,x,y"], "line 2: no recording is named, or a value too many"),
        (["recording,queue", ",x"], "line 2: no recording is named"),
        (["recording,started_at", "a.wav,5 oktober"], 'line 2: started_at "5 oktober" is no date and time'),
        (["recording,started_at", "a.wav,2026-02-30T10:00:00+01:00"], "is no date and time"),
        (["recording,started_at", "a.wav,2026-10-05T09:42:00"], "has no time zone"),
        (["recording,agent_channel", "b.MP3,0", "a.wav,2"], 'line 3: agent_channel "2" must be 0, 1 or empty'),
        (["recording,wait_s", "a.wav,lang"], 'wait_s "lang" is no number of seconds'),
        (["recording,wait_s", "a.wav,nan"], 'wait_s "nan" is no number of seconds'),
        (["recording,wait_s", "a.wav,-3"], 'wait_s "-3" is no number of seconds'),
        (["call_id,recording", "../x,a.wav"], "call_id may hold letters"),
        (["call_id,recording", f"{'x' * 201},a.wav"], "200 at most"),
    ],
)
def test_a_csv_that_makes_no_sense_stops_the_run_with_its_line(folder: Path, lines: list[str], problem: str) -> None:
    path = csv(folder, *lines)
    with pytest.raises(ManifestError) as caught:
        list_calls(folder, path)
    message = str(caught.value)
    assert problem in message
    assert str(path) in message
    assert "\n" not in message


def test_a_csv_that_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(ManifestError, match="No such file"):
        list_calls(folder, folder / "nowhere.csv")


@pytest.mark.parametrize("content", [b"recording\n\xff\xfe\x00", b"recording\n" + b"x" * 200_000, b"\x00\x01\x02"])
def test_a_csv_that_is_none_is_told(folder: Path, content: bytes) -> None:
    path = folder.parent / "calls.csv"
    path.write_bytes(content)
    with pytest.raises(ManifestError):
        list_calls(folder, path)


# --- sidecars and vCon ----------------------------------------------------------------------------------------------


def test_a_sidecar_describes_its_recording(folder: Path) -> None:
    sidecar = {"call_id": "k1", "started_at": "2026-10-05T09:42:00+02:00", "agent_channel": 0, "wait_s": 3}
    (folder / "a.json").write_text(json.dumps(sidecar | {"of_others": [1]}))
    call = described(list_calls(folder)[-1])
    assert (call.call_id, call.agent_channel, call.wait_s, call.recording) == ("k1", 0, 3.0, "a.wav")
    assert call.started_at is not None


def test_calls_csv_goes_before_the_sidecar(folder: Path) -> None:
    (folder / "a.json").write_text('{"queue": "sidecar"}')
    call = described(list_calls(folder, csv(folder, "recording,queue", "a.wav,csv"))[0])
    assert call.queue == "csv"


def test_a_sidecar_cannot_name_another_recording(folder: Path, tmp_path: Path) -> None:
    (folder / "a.json").write_text(json.dumps({"recording": str(tmp_path / "secret.wav"), "path": "/etc/passwd"}))
    call = described(list_calls(folder)[0])
    assert (call.recording, call.path) == ("a.wav", str(folder / "a.wav"))


VCON = {
    "vcon": "0.0.1",
    "uuid": "018e3b2a-1",
    "created_at": "2026-10-05T10:00:00Z",
    "parties": [{"tel": "+31612345678", "name": "Jan Jansen"}],
    "dialog": [
        {"type": "text", "start": "2020-01-01T00:00:00Z"},
        {"type": "recording", "start": "2026-10-05T09:42:00+02:00"},
    ],
}


@pytest.mark.parametrize("name", ["a.json", "a.vcon", "a.vcon.json"])
def test_a_vcon_gives_id_and_start_and_no_person(folder: Path, name: str) -> None:
    (folder / name).write_text(json.dumps(VCON))
    call = described(list_calls(folder)[0])
    assert call.call_id == "018e3b2a-1"
    assert call.started_at == datetime.fromisoformat("2026-10-05T07:42:00+00:00")
    assert "ansen" not in repr(call)
    assert "612345678" not in repr(call)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[1, 2]",
        "\x00",
        '"text"',
        '{"started_at": "gisteren"}',
        '{"started_at": 5}',
        '{"agent_channel": "links"}',
        '{"agent_channel": true}',
        '{"call_id": "a/b"}',
        '{"vcon": "1", "dialog": 5}',
        '{"vcon": "1", "dialog": {"start": "x"}, "created_at": []}',
        '{"wait_s": Infinity}',
        "[" * 100_000,
        '{"queue": "' + "x" * (1 << 20) + '"}',
    ],
    ids=lambda text: text[:30].strip("\x00") or "nul",
)
def test_a_sidecar_that_makes_no_sense_costs_its_own_recording_only(folder: Path, content: str) -> None:
    (folder / "a.json").write_text(content)
    calls = list_calls(folder)
    assert ids(calls) == ["-a", "b", "c"]
    reason = refused(calls)["a.wav"]
    assert reason.startswith("its sidecar a.json can't be used: ")
    assert reason.endswith(".")
    assert len(reason) < 300


def test_a_sidecar_that_is_no_text_costs_its_own_recording_only(folder: Path) -> None:
    (folder / "a.json").write_bytes(b"\xff\xfe\x00\x01")
    calls = list_calls(folder)
    assert ids(calls) == ["-a", "b", "c"]
    assert "can't be read as JSON" in refused(calls)["a.wav"]
