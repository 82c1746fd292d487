"""The folder of an evaluation: what a replay writes, over all pairs, and what others read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
import zlib

from husky_placerec.evaluation.evaluate import Evaluation
from husky_placerec.evaluation.protocol import Pair
from husky_placerec.evaluation.results import write_numbers, Writer
from husky_placerec.files import new_folder


def write_evaluation(
    folder: Path,
    evaluation: Evaluation,
    numbers: dict[str, Any],
    used: dict[str, Any],
    report: Writer,
) -> None:
    """
    Write the folder, whole or not at all; an old one of that name is replaced.

    `recognitions.jsonl` has the queries of all pairs, each line with `database` and `queries`;
    `poses.tum` and `submission.txt` are of one pair each, in `pairs/<database>--<queries>/`, and
    those of the first drive as database and the second as queries are beside the report, too.
    """
    with new_folder(folder) as work:
        with (work / 'recognitions.jsonl').open('wb') as lines:
            for number, pair in enumerate(evaluation.pairs):
                assert pair.decisions is not None  # of the evaluated method
                lines.write(zlib.decompress(pair.decisions.lines))
                poses = zlib.decompress(pair.decisions.poses).decode()
                texts = {'poses.tum': poses, 'submission.txt': submission(pair)}
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
    Return the rows of the database that the queries were taken for: a number a line.

    Line i is the row of the best place for query i, counted from 0 in the order of the database's
    frames; -1 where there was no candidate. Refusals are not told: the origin's had none.
    """
    best = pair.found.places[:, 0]
    return ''.join(f'{row}\n' for row in best.tolist())
