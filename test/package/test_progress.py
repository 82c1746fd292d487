"""The progress bar of work that starts slowly."""

from __future__ import annotations

from husky_placerec import progress
from husky_placerec.progress import EARLY, slow_start_bar


def test_the_remaining_time_leaves_out_the_start(monkeypatch, capsys):
    now = [1000.0]
    monkeypatch.setattr(progress.time, 'time', lambda: now[0])
    monkeypatch.setattr('tqdm.std.time', lambda: now[0])
    with slow_start_bar('Rendering', 'compiling') as show:
        now[0] += 90
        for done in range(1, EARLY + 1):
            show(done, 104)
        for done in range(EARLY + 1, 55):
            now[0] += 1
            show(done, 104)
    lines = capsys.readouterr().err.replace('\r', '\n').strip().split('\n')
    assert lines[0].startswith('Rendering (compiling)')
    assert (
        '54/104 [00:50<00:50,  1.00 frames/s]' in lines[-1]
    )  # 50 frames in 50 s, although the first took 90 s
