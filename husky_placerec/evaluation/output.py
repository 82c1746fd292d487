"""The folder of an evaluation: the files of a replay over all pairs, and those of each pair."""

from __future__ import annotations

from collections.abc import Mapping
import gzip
import io
from pathlib import Path
import shutil
from typing import Any

from husky_placerec.evaluation.comparison import Evaluation
from husky_placerec.evaluation.protocol import Pair
from husky_placerec.evaluation.results import write_numbers, Writer
from husky_placerec.output_folder import output_folder


def write_evaluation(
    folder: Path,
    evaluation: Evaluation,
    numbers: dict[str, Any],
    used: dict[str, Any],
    report: Writer,
) -> None:
    """
    Write the folder atomically; an old folder of that name is replaced.

    `recognitions.jsonl` has the queries of all pairs; each line names its `database` and
    `queries`. `poses.tum` and `submission.txt` are of one pair each, in
    `pairs/<database>--<queries>/`. Those of the first drive as database and the second as queries
    also lie beside the report.

    :param used: all parameters and inputs.
    """
    with output_folder(folder) as work:
        with (work / 'recognitions.jsonl').open('wb') as lines:
            for number, pair in enumerate(evaluation.pairs):
                with gzip.open(io.BytesIO(pair.decisions.lines)) as own:
                    shutil.copyfileobj(own, lines)
                texts = {
                    'poses.tum': gzip.decompress(pair.decisions.poses).decode(),
                    'submission.txt': submission(pair),
                }
                _write_texts(work / 'pairs' / f'{pair.database}--{pair.queries}', texts)
                if not number:
                    _write_texts(work, texts)
        write_numbers(work, numbers, used)
        report(work)


def _write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding='utf-8')


def submission(pair: Pair) -> str:
    """
    Return the best places of a pair in the format of the hackathon's submissions.

    Line i is the row of the best place for query i, counted from 0 in the order of the database's
    frames, or -1 where there is no candidate. The format cannot express a refusal.
    """
    best = pair.found.places[:, 0]
    return ''.join(f'{row}\n' for row in best.tolist())
