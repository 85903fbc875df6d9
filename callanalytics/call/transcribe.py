"""Speech regions to words with faster-whisper, in batches that are filled from many channels and many calls at once.

A window holds speech of one track (a channel of a call) only, so nothing of one call can leak into another's text;
windows of any tracks share a batch.  Each window is decoded without text from before it: that stops Whisper's loops
from spreading, and makes a call's words independent of what else is in its batch.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from callanalytics.call.audio import SAMPLES_PER_MS, Samples
from callanalytics.config import Models as ModelSettings
from callanalytics.config import Municipality
from callanalytics.config import Recognition as RecognitionSettings
from callanalytics.models import choose_device, find_model
from callanalytics.records import Span, Word

PREPENDED = "\"'“¿([{-"
LONG_PAUSE_MS = 1000  # a pause this long ends a sentence; a longer one is no better place to cut
CPU_BATCH, GPU_BATCH = 4, 16  # windows; more than 4 gain nothing on a core, and each takes 90 MB there
Features = NDArray[np.float32]
Map = Callable[..., Iterable[Any]]
APPENDED = "\"'.。,，!！?？:：”)]}、"


@dataclass(frozen=True, slots=True)
class Track:
    """A channel of a call: `samples` (n,) float32 at 16 kHz and the spans of it, in ms, in which somebody speaks."""

    samples: Samples
    speech: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What was recognised in a track; the language's probability is None when nothing was spoken."""

    words: tuple[Word, ...]
    language_probability: float | None


class Piece(NamedTuple):
    """A stretch of a track inside a window: both starts in ms."""

    in_window_ms: int
    in_track_ms: int
    length_ms: int


@dataclass(frozen=True, slots=True)
class Window:
    """At most 30 s of one track's speech, its pauses shortened."""

    track: int
    pieces: tuple[Piece, ...]

    @property
    def length_ms(self) -> int:
        """Length of the window's sound."""
        return self.pieces[-1].in_window_ms + self.pieces[-1].length_ms


class Transcriber:
    """Whisper with its weights in memory; deterministic: no sampling, no state between calls."""

    def __init__(
        self, settings: RecognitionSettings, models: ModelSettings, municipality: Municipality, lanes: int = 1
    ) -> None:
        """Load the verified weights once for `lanes` threads that recognise side by side, a core each.

        Raises ModelMissing, ModelRefused, DeviceMissing.
        """
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer

        folder, device = find_model(models.recognition), choose_device(models.device)
        compute_type = models.compute_type if device == "cpu" else "float16"
        self._settings, self._lanes, self._on_cpu = settings, lanes, device == "cpu"
        self._batch_size = settings.batch_size or (CPU_BATCH if self._on_cpu else GPU_BATCH)
        # A window at a time stays in a core's cache (a quarter faster); a GPU wants many.
        self._encode_batch = 1 if self._on_cpu else self._batch_size
        self._whisper = WhisperModel(
            str(folder),
            device=device,
            compute_type=compute_type,
            cpu_threads=1,
            num_workers=lanes,
            local_files_only=True,
        )
        self._tokenizer = Tokenizer(
            self._whisper.hf_tokenizer,
            self._whisper.model.is_multilingual,
            task="transcribe",
            language=settings.language,
        )
        from faster_whisper.transcribe import get_suppressed_tokens

        self._suppressed = list(get_suppressed_tokens(self._tokenizer, [-1]))
        before = before_call(settings, municipality)
        self._context = self._tokenizer.encode(" " + before) if before else []
        self._blocked = [re.compile(_loose(phrase)) for phrase in settings.blocklist]

    def __call__(self, tracks: Sequence[Track], mapped: Map = map, *, is_tight: bool = False) -> list[Hypothesis]:
        """Recognise all tracks, in the order given; a track without speech gives no words.

        `mapped` works like `map` and may run batches side by side; `is_tight` halves them on a CPU, for less memory.
        """
        windows = [w for i, track in enumerate(tracks) for w in pack(track.speech, self._settings, i)]
        # Alike lengths together: a batch takes as long as its longest text.
        windows.sort(key=lambda w: (-w.length_ms, w.track, w.pieces))
        most = max(1, self._batch_size // 2) if is_tight and self._on_cpu else self._batch_size
        batches = deal(windows, most, self._lanes)
        words: list[list[Word]] = [[] for _ in tracks]
        dutch = [[0.0, 0.0] for _ in tracks]  # sum of probability x length, sum of length
        for batch, recognised in zip(batches, mapped(partial(self._recognise, tracks), batches), strict=True):
            for window, (found, probability) in zip(batch, recognised, strict=True):
                words[window.track] += found
                dutch[window.track][0] += probability * window.length_ms
                dutch[window.track][1] += window.length_ms
        return [
            Hypothesis(tuple(sorted(found, key=lambda w: (w.start_ms, w.end_ms))), p / n if n else None)
            for found, (p, n) in zip(words, dutch, strict=True)
        ]

    def _recognise(self, tracks: Sequence[Track], batch: Sequence[Window]) -> list[tuple[list[Word], float]]:
        """Words in call time and the probability of the language, per window."""
        features = np.stack([self._features(assemble(w, tracks[w.track].samples)) for w in batch])
        parts = self._encode(features)
        encoded = _joined(parts)
        languages = self._whisper.model.detect_language(encoded)
        texts = self._decode(encoded, len(batch))
        for i, text in enumerate(texts):
            if not self._is_sound(text):
                # A loop or a guess: forbid repeats, and keep the attempt that is likelier.
                (alone,) = self._encode(features[i : i + 1])
                again = self._decode(alone, 1, no_repeat_ngram_size=3, repetition_penalty=1.1)[0]
                better = again if self._is_sound(again) or again.logprob > text.logprob else text
                texts[i] = better if better.logprob > 2 * self._settings.min_logprob else Text([], 0.0)
        # Aligned in the parts they were encoded in: the last digits of a product depend on its size, and a word's
        # confidence must not depend on what else is in the batch.
        aligned: list[list[dict[str, Any]]] = []
        for part in parts:
            chosen = slice(len(aligned), len(aligned) + part.shape[0])
            tokens = [text.tokens for text in texts[chosen]]
            frames = [max(2, window.length_ms // 10) for window in batch[chosen]]
            aligned += self._whisper.find_alignment(self._tokenizer, tokens, part, frames)
        wanted = f"<|{self._settings.language}|>"
        return [
            (self._to_words(window, timings), dict(language).get(wanted, 0.0))
            for window, timings, language in zip(batch, aligned, languages, strict=True)
        ]

    def _encode(self, features: Features) -> list[Any]:
        """Encoder output of windows (n, mels, 3000), as many at a time as suits the device."""
        step = self._encode_batch
        return [self._whisper.encode(features[i : i + step]) for i in range(0, len(features), step)]

    def _features(self, samples: Samples) -> Features:
        """Log-mel features of one window padded to 30 s, (mels, 3000)."""
        from faster_whisper.audio import pad_or_trim

        features = self._whisper.feature_extractor(samples, padding=160)
        return np.asarray(pad_or_trim(features), dtype=np.float32)

    def _decode(self, encoded: Any, count: int, **options: Any) -> list[Text]:
        prompt = self._whisper.get_prompt(self._tokenizer, self._context, without_timestamps=True)
        results = self._whisper.model.generate(
            encoded,
            [prompt] * count,
            beam_size=self._settings.beam_size,
            max_length=self._whisper.max_length,
            return_scores=True,
            suppress_tokens=self._suppressed,
            **options,
        )
        return [Text([t for t in r.sequences_ids[0] if t < self._tokenizer.eot], float(r.scores[0])) for r in results]

    def _is_sound(self, text: Text) -> bool:
        from faster_whisper.transcribe import get_compression_ratio

        if not text.tokens:
            return True
        is_loop = get_compression_ratio(self._tokenizer.decode(text.tokens)) > self._settings.max_compression_ratio
        return not is_loop and text.logprob >= self._settings.min_logprob

    def _to_words(self, window: Window, timings: list[dict[str, Any]]) -> list[Word]:
        from faster_whisper.transcribe import merge_punctuations

        merge_punctuations(timings, PREPENDED, APPENDED)
        words = []
        for timing in timings:
            text = timing["word"].strip()
            if re.search(r"\w", text):
                start_ms, end_ms = to_track_time(
                    window, round(timing["start"] * 1000), round(timing["end"] * 1000), self._settings.max_word_ms
                )
                words.append(Word(text, start_ms, end_ms, round(float(timing["probability"]), 3)))
        return drop_loops(drop_blocked(words, self._blocked))


def _joined(parts: Sequence[Any]) -> Any:
    """Encoder output of all windows in one."""
    import ctranslate2

    if len(parts) == 1:
        return parts[0]
    return ctranslate2.StorageView.from_array(np.concatenate([np.asarray(part) for part in parts]))


def before_call(settings: RecognitionSettings, municipality: Municipality) -> str:
    """Return what the recogniser is told was said before: hotwords, then how such calls sound.

    Whisper keeps the end of a text that is too long, so the hotwords go first and are lost first.
    """
    names = [*(f"gemeente {n}" for n in municipality.names), *municipality.agent_names, *municipality.jargon]
    hotwords = ", ".join(names) + ". " if settings.hotwords and names else ""
    gemeente = municipality.names[0] if municipality.names else ""
    return (hotwords + settings.context.replace("{gemeente}", gemeente).replace(" ,", ",")).strip()


class Text(NamedTuple):
    """A decoded window: its tokens and their mean log probability."""

    tokens: list[int]
    logprob: float


def pack(speech: Sequence[Span], settings: RecognitionSettings, track: int = 0) -> list[Window]:
    """Fill windows with a track's speech in order; pauses between pieces become at most `gap_ms`.

    Speech longer than a window is cut into equal parts.  There are as few windows as can be, since each costs the
    encoder the same however little it holds; of all ways to cut into that many, the one whose cuts lie in the longest
    pauses, so that sentences stay whole.
    """
    longest_ms = int(settings.window_s * 1000)
    pieces: list[Span] = []
    for start, end in speech:
        parts = -(-(end - start) // longest_ms)
        bounds = [start + (end - start) * i // parts for i in range(parts + 1)]
        pieces += itertools.pairwise(bounds)
    # best[i]: (windows, minus the pauses cut in, where the last of them begins) for the first i pieces
    best: list[tuple[int, int, int]] = [(0, 0, 0)]
    for i, (_, end_ms) in enumerate(pieces):
        pause_ms = pieces[i + 1][0] - end_ms if i + 1 < len(pieces) else 0
        used_ms = 0
        found: list[tuple[int, int, int]] = []
        for first in range(i, -1, -1):
            gap_ms = min(settings.gap_ms, pieces[first + 1][0] - pieces[first][1]) if first < i else 0
            used_ms += pieces[first][1] - pieces[first][0] + gap_ms
            if used_ms > longest_ms:
                break
            count, cut_ms, _ = best[first]
            found.append((count + 1, cut_ms - min(pause_ms, LONG_PAUSE_MS), first))
        best.append(min(found))
    windows: list[Window] = []
    last = len(pieces)
    while last:
        first = best[last][2]
        windows.append(Window(track, _lay(pieces[first:last], settings.gap_ms)))
        last = first
    return windows[::-1]


def deal(windows: Sequence[Window], most: int, lanes: int) -> list[Sequence[Window]]:
    """Return the windows in order, in batches of at most `most`: as many batches for every lane, and all alike in size.

    10 windows, most 4, 2 lanes -> 3, 3, 2, 2
    """
    count = min(len(windows), -(-len(windows) // (most * lanes)) * lanes)
    bounds = [-(-len(windows) * i // max(1, count)) for i in range(count + 1)]
    return [windows[start:end] for start, end in itertools.pairwise(bounds)]


def _lay(spans: Sequence[Span], gap_ms: int) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    at_ms = 0
    for i, (start, end) in enumerate(spans):
        at_ms += min(gap_ms, start - spans[i - 1][1]) if i else 0
        pieces.append(Piece(at_ms, start, end - start))
        at_ms += end - start
    return tuple(pieces)


def assemble(window: Window, samples: Samples) -> Samples:
    """Return the sound of a window, (n,): its pieces with silence between them."""
    sound = np.zeros(window.length_ms * SAMPLES_PER_MS, dtype=np.float32)
    for piece in window.pieces:
        source = samples[piece.in_track_ms * SAMPLES_PER_MS :][: piece.length_ms * SAMPLES_PER_MS]
        at = piece.in_window_ms * SAMPLES_PER_MS
        sound[at : at + len(source)] = source
    return sound


def to_track_time(window: Window, start_ms: int, end_ms: int, longest_ms: int) -> Span:
    """Return a word's times in its track.  A word lies in the piece that holds most of it, is cut at that piece's ends,
    so that the last word before a pause doesn't swallow the pause, and lasts at most `longest_ms`.
    """

    def shared(piece: Piece) -> int:
        return min(end_ms, piece.in_window_ms + piece.length_ms) - max(start_ms, piece.in_window_ms)

    piece = max(window.pieces, key=shared)
    offset = piece.in_track_ms - piece.in_window_ms
    first, last = piece.in_track_ms, piece.in_track_ms + piece.length_ms
    start = min(max(start_ms + offset, first), last - 1)
    end = max(min(end_ms + offset, last), start + 1)
    return (start, min(end, start + longest_ms))


def _loose(phrase: str) -> str:
    return r"\b" + r"\W+".join(re.escape(word) for word in re.findall(r"\w+", phrase.lower())) + r"\b"


def drop_blocked(words: list[Word], blocked: Sequence[re.Pattern[str]]) -> list[Word]:
    """The words without phrases that Whisper invents where it understands nothing (subtitle credits and the like)."""
    text, starts = "", []
    for word in words:
        starts.append(len(text))
        text += word.text.lower() + " "
    bad = {
        i
        for pattern in blocked
        for match in pattern.finditer(text)
        for i, start in enumerate(starts)
        if match.start() <= start < match.end()
    }
    return [word for i, word in enumerate(words) if i not in bad]


MOST_DIGITS = 10


def drop_loops(words: list[Word], longest: int = 8, times: int = 4) -> list[Word]:
    """Return the words with a phrase of up to `longest` words that is said `times` times or more in a row kept once.

    Nobody repeats a phrase four times; a recogniser caught in a loop does.  Digits may be: "nul nul nul nul", but no
    number has more than MOST_DIGITS alike in a row.
    """
    keys = [re.sub(r"\W", "", word.text.lower()) for word in words]
    kept: list[Word] = []
    i = 0
    while i < len(words):
        step = 1
        for length in range(1, longest + 1):
            phrase = keys[i : i + length]
            count = 1
            while len(phrase) == length and keys[i + count * length : i + (count + 1) * length] == phrase:
                count += 1
            is_number = all(_is_number(key) for key in phrase) and count * length <= MOST_DIGITS
            if count >= times and not is_number:
                kept += words[i : i + length]
                i += count * length
                step = 0
                break
        if step:
            kept.append(words[i])
            i += 1
    return kept


def _is_number(key: str) -> bool:
    return key.isdigit() or key in {"nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"}
