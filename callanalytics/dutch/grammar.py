"""The Dutch pipeline: parts of speech, lemmas, dependencies, names of persons and places.  Loaded once, verified first.

The one that is shipped lies in models/dutch and is trained by dutch_training.py; an installed package of spaCy
(nl_core_news_*) may be named instead.  spaCy is imported where a pipeline is loaded, so that commands which read no
text don't pay for it.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from callanalytics.config import Config
from callanalytics.errors import ConfigError
from callanalytics.imports import without_torch
from callanalytics.records import PLACEHOLDER
from callanalytics.texts import Message

MANIFEST = "files.json"
_WORDS = "callanalytics.words.v1"
NAMES = ("tok2vec", "ner")  # the components that names need
TAGGER = ("tok2vec", "morphologizer")  # those that parts of speech need
GRAMMAR = ("tok2vec", "morphologizer", "trainable_lemmatizer", "parser")
_KINDS: dict[str, Literal["person", "place"]] = {
    "PER": "person", "PERSON": "person", "LOC": "place", "GPE": "place", "FAC": "place",
}  # fmt: skip
_MARKED = re.compile(r"(\W*)(.*?)(\W*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Name:
    """The words [start, end) of a text are the name of a person or of a place (a street, a town, a country)."""

    start: int
    end: int
    kind: Literal["person", "place"]


class Dutch:
    """A loaded pipeline."""

    def __init__(self, nlp: Any) -> None:
        self.nlp = nlp

    def names(self, texts: Iterable[Sequence[str]]) -> list[list[Name]]:
        """The names in each text, given as its words with or without punctuation at them; all texts in one batch.

        ["met", "jan", "pot"] -> [Name(1, 3, "person")]
        """
        docs, origins = [], []
        for words in texts:
            tokens, origin = split_marks(words)
            docs.append(self._doc(tokens))
            origins.append(origin)
        found = []
        for doc, origin in zip(self.nlp.pipe(docs), origins, strict=True):
            names = [
                Name(origin[ent.start], origin[ent.end - 1] + 1, _KINDS[ent.label_])
                for ent in doc.ents
                if ent.label_ in _KINDS
            ]
            found.append(names)
        return found

    def sure_names(self, texts: Sequence[Sequence[str]]) -> list[list[Name]]:
        """Return the names that are found in each text as it is written and in small letters too.

        A recogniser puts capitals at its own inventions: what is a name only thanks to its capital is left out.
        """
        readings = self.names([*texts, *([word.lower() for word in words] for words in texts)])
        sure = []
        for written, lower in zip(readings[: len(texts)], readings[len(texts) :], strict=True):
            covered = {(at, name.kind) for name in lower for at in range(name.start, name.end)}
            sure.append([n for n in written if all((at, n.kind) in covered for at in range(n.start, n.end))])
        return sure

    def tag(self, doc: Any) -> None:
        """Write the part of speech of each token into a Doc of any vocabulary."""
        for token, tagged in zip(doc, self.nlp(self._doc([token.text for token in doc])), strict=True):
            token.pos_ = tagged.pos_

    def _doc(self, tokens: Sequence[str]) -> Any:
        from spacy.tokens import Doc

        return Doc(self.nlp.vocab, words=list(tokens))


def split_marks(words: Sequence[str]) -> tuple[list[str], list[int]]:
    """Words with the punctuation at them as tokens of their own, and the position of the word each token is from.

    ["dag,", "jan!"] -> ["dag", ",", "jan", "!"], [0, 0, 1, 1]
    """
    tokens: list[str] = []
    origin: list[int] = []
    for at, word in enumerate(words):
        match = _MARKED.fullmatch(word)
        before, core, after = match.groups() if match else ("", word, "")
        placeholder = PLACEHOLDER.search(word)
        if placeholder:
            parts = [placeholder.group()]
        elif core and before in ("'", "’"):
            parts = [before + core, *after]  # 's, 't
        else:
            parts = [*before, core, *after]
        tokens += (kept := [part for part in parts if part.strip()])
        origin += [at] * len(kept)
    return tokens, origin


def load_dutch(config: Config, components: Sequence[str]) -> Dutch:
    """Return the configured pipeline with these components only.

    Raises ConfigError when it is neither a folder nor an installed package, or when a file of it is not the one that
    was written.
    """
    dutch_fingerprint(config)
    return _load(config.language.pipeline, _folder(config), tuple(components))


def dutch_fingerprint(config: Config) -> str:
    """What changes with every byte of the configured pipeline; loads nothing.  Raises ConfigError like load_dutch."""
    name, folder = config.language.pipeline, _folder(config)
    if folder is not None:
        return hashlib.sha256(_file_list(folder).read_bytes()).hexdigest()[:16]
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except (importlib.metadata.PackageNotFoundError, ValueError):
        raise _unknown(name) from None


def _unknown(name: str) -> ConfigError:
    reason = (
        Message("errors.language_pipeline_neither_folder", name=name)
    )
    return ConfigError(path="language.pipeline", reason=reason)


def _folder(config: Config) -> Path | None:
    folder = config.resolve(config.language.pipeline)
    return folder if (folder / "config.cfg").is_file() else None


def _file_list(folder: Path) -> Path:
    path = folder / MANIFEST
    if not path.is_file():
        reason = Message("errors.sha_files_missing_fetch", manifest=MANIFEST)
        raise ConfigError(path=folder, reason=reason)
    return path


@lru_cache(maxsize=4)
def _load(name: str, folder: Path | None, components: tuple[str, ...]) -> Dutch:
    with without_torch():
        import spacy
    from spacy.util import registry

    if folder is not None:
        _verify(folder)
        registry.tokenizers(_WORDS, func=_words_as_given)
        left_out = ["tokenizer", *(part for part in GRAMMAR + NAMES if part not in components)]
        return Dutch(spacy.load(folder, exclude=left_out, config={"nlp.tokenizer.@tokenizers": _WORDS}))
    try:
        nlp = spacy.load(name)
    except (OSError, AttributeError, TypeError, ValueError):  # what spaCy raises for a package that is no pipeline
        raise _unknown(name) from None
    if "ner" in components and "ner" not in nlp.pipe_names:
        reason = Message("errors.package_finds_no_names", name=name)
        raise ConfigError(path="language.pipeline", reason=reason)
    # A pipeline made elsewhere shares its tok2vec as it likes, so only these are sure to be needed by no other.
    unused = {"ner", "parser", "senter"} - set(components)
    nlp.disable_pipes(*[part for part in nlp.pipe_names if part in unused])
    return Dutch(nlp)


def _words_as_given() -> Any:
    """A tokenizer without spaCy's exceptions: words come cut already, and reading those took ten times the rest."""
    from spacy.tokenizer import Tokenizer

    return lambda nlp: Tokenizer(nlp.vocab)


def _verify(folder: Path) -> None:
    """Raises ConfigError unless every file is the one that the list of sha256 names."""
    wanted = json.loads(_file_list(folder).read_text(encoding="utf-8"))
    there = hash_files(folder)
    for file in sorted(wanted.keys() | there.keys()):
        if wanted.get(file) != there.get(file):
            reason = Message("errors.not_file_names_fetch", file=file, manifest=MANIFEST)
            raise ConfigError(path=folder, reason=reason)


def hash_files(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a pipeline's folder that spaCy loads, by its path inside the folder."""
    loose = [folder / "config.cfg", folder / "meta.json", folder / "tokenizer"]
    parts = [path for path in folder.iterdir() if path.is_dir()]
    paths = loose + [path for part in parts for path in part.rglob("*")]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(paths)
        if path.is_file()
    }
