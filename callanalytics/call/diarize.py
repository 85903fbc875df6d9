"""Who speaks when in a mono recording, with pyannote.audio.  A recording with a party per channel never comes here.

Voice embeddings live inside `Diarizer.__call__` and are forgotten when it returns: nothing of them is written.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from typing import Any

from callanalytics.call.audio import SAMPLE_RATE_HZ, SAMPLES_PER_MS, Samples
from callanalytics.config import Diarization as DiarizationSettings
from callanalytics.config import Models as ModelSettings
from callanalytics.models import choose_device, find_model
from callanalytics.records import Segment, Span
from callanalytics.spans import cut, merge


class Diarizer:
    """pyannote.audio's SpeakerDiarization with the manifest's models in memory."""

    def __init__(self, settings: DiarizationSettings, models: ModelSettings, threads: int = 1) -> None:
        """Load the verified weights; `threads` cores for one call, 1 where several calls are diarized side by side.

        Raises ModelMissing, ModelRefused or DeviceMissing.
        """
        folders = [find_model(name) for name in models.voices]
        device = choose_device(models.device)
        self._pipeline: Any
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about optional decoders and precision, nothing a user can act on
            import torch
            from pyannote.audio import Pipeline

            torch.set_num_threads(threads)
            if models.diarization:
                self._pipeline = Pipeline.from_pretrained(folders[0])
            else:
                self._pipeline = _build(settings, *folders)
            self._pipeline.to(torch.device(device))
        self._settings = settings

    def __call__(self, samples: Samples, speech: Sequence[Span]) -> tuple[list[Segment], list[Segment]]:
        """Speaker segments of (n,) float32 samples at 16 kHz, sorted by start: all of them, then exclusive ones.

        In the exclusive ones nobody overlaps: they are for joining words to speakers.  Sound outside the `speech`
        spans (ms) is silenced first: hold music has no speaker.
        """
        import numpy as np
        import torch

        if not speech:
            return [], []
        heard = np.zeros_like(samples)
        for start, end in speech:
            at = slice(start * SAMPLES_PER_MS, end * SAMPLES_PER_MS)
            heard[at] = samples[at]
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            output = self._pipeline(
                {"waveform": torch.from_numpy(heard)[None], "sample_rate": SAMPLE_RATE_HZ, "uri": "call"},
                min_speakers=self._settings.min_speakers,
                max_speakers=self._settings.max_speakers,
            )
        overlapping = _segments(output.speaker_diarization)
        exclusive = _segments(output.exclusive_speaker_diarization)
        return cover(overlapping, speech, self._settings.bridge_ms), cover(exclusive, speech, self._settings.bridge_ms)


def _segments(annotation: Any) -> list[Segment]:
    found = [
        Segment(str(label), round(span.start * 1000), round(span.end * 1000))
        for span, _, label in annotation.itertracks(yield_label=True)
    ]
    return sorted((s for s in found if s.end_ms > s.start_ms), key=lambda s: (s.start_ms, s.end_ms, s.speaker))


def cover(segments: Sequence[Segment], speech: Sequence[Span], bridge_ms: int) -> list[Segment]:
    """Segments that reach over all speech: what no speaker was found for goes to the speaker nearest in time, then a
    speaker's pauses of up to `bridge_ms` in which nobody else speaks are closed.

    The segmentation model is cautious on narrow-band speech; the voice activity knows better where speech ends.
    A@0-10 B@20-30  with speech 0-14 18-30   ->   A@0-14 B@18-30
    """
    if not segments:
        return []
    found = list(segments)
    for start, end in cut(speech, merge([(s.start_ms, s.end_ms) for s in segments], 0)):
        before = max((s for s in segments if s.end_ms <= start), key=lambda s: s.end_ms, default=None)
        after = min((s for s in segments if s.start_ms >= end), key=lambda s: s.start_ms, default=None)
        if before and after and before.speaker != after.speaker:
            # Both may own it; each takes the half on its side when it touches both.
            to_before, to_after = start - before.end_ms, after.start_ms - end
            middle = (start + end) // 2 if to_before == to_after == 0 else (end if to_before <= to_after else start)
            found += [Segment(before.speaker, start, middle), Segment(after.speaker, middle, end)]
        elif near := before or after:
            found.append(Segment(near.speaker, start, end))
    found = [s for s in found if s.end_ms > s.start_ms]
    bridged: list[Segment] = []
    for speaker in sorted({s.speaker for s in found}):
        others = merge([(s.start_ms, s.end_ms) for s in found if s.speaker != speaker], 0)
        own = merge([(s.start_ms, s.end_ms) for s in found if s.speaker == speaker], 0)
        pauses = [(a, b) for (_, a), (b, _) in itertools.pairwise(own) if b - a <= bridge_ms]
        free = [pause for pause in pauses if not any(start < pause[1] and end > pause[0] for start, end in others)]
        bridged += [Segment(speaker, start, end) for start, end in merge([*own, *free], 0)]
    return sorted(bridged, key=lambda s: (s.start_ms, s.end_ms, s.speaker))


def _build(settings: DiarizationSettings, segmentation: Any, embedding: Any) -> Any:
    """pyannote's pipeline around its segmentation model and CAM++."""
    from pyannote.audio import Model
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

    from callanalytics.call.campplus import CampplusModel

    model: Any = Model.from_pretrained(segmentation / "pytorch_model.bin")
    pipeline = SpeakerDiarization(
        segmentation=model,
        segmentation_step=settings.step,
        segmentation_batch_size=settings.batch_size,
        embedding=CampplusModel(embedding / "campplus_cn_en_common.pt"),
        embedding_batch_size=settings.batch_size,
        embedding_exclude_overlap=True,
        clustering="AgglomerativeClustering",
        # The constructor wants one even where the clustering never asks it.
        plda=PLDA.__new__(PLDA),
    )
    pipeline.instantiate(
        {
            "segmentation": {"min_duration_off": 0.0},
            "clustering": {
                "method": "centroid",
                "threshold": settings.threshold,
                "min_cluster_size": settings.min_cluster_size,
            },
        }
    )
    return pipeline
