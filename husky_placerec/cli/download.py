"""`placerec download`: fetch public data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import (
    say,
)
import typer

EPILOG = (
    'Examples:\n\n'
    '  placerec download itlp   (where it comes from)\n\n'
    '  placerec download itlp -o itlp --only "00_*"   (fetches one track)'
)


def download(
    name: Annotated[str, typer.Argument(metavar='NAME', help='itlp: ITLP-Campus Outdoor.')],
    output: Annotated[
        Path | None, typer.Option('--output', '-o', help='Folder to fetch it into.')
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar='PATTERN', help='Paths to fetch, such as "00_*".')
    ] = None,
) -> None:
    """
    Print where a data set comes from; with -o, fetch it from the Hugging Face hub.

    It is large. An interrupted download goes on where it stopped.
    """
    from husky_placerec.data.download import data_set_named, fetch

    data_set = data_set_named(name)
    say(data_set.title)
    say(f'licence: {data_set.licence}')
    for page in data_set.pages:
        say(f'  {page}')
    if output is not None:
        fetch(data_set, output, only)
        say(f'{output}: fetched')
