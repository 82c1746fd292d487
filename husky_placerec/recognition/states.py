"""How sure the robot is of where it is."""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    """From one to the next with hysteresis; a pose is accepted in LOCALIZED only."""

    LOST = 'LOST'
    TENTATIVE = 'TENTATIVE'
    LOCALIZED = 'LOCALIZED'
