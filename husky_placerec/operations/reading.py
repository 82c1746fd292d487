"""What was read of a drive, told by every command in the same words."""

from __future__ import annotations

from husky_placerec.data.odometry_table import odometry_sentence
from husky_placerec.data.source import Source
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.descriptor.masking import MASKED, Masking, MISSING
from husky_placerec.operations.tell import Tell, Warn
from husky_placerec.recognition.odometry import GAP_NS
from husky_placerec.types import Indices, SECOND_NS


def tell_reading(drive: Source, tell: Tell, warn: Warn) -> None:
    """
    Tell which images of a drive found a partner, and what is missing or broken.

    :param drive: a source whose frames were read.
    """
    account = drive.account()
    if account is not None:
        tell(f'{drive.path}: {account.sentence()}')
        for sentence in account.warnings():
            warn(f'{drive.path}: {sentence}')
    for line in drive.problems.lines():
        warn(f'{drive.path}: {line}')


def tell_odometry(
    drive: Source, odometry: Trajectory | None, stamps_ns: Indices, tell: Tell
) -> None:
    """
    Tell whether there is odometry, and how much of the drive it covers.

    :param stamps_ns: of the frames of the drive.
    """
    tell(f'{drive.path}: {odometry_sentence(odometry, stamps_ns, GAP_NS / SECOND_NS)}')


def tell_masks(masking: Masking | None, tell: Tell, warn: Warn) -> None:
    """Tell how many images had a mask, where masks are on."""
    if masking is None:
        return
    there, missing = masking.counts[MASKED], masking.counts[MISSING]
    if not there and not masking.ego:
        warn(f'masks is true, and none of {missing} images has a mask: nothing was weighed')
        return
    share = 1 - masking.floor
    tell(
        f'masks: {there} images with a mask, {missing} without; what moves counts '
        f'{100 * share:g} % less'
    )
