"""The systems that the benchmark compares; each runs in a process of its own, with models and recordings the same.

usage: .venv/bin/python -m tests.bench.systems NAME RECORDINGS RESULT.json

RESULT gets, per call: `words` [[text, start_s, end_s]] and `segments` [[speaker, start_s, end_s]], and once: `audio_s`,
`load_s` (imports and models) and `work_s`.

script   what a user writes today: faster-whisper's `transcribe` with VAD and word times, then pyannote.audio's
         SpeakerDiarization, both as they come, file after file
batched  the same with faster-whisper's BatchedInferencePipeline
whisperx whisperX's batched recognition with the VAD it brings; no alignment and no speakers (weights not here)
ours     `callanalytics run`, from recordings to published Parquet
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

CORES = 2
BATCH = 8  # windows
Calls = dict[str, dict[str, list[list[Any]]]]


def recordings_in(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.suffix in {".wav", ".mp3", ".opus", ".ogg", ".flac", ".m4a"}
    )


def script(folder: Path, *, batched: bool) -> tuple[Calls, float, float]:
    """(a) and (b): recognise a file, diarize it, take the next; returns calls, seconds of audio and of loading."""
    began = time.perf_counter()
    import torch
    from faster_whisper import BatchedInferencePipeline, WhisperModel
    from faster_whisper.audio import decode_audio

    from callanalytics.config import load_config
    from callanalytics.models import find_model

    config = load_config()
    model: Any = WhisperModel(
        str(find_model(config.models.recognition)), device="cpu", compute_type="int8", cpu_threads=CORES
    )
    pipeline: Any = BatchedInferencePipeline(model) if batched else model
    options = {"batch_size": BATCH} if batched else {"vad_filter": True}
    diarize = plain_diarization(config)
    loaded = time.perf_counter() - began
    calls: Calls = {}
    audio_s = 0.0
    for path in recordings_in(folder):
        segments, info = pipeline.transcribe(str(path), language="nl", word_timestamps=True, **options)
        words = [[w.word, w.start, w.end] for segment in segments for w in segment.words]
        samples = torch.from_numpy(decode_audio(str(path)))[None]
        output = diarize({"waveform": samples, "sample_rate": 16_000})
        spans = output.speaker_diarization.itertracks(yield_label=True)
        calls[path.stem] = {"words": words, "segments": [[str(who), s.start, s.end] for s, _, who in spans]}
        audio_s += info.duration
    return calls, audio_s, loaded


def plain_diarization(config: Any) -> Any:
    """pyannote's SpeakerDiarization with its own step and batches, around the weights that are here.

    Its default clustering (VBx) needs a PLDA whose weights are not here; agglomerative clustering takes its place, with
    the threshold that fits these embeddings.
    """
    import torch
    from pyannote.audio import Model
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

    from callanalytics.call.campplus import CampplusModel
    from callanalytics.models import find_model

    torch.set_num_threads(CORES)
    segmentation, embedding = (find_model(name) for name in config.models.voices)
    pipeline = SpeakerDiarization(
        segmentation=Model.from_pretrained(segmentation / "pytorch_model.bin"),
        embedding=CampplusModel(embedding / "campplus_cn_en_common.pt"),
        clustering="AgglomerativeClustering",
        plda=PLDA.__new__(PLDA),
    )
    clustering = {"method": "centroid", "threshold": config.diarization.threshold, "min_cluster_size": 12}
    pipeline.instantiate({"segmentation": {"min_duration_off": 0.0}, "clustering": clustering})
    return pipeline


def ours(folder: Path) -> tuple[Calls, float, float]:
    """(d): the real run; words and turns are noted on their way, before redaction."""
    began = time.perf_counter()
    from callanalytics.call import pipeline
    from callanalytics.config import load_config
    from callanalytics.engine import batch as engine

    calls: Calls = {}

    class Noting(pipeline.Worker):
        def _turns(self, heard: Any, *heard_so_far: Any) -> Any:
            turns = super()._turns(heard, *heard_so_far)
            words = [w for turn in turns for w in turn.words]
            calls[heard.call.call_id] = {
                "words": [[w.text, w.start_ms / 1000, w.end_ms / 1000] for w in words],
                "segments": [[t.speaker, t.start_ms / 1000, t.end_ms / 1000] for t in turns],
            }
            return turns

    pipeline.Worker = Noting  # type: ignore[misc]
    loaded = time.perf_counter() - began

    class Silent:
        def planned(self, plan: Any) -> None: ...
        def advanced(self, progress: Any) -> None: ...
        def failed(self, row: Any) -> None: ...

    with tempfile.TemporaryDirectory() as out:
        config = load_config()
        # In this process, so that its words can be noted and its memory is all that a worker takes.
        here = {"isolated": False, "skip_duplicates": False, "settle_s": 0.0}
        config = config.model_copy(update={"engine": config.engine.model_copy(update=here)})
        row = engine.run(config, folder, Path(out) / "out", Silent())
    return calls, row.audio_ms / 1000, loaded


def whisperx(folder: Path) -> tuple[Calls, float, float]:
    """(c): recognition alone, where whisperX is installed; nothing else of it works without the hub."""
    began = time.perf_counter()
    from faster_whisper import decode_audio  # whisperX's own wants the program ffmpeg
    from whisperx import asr  # type: ignore[import-not-found]

    from callanalytics.config import load_config
    from callanalytics.models import find_model

    model = asr.load_model(
        str(find_model(load_config().models.recognition)),
        "cpu", compute_type="int8", language="nl", threads=CORES, vad_method="pyannote",
    )  # fmt: skip
    loaded = time.perf_counter() - began
    calls: Calls = {}
    audio_s = 0.0
    for path in recordings_in(folder):
        samples = decode_audio(str(path))
        result = model.transcribe(samples, batch_size=BATCH)
        words = [[word, s["start"], s["end"]] for s in result["segments"] for word in s["text"].split()]
        calls[path.stem] = {"words": words, "segments": []}
        audio_s += len(samples) / 16_000
    return calls, audio_s, loaded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=("script", "batched", "whisperx", "ours"))
    parser.add_argument("recordings", type=Path)
    parser.add_argument("result", type=Path)
    options = parser.parse_args()
    name, folder, result = options.name, options.recordings, options.result
    began = time.perf_counter()
    if name == "ours":
        calls, audio_s, load_s = ours(folder)
    elif name == "whisperx":
        calls, audio_s, load_s = whisperx(folder)
    else:
        calls, audio_s, load_s = script(folder, batched=name == "batched")
    work_s = time.perf_counter() - began - load_s
    result.write_text(json.dumps({"calls": calls, "audio_s": audio_s, "load_s": load_s, "work_s": work_s}))


if __name__ == "__main__":
    main()
