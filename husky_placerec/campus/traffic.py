"""Cars and people, which differ on each drive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

from husky_placerec.campus import labels
from husky_placerec.campus.materials import CUTOUT
from husky_placerec.campus.mesh import Frame2D, Look, Mesh, MeshBuilder
from husky_placerec.campus.network import Network
from husky_placerec.campus.numeric import Colour
from husky_placerec.campus.road import PAVEMENT_EDGE_M, Road
from husky_placerec.campus.route import USUAL_LENGTH_M
from husky_placerec.campus.textures import PEOPLE
from husky_placerec.campus.vehicles import car_models, PAINTS
from husky_placerec.campus.world import Campus
import numpy as np

_BAY_M = 6.5  # length of kerb per parked car
_PARKED_SHARE = 0.13
_PARKED_LEFT_M = 3.15  # to either side of the centre line of the road
_LORRY_BAY_M, _LORRY_LEFT_M = 12.0, 4.5
_MOVING_CARS, _WALKERS = 9, 100  # on a route of USUAL_LENGTH_M
_FIRST_THING = 100_000  # above the object numbers of the campus

# Range of distances from the robot. Nearer objects are omitted, because they would fill the
# picture.
_SEEN_M = {'car': (2.4, 80.0), 'van': (2.4, 80.0), 'lorry': (5.0, 120.0)}
_MOVING_SEEN_M = 7.0, 120.0
_WALKER_FROM_M, _WALKER_TO_M = 1.5, 70.0


@dataclass(frozen=True)
class _Car:
    road: Road
    arc_m: float
    left_m: float  # from the centre line of the road
    speed: float  # m/s along the road; 0 when parked
    yaw: float  # relative to the road
    paint: int
    kind: str  # car, van or lorry


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
    """The cars and people of one drive."""

    def __init__(
        self, campus: Campus, drive: int, share: float = 1.0, lorries: float = 0.0
    ) -> None:
        """
        Draw the cars and people of a drive.

        :param share: number of cars and people, as a multiple of the usual number.
        :param lorries: share of the bays at the kerb with a parked lorry.
        """
        rng = np.random.default_rng([campus.seed, 4, drive])
        network, self._textures = campus.network, campus.textures
        self._terrain = campus.terrain
        # Closed paths, so that nobody has to turn round at the end of a side road.
        ways = [network.route, *(tour.road for tour in network.tours)]
        self._cars = _parked_cars(rng, network, share)
        share *= network.route.length_m / USUAL_LENGTH_M  # in proportion to the length
        for _ in range(round(share * _MOVING_CARS)):
            self._cars.append(_moving_car(rng, _one_of(rng, ways)))
        self._walkers = [_walker(rng, _one_of(rng, ways)) for _ in range(round(share * _WALKERS))]
        self._cars += _parked_lorries(rng, network, lorries)
        self._models = car_models(campus.textures.layer('white'))

    def seen_from(self, x: float, y: float, time_s: float) -> Mesh:
        """Return the cars and people near a point (m) at a time since the start of the drive."""
        cars = []
        for number, car in enumerate(self._cars):
            base = car.road.at(car.arc_m + car.speed * time_s).beside(car.left_m)
            near, far = _SEEN_M[car.kind] if car.speed == 0 else _MOVING_SEEN_M
            if near < math.hypot(base.x - x, base.y - y) < far:
                cars.append(self._placed(car, base, _FIRST_THING + number))
        return self._terrain.set_foot(np.concatenate([*cars, self._people(x, y, time_s)]))

    def _placed(self, car: _Car, base: Frame2D, thing: int) -> Mesh:
        model = self._models[car.kind]
        turn = self._terrain.tilt(base.x, base.y, base.yaw + car.yaw).as_matrix()
        turn = turn.T.astype(np.float32)
        placed = model.copy()
        place = np.array([base.x, base.y, self._terrain.height(base.x, base.y)], np.float32)
        placed['points'] = model['points'] @ turn + place
        placed['normal'] = model['normal'] @ turn
        placed['tint'] = np.where(model['tint'] < 0, PAINTS[car.paint], model['tint'])
        placed['thing'] = thing
        return placed

    def _people(self, x: float, y: float, time_s: float) -> Mesh:
        builder = MeshBuilder()
        first = _FIRST_THING + len(self._cars)
        for number, walker in enumerate(self._walkers):
            at = walker.road.at(walker.arc_m + walker.speed * time_s).beside(walker.left_m)
            at = self._terrain.standing(at)
            distance = math.hypot(at.x - x, at.y - y)
            if not _WALKER_FROM_M < distance < _WALKER_TO_M:
                continue
            towards = ((x - at.x) / distance, (y - at.y) / distance)
            half = walker.height_m / 2 * math.copysign(1, walker.speed)  # mirrors the picture
            left = (at.x + towards[1] * half, at.y - towards[0] * half)
            right = (at.x - towards[1] * half, at.y + towards[0] * half)
            bottom, top = at.z + 0.1, at.z + walker.height_m + 0.1
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
        return builder.mesh()


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
                paint_number = int(paint * len(PAINTS))
                at = road.at(bay + along).beside(_PARKED_LEFT_M * side)
                if network.distance_m((at.x, at.y), without=road) < PAVEMENT_EDGE_M:
                    continue  # it would block a junction
                cars.append(
                    _Car(
                        road,
                        bay + along,
                        _PARKED_LEFT_M * side,
                        0.0,
                        yaw,
                        paint_number,
                        kind='van' if skew < 0.12 else 'car',
                    )
                )
    return cars


def _parked_lorries(rng: np.random.Generator, network: Network, share: float) -> list[_Car]:
    """Return lorries that stand with two wheels on the pavement and occlude the facades."""
    lorries = []
    for road in network.roads:
        for bay in np.arange(0, road.length_m - _LORRY_BAY_M, _LORRY_BAY_M):
            for side in (1, -1):
                taken, along, paint = rng.random(3)
                arc_m, left_m = bay + 3 * along, _LORRY_LEFT_M * side
                at = road.at(arc_m).beside(left_m)
                clear = network.distance_m((at.x, at.y), without=road) > 2 * PAVEMENT_EDGE_M
                if taken < share and clear:
                    yaw, number = math.pi if side > 0 else 0.0, int(paint * len(PAINTS))
                    lorries.append(_Car(road, arc_m, left_m, 0.0, yaw, number, 'lorry'))
    return lorries


def _moving_car(rng: np.random.Generator, road: Road) -> _Car:
    direction = 1 if rng.random() < 0.5 else -1
    return _Car(
        road=road,
        arc_m=rng.uniform(0, road.length_m),
        left_m=-1.3 * direction,  # traffic keeps to the right
        speed=direction * rng.uniform(4, 8),
        yaw=0.0 if direction > 0 else math.pi,
        paint=int(rng.integers(len(PAINTS))),
        kind='van' if rng.random() < 0.2 else 'car',
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
