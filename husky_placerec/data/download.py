"""Public data sets: where they come from, and their download."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from husky_placerec.errors import InputError


@dataclass(frozen=True)
class DataSet:
    """
    A published data set.

    :param repository: on the Hugging Face hub.
    :param pages: web pages where a person can get it.
    """

    title: str
    licence: str
    repository: str
    pages: tuple[str, ...]


DATA_SETS = {
    'itlp': DataSet(
        'ITLP-Campus Outdoor: nine tracks of a Husky at MIPT, 609 to 896 frames each',
        'CC BY 4.0, https://creativecommons.org/licenses/by/4.0/',
        'OPR-Project/ITLP-Campus-Outdoor',
        (
            'https://huggingface.co/datasets/OPR-Project/ITLP-Campus-Outdoor',
            'https://www.kaggle.com/datasets/alexandermelekhin/itlp-campus-outdoor',
            'https://github.com/OPR-Project/ITLP-Campus',
        ),
    ),
}


def data_set_named(name: str) -> DataSet:
    """
    Return a data set.

    :raises InputError: for an unknown name.
    """
    if name not in DATA_SETS:
        raise InputError(f'{name}: no such data set; there are: {", ".join(DATA_SETS)}')
    return DATA_SETS[name]


def fetch(data_set: DataSet, output: Path, pattern: str | None = None) -> None:
    """
    Fetch a data set from the hub into a folder; files that are there are not fetched again.

    :param pattern: of the paths to fetch, such as `00_*`; None: all.
    :raises InputError: without the hub or its client; it says how to get the data by hand.
    """
    by_hand = f'get it by hand from {data_set.pages[0]} or {data_set.pages[1]}, into {output}'
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise InputError(
            f'download: needs huggingface_hub (pip install husky_placerec[hub]); or {by_hand}'
        ) from error
    try:
        snapshot_download(
            data_set.repository,
            repo_type='dataset',
            local_dir=output,
            allow_patterns=pattern,
            etag_timeout=10,
        )
    except Exception as error:  # of the client's several network libraries
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            f'{data_set.repository}: the hub cannot be reached, or refuses ({why}); {by_hand}'
        ) from error
