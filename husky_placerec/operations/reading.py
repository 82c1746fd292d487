"""What was read of a drive, told by every command in the same words."""

from __future__ import annotations

from husky_placerec.data.source import Source
from husky_placerec.operations.tell import Tell, Warn


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
