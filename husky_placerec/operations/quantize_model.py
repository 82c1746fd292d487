"""Quantise an exported network, where that costs next to no recall and precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
import tempfile

from husky_placerec.config import Config
from husky_placerec.data.source import decoded_frames, open_source
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.quantization import quantized
from husky_placerec.descriptor.runtimes.model_file import ModelFile
from husky_placerec.descriptor.runtimes.runtime import FLOAT32
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.errors import InputError
from husky_placerec.files import write_atomic
from husky_placerec.operations.drives import describe_drive, DriveOptions, with_cameras
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Tell, tell_nothing, Warn
from husky_placerec.optional import require
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.validation import recall_of_drive, WITHIN_M
from husky_placerec.recognition.calibrating.gate_precision import gate_precision, GatePrecision
from husky_placerec.recognition.prior import shipped_prior
from husky_placerec.types import Pixels
import numpy as np

MOST_LOSS = 0.005  # of recall@1 of each kind of query, and of the precision of the gate
NEIGHBOUR = 1.5  # steps of a drive, within which its next frame is
MOST_IMAGES = 300  # whose ranges are taken


@dataclass(frozen=True)
class Measured:
    """Recall@1 of each kind of query on a drive, and the precision of the gate."""

    recall: Mapping[str, float]
    gate: GatePrecision


@dataclass(frozen=True)
class Quantized:
    """What quantising costs, and where it was measured."""

    before: Measured
    after: Measured
    measured_on: str

    @property
    def loss(self) -> float:
        """The largest loss of recall@1 of a kind of query."""
        before, after = self.before.recall, self.after.recall
        return max(before[kind] - after[kind] for kind in before)

    @property
    def gate_loss(self) -> float | None:
        """The loss of the precision of the gate; None where it was not measured before."""
        before, after = self.before.gate.precision, self.after.gate.precision
        if before is None:
            return None
        return before - (after or 0.0)  # a gate that cannot be fitted any more has lost it all

    @property
    def words(self) -> str:
        """What was measured, in a sentence."""
        before, after = self.before.recall, self.after.recall
        each = [f'{k} {after[k]:.1%} ({before[k]:.1%} before)' for k in before]
        gate = f'{_gate_in_words(self.after.gate)} ({_gate_in_words(self.before.gate)} before)'
        if self.gate_loss is None:
            gate = f'not measured, since {self.before.gate.why}'
        recalls = ', '.join(each)
        return f'recall@1 on {self.measured_on}: {recalls}; precision of the gate: {gate}'

    def require_little_loss(self, file: Path) -> None:
        """
        Refuse a loss of more than MOST_LOSS.

        :raises InputError: that names the loss.
        """
        losses = {'recall@1': self.loss, "the gate's precision": self.gate_loss or 0.0}
        for name, loss in losses.items():
            if loss > MOST_LOSS:
                raise InputError(
                    f'{file}: quantised, it loses {100 * loss:.1f} points of {name}; expected at '
                    f'most {100 * MOST_LOSS:g}; nothing is written ({self.words})'
                )


def _gate_in_words(gate: GatePrecision) -> str:
    if gate.precision is None:
        return f'none, since {gate.why}'
    return f'{gate.precision:.1%} of {gate.accepted} accepted frames'


def quantize_model(
    model: str,
    source: Path,
    output: Path,
    *,
    config: Config,
    validate: Path | None = None,
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> Quantized:
    """
    Write a network in int8, if recall@1 and the precision of the gate stay within MOST_LOSS.

    Both are measured on maps that each of the two networks makes. The gate is calibrated for
    each of them, and accepts from `min_probability` on. Where a drive is too short for that, the
    precision is not measured, and a warning says so.

    :param model: file of an exported network, or `shipped`.
    :param source: a drive with poses; its images give the ranges of the integers.
    :param validate: another drive on the same roads, whose frames are recognised on `source`;
        None: every second frame of `source` is recognised among the others, which is easier.
    :raises InputError: for a model or a drive that cannot be read, and where too much is lost;
        nothing is then written.
    """
    require('sklearn')  # which fits the gate
    config = replace(
        config, extractor='onnx', weights=model, precision=FLOAT32, runtime='auto', preset=''
    )
    file = ModelFile.read(resolve_spec(config, None))
    made = quantized(file, _images(source, config, warn, bars))
    if validate is None:
        warn('no --validate: the drive is recognised on itself, which is easy')
    measured_on = f'every second frame of {source}' if validate is None else str(validate)
    before = _measured(source, validate, config, tell, warn, bars)
    with tempfile.TemporaryDirectory() as folder:
        integer = Path(folder) / 'model.onnx'
        integer.write_bytes(made)
        config = replace(config, weights=str(integer), precision='')
        after = _measured(source, validate, config, tell, no_warning, bars)
    found = Quantized(before, after, measured_on)
    found.require_little_loss(file.path)
    if found.gate_loss is None:
        warn(f'the precision of the gate is not measured, since {before.gate.why}')
    write_atomic(output, made)
    return found


def _images(source: Path, config: Config, warn: Warn, bars: Bars) -> list[Pixels]:
    """Return prepared images of all cameras, evenly spread over a drive."""
    found: list[Pixels] = []
    with open_source(source) as drive:
        drive.check(config)
        config = with_cameras(drive, config, warn)
        prepare = load_extractor(config).preparation
        count = drive.frame_count(config)
        step = max(1, count * len(config.cameras) // MOST_IMAGES)
        encoded = islice(drive.frames(config), 0, None, step)
        frames = decoded_frames(drive, encoded, config.max_pixels, prepare.needed)
        for frame in bars('Reading images')(frames, -(-count // step)):
            found += [prepare(camera, image) for camera, image in frame.images.items()]
    return found


def _measured(
    source: Path, validate: Path | None, config: Config, tell: Tell, warn: Warn, bars: Bars
) -> Measured:
    mapped = describe_drive(source, config, DriveOptions(), tell=tell, warn=warn, bars=bars)
    within_m = WITHIN_M
    if validate is None:
        even = np.arange(len(mapped)) % 2 == 0
        steps_m = np.linalg.norm(np.diff(mapped.places.poses[:, :2], axis=0), axis=1)
        within_m = max(WITHIN_M, NEIGHBOUR * float(np.median(steps_m)))
        mapped, driven = _chosen(mapped, even), _chosen(mapped, ~even)
    else:
        driven = describe_drive(
            validate,
            config,
            DriveOptions().for_measuring(),
            like=mapped,
            title='Describing the queries',
            tell=tell,
            warn=warn,
            bars=bars,
        )
    recall = recall_of_drive(mapped, driven, within_m)
    return Measured(recall, gate_precision(mapped, driven, config, shipped_prior()))


def _chosen(place_map: PlaceMap, kept: np.ndarray) -> PlaceMap:
    rows = np.flatnonzero(kept)
    return place_map.with_places(place_map.places.chosen(rows), place_map.descriptors[rows])
