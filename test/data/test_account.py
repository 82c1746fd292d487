"""The account of a paired drive: each image without a partner is counted, with the reason."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.data.account import PairingRule, PairingTally
from husky_placerec.data.pairing import FramePairer
from husky_placerec.errors import InputError
from husky_placerec.types import Frame, SECOND_NS
import pytest
from support.builders import BACK, FRONT, MS, START_NS

RULE = PairingRule(50 * MS, SECOND_NS // 2, 30)


def stamps(count, period_ms=1000, start_ms=0):
    return [START_NS + (start_ms + i * period_ms) * MS for i in range(count)]


def account(rule=RULE, **cameras):
    """Pair images as a source does, in the order of their stamps."""
    pairer = FramePairer(list(cameras), rule.slop_ns, rule.silence_ns, rule.queue_size)
    tally = PairingTally(list(cameras), rule)
    arrivals = [(ns, name) for name, all_ns in cameras.items() for ns in all_ns]
    for stamp_ns, name in sorted(arrivals, key=lambda arrival: arrival[0]):
        tally.came(name, stamp_ns)
        for frame in pairer.add(name, stamp_ns, None):
            tally.paired(frame)
    return tally.account()


def test_a_drive_in_which_every_image_has_a_partner():
    found = account(front=stamps(30), back=stamps(30, start_ms=3))
    expected = '30 frames of 30 front and 30 back images; every image found a partner'
    assert found.sentence() == expected
    assert found.warnings() == []


def test_every_second_pair_is_too_far_apart_and_the_slop_that_pairs_it_is_named():
    back = [ns + 60 * MS * (i % 2) for i, ns in enumerate(stamps(30))]
    found = account(front=stamps(30), back=back)
    assert found.frames == 15
    assert found.sentence().startswith(
        '15 frames of 30 front and 30 back images; 15 front images (50%) found no partner: '
        '15 because the nearest image of another camera is further away than slop '
        '(60 ms, slop is 50 ms)'
    )
    assert found.needed_slop_s == 0.07
    assert all('--set slop=0.07 would pair them' in line for line in found.warnings())
    assert [line.split()[1] for line in found.warnings()] == [FRONT, BACK]
    again = account(PairingRule(70 * MS, RULE.silence_ns, 30), front=stamps(30), back=back)
    assert again.frames == 30


def test_no_slop_is_named_where_none_pairs_the_images():
    # The images of back are nearer to the next front image than to the one that they belong to.
    back = [ns + 60 * MS * (i % 2) for i, ns in enumerate(stamps(30, 100))]
    found = account(front=stamps(30, 100), back=back)
    assert found.needed_slop_s is None
    assert 'no value of slop would pair them' in ' '.join(found.warnings())


def test_a_few_images_without_a_partner_are_told_and_no_warning():
    found = account(front=stamps(100), back=[*stamps(99), stamps(100)[-1] + 60 * MS])
    assert '1 front images (1%) found no partner' in found.sentence()
    assert found.warnings() == []


def test_the_spare_images_of_a_faster_camera_are_told_and_no_warning():
    found = account(front=stamps(100, 100), back=stamps(50, 200, 2))
    assert 'front images (50%) found no partner' in found.sentence()
    assert found.cameras[BACK].unpaired == 0
    assert found.warnings() == []


@pytest.mark.parametrize('dead', [FRONT, BACK])
def test_a_camera_that_dies_is_named_with_its_last_frame(dead):
    cameras = {FRONT: stamps(30), BACK: stamps(30, start_ms=3)}
    cameras[dead] = cameras[dead][:8]
    found = account(**cameras)
    other = FRONT if dead == BACK else BACK
    assert found.cameras[dead].last_frame == 8
    assert found.cameras[other].without == {'no other camera had an image then': 22}
    (lacking,) = (line for line in found.warnings() if line.startswith(dead))
    assert f'have no {dead} image, none after frame 8;' in lacking


def test_a_camera_without_any_image():
    found = account(front=stamps(30), back=[])
    assert any(line.startswith('back: no images at all') for line in found.warnings())


def test_stamps_that_stand_still_are_refused():
    found = account(front=[0] * 30, back=[0] * 30)
    with pytest.raises(InputError, match=r'drive: all 30 front images have one stamp; expected'):
        found.require_clocks(Path('drive'))
    account(front=stamps(1), back=stamps(1)).require_clocks(Path('drive'))


def test_a_repeated_stamp_is_a_reason_of_its_own():
    found = account(front=sorted(stamps(30) * 2), back=stamps(30))
    assert found.cameras[FRONT].without == {'the stamp is not later than the one before': 30}
    assert 'placerec data check' in found.warnings()[0]


def test_one_camera_has_no_partners_to_find():
    found = account(front=stamps(5))
    assert found.sentence() == '5 frames of 5 front images'
    assert found.warnings() == []


def test_a_table_tells_the_frames_itself():
    tally = PairingTally([FRONT, BACK], None)
    for number, stamp_ns in enumerate(stamps(10)):
        names = (FRONT, BACK) if number % 2 else (FRONT,)
        for name in names:
            tally.came(name, stamp_ns)
        tally.paired(Frame(stamp_ns, {}, dict.fromkeys(names, stamp_ns)))
    found = tally.account()
    assert found.cameras[FRONT].without == {'no other camera had an image then': 5}
    assert found.warnings()[0].startswith('back: 5 of 10 frames have no back image;')
