"""The folder of a replay: recognitions, poses, summary and configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from husky_placerec.config import Config
from husky_placerec.evaluation.baselines import CHANCE
from husky_placerec.evaluation.metrics import (
    chance_figures,
    judge,
    Judged,
    summarize,
    TOLERANCES_M,
)
from husky_placerec.output_folder import output_folder
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.serialization import recognition_json
from husky_placerec.types import Pose, Recognition, tum_line
import numpy as np
import yaml

Writer = Callable[[Path], None]  # writes files into a folder


@dataclass(frozen=True)
class Result:
    """
    One frame of a replay.

    :param seconds: from the encoded images to the decision.
    :param truth: the true pose; None where it is not known.
    """

    recognition: Recognition
    seconds: float
    truth: Pose | None


def summary(
    results: Sequence[Result],
    place_map: PlaceMap,
    tolerances_m: Sequence[float] = TOLERANCES_M,
) -> dict[str, Any]:
    """Return the content of `summary.json`; some keys need a frame whose truth is known."""
    latencies_ms = np.array([result.seconds for result in results]) * 1000
    numbers: dict[str, Any] = {
        'frames': len(results),
        'accepted': sum(result.recognition.accepted for result in results),
        'latency_ms': {f'p{q}': float(np.percentile(latencies_ms, q)) for q in (50, 95)},
    }
    judged = judge_results(results, place_map, tolerances_m)
    if judged is not None:
        numbers['frames_with_truth'] = len(judged)
        numbers.update(summarize(judged))
        truths = np.array([r.truth.as_array() for r in results if r.truth is not None])
        chance = chance_figures(truths, place_map.places.poses, tolerances_m)
        numbers['baselines'] = {CHANCE: chance.as_dict()}
    return numbers


def judge_results(
    results: Sequence[Result],
    place_map: PlaceMap,
    tolerances_m: Sequence[float] = TOLERANCES_M,
) -> Judged | None:
    """Judge the frames whose truth is known; None where there is no such frame."""
    known = [(r.recognition, r.truth) for r in results if r.truth is not None]
    if not known:
        return None
    recognitions, truths = zip(*known)
    return judge(recognitions, truths, place_map.places.poses, tolerances_m)


def write_results(
    folder: Path,
    recognitions: Sequence[tuple[Recognition, Pose | None]],
    numbers: dict[str, Any],
    used: dict[str, Any],
    report: Writer | None = None,
) -> None:
    """
    Write the folder atomically; an old folder of that name is replaced.

    :param used: all parameters and inputs.
    :param report: writes the report into the folder.
    """
    with output_folder(folder) as work:
        with (work / 'recognitions.jsonl').open('w', encoding='utf-8') as lines:
            lines.writelines(json_line(*each) for each in recognitions)
        poses = ''.join(pose_line(recognition) for recognition, _ in recognitions)
        (work / 'poses.tum').write_text(poses, encoding='utf-8')
        write_numbers(work, numbers, used)
        if report is not None:
            report(work)


def json_line(recognition: Recognition, truth: Pose | None, **first: str) -> str:
    """
    Return a line of `recognitions.jsonl`.

    :param first: keys and values that stand first in the line.
    """
    return json.dumps({**first, **recognition_json(recognition, truth)}) + '\n'


def write_numbers(folder: Path, numbers: dict[str, Any], used: dict[str, Any]) -> None:
    """Write `summary.json` and `config.yaml`."""
    (folder / 'summary.json').write_text(json.dumps(numbers, indent=2) + '\n', encoding='utf-8')
    text = yaml.safe_dump(used, sort_keys=False, allow_unicode=True)
    (folder / 'config.yaml').write_text(text, encoding='utf-8')


def used_parameters(config: Config, place_map: PlaceMap, **inputs: str | None) -> dict[str, Any]:
    """Return the content of `config.yaml`: inputs, version of the map, descriptor, parameters."""
    return {
        'inputs': inputs,
        'map_version': place_map.version,
        'descriptor': place_map.spec.as_json(),
        'parameters': {**config.as_dict(), 'map': place_map.name},
    }


def pose_line(recognition: Recognition) -> str:
    """Return a line of `poses.tum` for an accepted pose, and '' for a refused one."""
    if not recognition.accepted or recognition.pose is None:
        return ''
    return tum_line(recognition.stamp_ns, recognition.pose)
