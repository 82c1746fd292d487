"""Masks to weights, and weights to descriptors, on every runtime; frames without a mask, too."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.masking import covered, MASKED, Masking, MISSING
from husky_placerec.errors import InputError
from husky_placerec.types import Frame
import numpy as np
import pytest
from support.builders import frame, smooth_image
from support.segmentation import half_bright, write_segmentation

CAR, BUILDING = 55, 17
ON = {'masks': True, 'mask_floor': 0.0}
NETWORK = {
    'backbone': 'lcn_cnn',
    'weights': 'random',
    'pooling': 'gem:2x4',
    'head': 16,
    'input_width': 160,
    'input_height': 96,
}
IMAGES = {'front': smooth_image(1, 160, 96), 'back': smooth_image(2, 160, 96)}


def masked(images=IMAGES, **masks):
    return replace(frame(**images), masks=masks)


def mask(columns=0, height=96, width=160, rows=0):
    """Return a building behind cars in the first columns and rows."""
    found = np.full((height, width), BUILDING, np.uint8)
    found[:, :columns] = found[:rows] = CAR
    return found


def as_it_is(_, image):
    return image


def test_the_share_of_static_pixels_is_that_of_the_mask_and_of_the_robot_itself():
    values = {'masks': True, 'camera.front.ego_mask': '0,0.5 1,0.5 1,1 0,1'}
    masking = Masking.of(make_config(values))
    shares = masking.shares(masked(front=mask(40), back=mask(160)), as_it_is)
    assert shares['front'][:40, 50:].min() == 1
    assert shares['front'][:, :40].max() == shares['front'][60:].max() == 0
    assert covered(shares) == ['back']
    assert masking.counts == {MASKED: 2, MISSING: 0}
    # Without a mask only the robot is left out, and a camera with neither has no shares.
    alone = masking.shares(masked(), as_it_is)
    assert list(alone) == ['front']
    assert alone['front'].mean() == pytest.approx(0.5, abs=0.02)
    assert masking.counts == {MASKED: 2, MISSING: 2}


def test_the_floor_is_the_weight_of_what_moves():
    masking = Masking.of(make_config({'masks': True, 'mask_floor': 0.3}))
    found = masking.weights(np.array([0.0, 0.5, 1.0], np.float32))
    np.testing.assert_allclose(found, [0.3, 0.65, 1.0], rtol=1e-6)


def test_a_segmentation_network_makes_the_masks_that_are_missing(tmp_path):
    image, expected = half_bright(96, 160)
    file = write_segmentation(tmp_path / 'a.onnx')
    masking = Masking.of(make_config({**ON, 'segmentation': str(file)}))
    shares = masking.shares(masked({'front': image, 'back': image}, back=mask(0)), as_it_is)
    assert shares['back'].all()
    assert ((shares['front'] == 0) == (expected == CAR)).mean() > 0.95


def test_segmentation_without_masks_is_refused():
    with pytest.raises(InputError, match='segmentation is given, but masks is false'):
        make_config({'segmentation': 'a.onnx'})


@pytest.fixture(scope='module')
def extractors(tmp_path_factory):
    """Return the same network by torch and by ONNX Runtime, with masks."""
    pytest.importorskip('torch')
    pytest.importorskip('onnx')
    from husky_placerec.descriptor.onnx_export import export_onnx
    from husky_placerec.descriptor.spec import resolve_spec

    file = tmp_path_factory.mktemp('model') / 'small.onnx'
    export_onnx(resolve_spec(make_config(NETWORK), None), file, list(IMAGES.values()), threads=1)
    exported = {'extractor': 'onnx', 'weights': str(file)}
    return {
        'torch': load_extractor(make_config({**NETWORK, **ON})),
        'onnx': load_extractor(make_config({**exported, **ON})),
        'off': load_extractor(make_config(exported)),
    }


@pytest.mark.parametrize('runtime', ['torch', 'onnx'])
def test_what_moves_changes_the_descriptor_less(extractors, runtime):
    """Other pixels behind cars that cover a part of two cells change it less than unmasked."""
    extractor, other = extractors[runtime], {**IMAGES, 'front': IMAGES['front'].copy()}
    other['front'][:, 36:48] = smooth_image(9, 12, 96)
    cars = mask(0)
    cars[:, 20:64] = CAR  # with a margin, since the network sees around a pixel
    found = [extractor.describe(masked(i, front=cars)) for i in (IMAGES, other)]
    plain = [extractor.describe(masked(i)) for i in (IMAGES, other)]
    assert found[0][0] @ found[1][0] > plain[0][0] @ plain[1][0] + 1e-3
    np.testing.assert_allclose(found[0][1], plain[0][1], atol=1e-6)  # the back has no mask


@pytest.mark.parametrize(
    'masks',
    [{}, {'front': mask(30)}, {'front': mask(40, rows=48), 'back': mask(7)}, {'front': mask(160)}],
    ids=['none', 'one', 'a whole cell', 'all'],
)
def test_masks_give_the_same_by_torch_and_by_an_exported_file_and_are_never_nan(extractors, masks):
    by_torch, by_onnx = (extractors[n].describe(masked(**masks)) for n in ('torch', 'onnx'))
    np.testing.assert_allclose(np.linalg.norm(by_torch, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(by_torch, by_onnx, atol=1e-5)


@pytest.mark.parametrize('masks', [{}, {'front': mask(0)}, {'front': mask(160)}])
def test_no_mask_and_masks_of_one_class_change_nothing(extractors, masks):
    found = extractors['onnx'].describe(masked(**masks))
    np.testing.assert_allclose(found, extractors['off'].describe(masked()), atol=1e-6)


def test_an_extractor_without_a_pooling_refuses_masks():
    with pytest.raises(InputError, match='extractor hog: masks is true; expected a network'):
        load_extractor(make_config({'extractor': 'hog', **ON}))


def test_the_shipped_network_takes_masks_and_is_the_same_without():
    on = load_extractor(make_config({'weights': 'shipped', **ON}))
    off = load_extractor(make_config({'weights': 'shipped', 'runtime': 'onnxruntime'}))
    np.testing.assert_array_equal(on.describe(masked()), off.describe(masked()))
    differs = on.describe(masked(front=mask(60)))[0] @ off.describe(masked())[0]
    assert differs < 1 - 1e-4


def test_an_exported_file_without_the_input_says_what_to_do(extractors, tmp_path):
    import onnx

    source = extractors['onnx'].spec.weights
    model = onnx.load(source)
    inputs = [each for each in model.graph.input if each.name != 'masks']
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    onnx.save(model, tmp_path / 'old.onnx')
    values = {'extractor': 'onnx', 'weights': str(tmp_path / 'old.onnx')}
    load_extractor(make_config(values)).describe(masked())
    with pytest.raises(InputError, match='no input for masks; export the network again'):
        load_extractor(make_config({**values, **ON}))


def test_frames_of_other_masks_than_images_are_described(extractors):
    """A mask of a camera whose image was left out does nothing."""
    lone = Frame(0, {'front': IMAGES['front']}, {'front': 0}, {'back': mask(9)})
    found = extractors['torch'].describe(lone)
    assert not found[1].any()
