"""How many of the recognised frames are solved by landmarks, and what it tells of the cameras."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.types import Recognition

ENOUGH = 50  # recognised frames, from which the share tells something
LEAST = 0.1  # of the recognised frames; on the hardest simulated drives three quarters are solved


@dataclass
class MetricShare:
    """Counts recognised frames for which a pose by landmarks was sought, and those solved."""

    sought: int = 0
    solved: int = 0

    def count(self, recognition: Recognition) -> None:
        """Count a frame; one that is refused counts nothing, because it may be off the map."""
        if recognition.metric is None or not recognition.accepted:
            return
        self.sought += 1
        self.solved += recognition.metric.solved

    @property
    def doubt(self) -> str:
        """
        A sentence where hardly any recognised frame is solved; else empty.

        Descriptors recognise a place though a focal length or a mounting is wrong. Landmarks do
        not: the key points then agree with no pose.
        """
        if self.sought < ENOUGH or self.solved >= LEAST * self.sought:
            return ''
        return (
            f'{self.solved} of {self.sought} recognised frames are solved by landmarks; check the '
            "intrinsics and the mounting of this robot's cameras, unless the light is very "
            'different from that of the map'
        )
