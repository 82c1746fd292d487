"""Pictures of a campus."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.campus import labels
from husky_placerec.campus.bumper import add_bumper, rows_above
from husky_placerec.campus.camera import Camera, in_view
from husky_placerec.campus.conditions import Condition, WINTER
from husky_placerec.campus.film import develop
from husky_placerec.campus.light import lamps_near, light_of, shadow_of
from husky_placerec.campus.materials import LEAF
from husky_placerec.campus.picture import Mask, Picture
from husky_placerec.campus.rasterizer import bounds_of, Hits, trace
from husky_placerec.campus.rig import CameraModel
from husky_placerec.campus.scene import Scene
from husky_placerec.campus.shading import shade
from husky_placerec.campus.soup import Soup
from husky_placerec.campus.surfaces import smooth_noise
from husky_placerec.campus.textures import Textures
from husky_placerec.campus.visible import visible_signs
from husky_placerec.types import Pose
import numpy as np

_FARTHEST_M = 450.0
_SNOW_LIES_FROM = 0.55  # z of a normal; paint.py has it half white there


class Renderer:
    """Renders one scene at one picture size."""

    def __init__(self, scene: Scene, textures: Textures, width: int, height: int) -> None:
        """Build what all pictures share."""
        self._size = (width, height)
        self._summer, self._winter = scene, _in_winter(scene, textures)
        # The masks alone: less memory to reach into than with the colours between them.
        self._holes = np.ascontiguousarray(textures.layers[..., 3])
        self._mips = textures.mip_chain()
        self._noise = _weather_noise()

    def render(
        self,
        pose: Pose,
        model: CameraModel,
        condition: Condition,
        moving: Soup,
        rng: np.random.Generator,
    ) -> Picture:
        """
        Return the picture that a camera takes.

        :param pose: of the robot's base_link.
        :param moving: what is there besides what never moves.
        :param rng: draws noise, rain and snow; seed it from the frame for pixels that repeat.
        """
        camera = Camera.at(pose, model, self._size)
        scene = self._winter if condition.season == WINTER else self._summer
        far_m = min(_FARTHEST_M, 5 / condition.fog_per_m)  # exp(-5): all fog
        soup = in_view(scene, moving, camera, far_m)
        hits = trace(soup, camera.matrix, self._holes, self._size, camera.focal_px)
        light = light_of(condition, camera)
        shadow = shadow_of(light, scene, moving, self._holes, camera)
        lamps = lamps_near(light, scene, camera)
        bounds, rows = bounds_of(shadow), rows_above(model.bumper, camera.height)
        textures, noise = self._mips, self._noise
        image = shade(soup, hits, camera, light, shadow, bounds, lamps, textures, noise, rows)
        mask = _mask(soup, hits)
        add_bumper(image, mask, model.bumper, light)
        signs = visible_signs(soup, hits, mask, scene.signs)
        return Picture(develop(image, condition, rng), mask, signs)


def _mask(soup: Soup, hits: Hits) -> Mask:
    """Return the class of each pixel."""
    # The last entry is for -1, where there is no triangle.
    classes = np.append(soup['label'], labels.SKY).astype(np.uint8)
    return classes[hits['triangle']]


def _in_winter(scene: Scene, textures: Textures) -> Scene:
    """Return the scene in winter: bare twins of the trees with leaves, snow for lawns."""
    shift = textures.layer('bare') - textures.layer('leaf')
    soup = scene.soup.copy()
    soup['layer'][soup['material'] == LEAF] += shift
    is_white = (soup['label'] == labels.TERRAIN) & (soup['normal'][:, 2] > _SNOW_LIES_FROM)
    soup['label'][is_white] = labels.SNOW
    return replace(scene, soup=soup)


def _weather_noise() -> np.ndarray:
    """Return noise with some contrast around a half; the same for all campuses."""
    noise = smooth_noise(np.random.default_rng(77), (32, 64, 128, 256), 0.5)
    return np.clip((noise - noise.mean()) * 1.15 + 0.47, 0, 1)
