"""Cars and people, other ones on every drive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

from husky_placerec.campus import labels
from husky_placerec.campus.materials import CUTOUT, EMITTER
from husky_placerec.campus.network import Network
from husky_placerec.campus.numeric import Colour
from husky_placerec.campus.road import PAVEMENT_EDGE_M, Road
from husky_placerec.campus.soup import Frame2D, Look, Soup, SoupBuilder
from husky_placerec.campus.textures import PEOPLE
from husky_placerec.campus.world import Campus
import numpy as np

_PAINTS = np.array(
    [
        (0.75, 0.75, 0.77), (0.9, 0.9, 0.9), (0.08, 0.08, 0.09), (0.55, 0.05, 0.05),
        (0.1, 0.18, 0.45), (0.35, 0.36, 0.38), (0.1, 0.3, 0.2), (0.75, 0.55, 0.1),
    ],
    np.float32,
)  # fmt: skip
_PAINT_HERE: Colour = (-1.0, -1.0, -1.0)  # in the model of a car: replaced by its paint
_BAY_M = 6.5  # of kerb for one parked car
_PARKED_SHARE = 0.13
_PARKED_LEFT_M = 3.15  # or to the right, of the middle of the road
_MOVING_CARS, _WALKERS = 9, 100
_FIRST_THING = 100_000  # above the numbers of what stands still

# What comes nearer than this to the robot is left out: it would fill the picture.
_PARKED_FROM_M, _PARKED_TO_M = 2.4, 80.0
_MOVING_FROM_M, _MOVING_TO_M = 7.0, 120.0
_WALKER_FROM_M, _WALKER_TO_M = 1.5, 70.0


@dataclass(frozen=True)
class _Car:
    road: Road
    arc_m: float
    left_m: float  # of the middle of the road
    speed: float  # m/s along the road; 0 when parked
    yaw: float  # relative to the road
    paint: int
    van: bool


@dataclass(frozen=True)
class _Walker:
    road: Road
    arc_m: float
    left_m: float
    speed: float
    height_m: float
    picture: int
    tint: Colour


class Traffic:
    """The traffic of one drive."""

    def __init__(self, campus: Campus, drive: int, share: float = 1.0) -> None:
        """
        Draw who is about on this drive.

        :param share: of the usual number of cars and people.
        """
        rng = np.random.default_rng([campus.seed, 4, drive])
        network, self._textures = campus.network, campus.textures
        # Closed ways, so that nobody has to turn back where a side road ends.
        ways = [network.route, *(tour.road for tour in network.tours)]
        self._cars = _parked_cars(rng, network, share)
        for _ in range(round(share * _MOVING_CARS)):
            self._cars.append(_moving_car(rng, _one_of(rng, ways)))
        self._walkers = [_walker(rng, _one_of(rng, ways)) for _ in range(round(share * _WALKERS))]
        white = campus.textures.layer('white')
        self._models = {van: _car_model(white, van) for van in (False, True)}

    def seen_from(self, x: float, y: float, time_s: float) -> Soup:
        """Return what is near a camera at some time after the drive began."""
        cars = []
        for number, car in enumerate(self._cars):
            base = car.road.at(car.arc_m + car.speed * time_s).beside(car.left_m)
            near, far = (
                (_MOVING_FROM_M, _MOVING_TO_M) if car.speed else (_PARKED_FROM_M, _PARKED_TO_M)
            )
            if near < math.hypot(base.x - x, base.y - y) < far:
                heading = Frame2D(base.x, base.y, base.yaw + car.yaw)
                cars.append(
                    _placed(self._models[car.van], heading, car.paint, _FIRST_THING + number)
                )
        return np.concatenate([*cars, self._people(x, y, time_s)])

    def _people(self, x: float, y: float, time_s: float) -> Soup:
        builder = SoupBuilder()
        first = _FIRST_THING + len(self._cars)
        for number, walker in enumerate(self._walkers):
            at = walker.road.at(walker.arc_m + walker.speed * time_s).beside(walker.left_m)
            distance = math.hypot(at.x - x, at.y - y)
            if not _WALKER_FROM_M < distance < _WALKER_TO_M:
                continue
            towards = ((x - at.x) / distance, (y - at.y) / distance)
            half = walker.height_m / 2 * math.copysign(1, walker.speed)  # mirrored the other way
            left = (at.x + towards[1] * half, at.y - towards[0] * half)
            right = (at.x - towards[1] * half, at.y + towards[0] * half)
            bottom, top = 0.1, walker.height_m + 0.1
            look = Look(
                self._textures.layer('person', walker.picture),
                labels.PERSON,
                CUTOUT,
                walker.tint,
                first + number,
            )
            builder.quad(
                [(*left, bottom), (*right, bottom), (*right, top), (*left, top)],
                look,
                normal=(*towards, 0.3),
            )
        return builder.soup()


def _one_of(rng: np.random.Generator, roads: Sequence[Road]) -> Road:
    return roads[int(rng.integers(len(roads)))]


def _parked_cars(rng: np.random.Generator, network: Network, share: float) -> list[_Car]:
    cars = []
    for road in network.roads:
        for bay in np.arange(0, road.length_m - 6, _BAY_M):
            for side in (1, -1):
                taken, along, paint, skew = rng.random(4)
                if taken >= share * _PARKED_SHARE:
                    continue
                yaw = (math.pi if side > 0 else 0.0) + 0.03 * (skew - 0.5)
                paint_number = int(paint * len(_PAINTS))
                at = road.at(bay + along).beside(_PARKED_LEFT_M * side)
                if network.distance_m((at.x, at.y), without=road) < PAVEMENT_EDGE_M:
                    continue  # would block a junction
                cars.append(
                    _Car(
                        road,
                        bay + along,
                        _PARKED_LEFT_M * side,
                        0.0,
                        yaw,
                        paint_number,
                        van=skew < 0.12,
                    )
                )
    return cars


def _moving_car(rng: np.random.Generator, road: Road) -> _Car:
    direction = 1 if rng.random() < 0.5 else -1
    return _Car(
        road=road,
        arc_m=rng.uniform(0, road.length_m),
        left_m=-1.3 * direction,  # keeps to the right
        speed=direction * rng.uniform(4, 8),
        yaw=0.0 if direction > 0 else math.pi,
        paint=int(rng.integers(len(_PAINTS))),
        van=rng.random() < 0.2,
    )


def _walker(rng: np.random.Generator, road: Road) -> _Walker:
    red, green, blue = (float(channel) for channel in rng.uniform(0.7, 1.2, 3))
    return _Walker(
        road=road,
        arc_m=rng.uniform(0, road.length_m),
        left_m=rng.uniform(5.5, 6.5) * float(rng.choice([-1, 1])),
        speed=rng.uniform(0.6, 1.6) * float(rng.choice([-1, 1])),
        height_m=rng.uniform(1.55, 1.9),
        picture=int(rng.integers(PEOPLE)),
        tint=(red, green, blue),
    )


def _car_model(white: int, van: bool) -> Soup:
    """Return a car at the origin that faces along x."""
    builder, here, scale = SoupBuilder(), Frame2D(0, 0, 0), 1.25 if van else 1.0
    length, width, body_top = 4.3 * scale, 1.8 * scale, 0.35 + 0.55 * scale
    label = labels.TRUCK if van else labels.CAR
    body, glass, tyre = (
        Look(white, label, tint=tint)
        for tint in (_PAINT_HERE, (0.1, 0.13, 0.16), (0.07, 0.07, 0.08))
    )
    headlight, tail_light = (
        Look(white, label, EMITTER, tint) for tint in ((1, 0.95, 0.8), (0.9, 0.08, 0.05))
    )
    builder.box(here, (length, width, 0.55 * scale), body, z=0.35)
    cabin = (length * (0.96 if van else 0.62), width * 0.95, 0.6 * scale)
    middle = here if van else here.moved(-0.25, 0)
    builder.box(middle, cabin, glass, z=body_top, top=body, taper=0.8)
    for left in (-1, 1):
        for ahead in (-1, 1):
            wheel = here.moved(ahead * length * 0.31, left * width * 0.47)
            builder.box(wheel, (0.66, 0.2, 0.62), tyre)
        lamp = (0.08, 0.35, 0.18)
        builder.box(here.moved(length / 2, left * width * 0.36), lamp, headlight, z=0.55)
        builder.box(here.moved(-length / 2, left * width * 0.36), lamp, tail_light, z=0.6)
    return builder.soup()


def _placed(model: Soup, base: Frame2D, paint: int, thing: int) -> Soup:
    cosine, sine = math.cos(base.yaw), math.sin(base.yaw)
    turn = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]], np.float32)
    car = model.copy()
    car['points'] = model['points'] @ turn + np.array([base.x, base.y, 0], np.float32)
    car['normal'] = model['normal'] @ turn
    car['tint'] = np.where(model['tint'] < 0, _PAINTS[paint], model['tint'])
    car['thing'] = thing
    return car
