"""Pictures of a campus."""

from __future__ import annotations

from husky_placerec.campus.camera import Camera, in_view
from husky_placerec.campus.conditions import Condition, WINTER
from husky_placerec.campus.film import develop
from husky_placerec.campus.light import lamps_near, light_of, shadow_of
from husky_placerec.campus.materials import LEAF
from husky_placerec.campus.rasterizer import trace
from husky_placerec.campus.shading import shade
from husky_placerec.campus.soup import Soup
from husky_placerec.campus.surfaces import smooth_noise
from husky_placerec.campus.world import Campus, Scene
from husky_placerec.types import Pixels
import numpy as np

FOV_DEG = 86.0  # horizontal
CAMERA_HEIGHT_M = 1.0
_FARTHEST_M = 450.0


class Renderer:
    """Renders one campus at one picture size."""

    def __init__(self, campus: Campus, width: int, height: int, fov_deg: float = FOV_DEG) -> None:
        """Build what all pictures share."""
        self._size, self._fov_deg = (width, height), fov_deg
        self._summer, self._winter = campus.scene, _without_leaves(campus)
        self._layers = campus.textures.layers
        self._mips = campus.textures.mip_chain()
        self._noise = _weather_noise()

    def render(
        self,
        x: float,
        y: float,
        yaw: float,
        condition: Condition,
        moving: Soup,
        rng: np.random.Generator,
    ) -> Pixels:
        """
        Return the picture that a camera at (x, y) takes when it looks along `yaw` (radians).

        :param moving: what is there besides what never moves.
        :param rng: draws noise, rain and snow; seed it from the frame for pixels that repeat.
        """
        camera = Camera.at(x, y, yaw, self._size, self._fov_deg, CAMERA_HEIGHT_M)
        scene = self._winter if condition.season == WINTER else self._summer
        far_m = min(_FARTHEST_M, 5 / condition.fog_per_m)  # exp(-5): all fog
        soup = in_view(scene, moving, camera, far_m)
        hits = trace(soup, camera.matrix, self._layers, self._size, camera.focal_px)
        light = light_of(condition, camera)
        shadow = shadow_of(light, scene, moving, self._layers, camera)
        lamps = lamps_near(light, scene, camera)
        image = shade(soup, hits, camera, light, shadow, lamps, self._mips, self._noise)
        return develop(image, condition, rng)


def _without_leaves(campus: Campus) -> Scene:
    """Return the scene in winter: every tree with leaves gives way to its bare twin."""
    scene, textures = campus.scene, campus.textures
    shift = textures.layer('bare') - textures.layer('leaf')
    soup = scene.soup.copy()
    soup['layer'][soup['material'] == LEAF] += shift
    return Scene(soup, scene.centres, scene.starts, scene.lamps)


def _weather_noise() -> np.ndarray:
    """Return noise with some contrast around a half; the same for all campuses."""
    noise = smooth_noise(np.random.default_rng(77), (32, 64, 128, 256), 0.5)
    return np.clip((noise - noise.mean()) * 1.15 + 0.47, 0, 1)
