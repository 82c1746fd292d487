"""A page of `placerec view` in a headless Chromium."""

from __future__ import annotations

from contextlib import closing, contextmanager
import os
from pathlib import Path
import shutil
import socket
import subprocess
import sys
import time
from urllib.request import urlopen

SIZE = {'width': 1280, 'height': 800}
PATIENCE_S = 60.0
# WebGL by the processor: a machine without a graphics card draws the points too.
FLAGS = [
    '--no-sandbox',
    '--use-gl=angle',
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
]


def chromium():
    """Return the path of Debian's Chromium or of Chrome; None without one."""
    names = 'chromium', 'chromium-browser', 'google-chrome'
    return next(filter(None, map(shutil.which, names)), None)


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


@contextmanager
def served(folder, *words):
    """Start `placerec view` in a process of its own; yield its address and the process."""
    port = free_port()
    command = [sys.executable, '-m', 'husky_placerec.cli', 'view', *map(str, words)]
    log = Path(folder) / 'view.log'
    with log.open('w') as file:
        process = subprocess.Popen(
            [*command, '--port', str(port)], cwd=folder, stdout=file, stderr=subprocess.STDOUT
        )
    address = f'http://localhost:{port}'
    try:
        _wait(f'{address}/_stcore/health', process, log)
        yield address, log
    finally:
        process.terminate()
        process.wait(20)


def _wait(url, process, log):
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            with urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f'no page after {PATIENCE_S} s: {log.read_text()}')


@contextmanager
def browser():
    """Yield a headless browser."""
    from playwright.sync_api import sync_playwright

    os.environ.setdefault('PW_TEST_SCREENSHOT_NO_FONTS_READY', '1')
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield opened
        finally:
            opened.close()


def settled(page):
    """Wait until Streamlit has drawn everything."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_function('!document.querySelector("[data-stale=true]")')


def click_point(page, number, chart=0):
    """Click the point of the frame with a number on the map; its place is asked of plotly."""
    where = page.evaluate(
        """([number, chart]) => {
            const plot = document.querySelectorAll('.js-plotly-plot')[chart];
            for (const trace of plot._fullData) {
                const at = Array.from(trace.customdata || []).findIndex(v => Number(v) === number);
                if (at < 0) continue;
                const {xaxis, yaxis, _size} = plot._fullLayout;
                const box = plot.getBoundingClientRect();
                if (!xaxis) return null;
                return [box.left + _size.l + xaxis.l2p(trace.x[at]),
                        box.top + _size.t + yaxis.l2p(trace.y[at])];
            }
            return null;
        }""",
        [number, chart],
    )
    assert where is not None, f'no point of frame {number}'
    page.mouse.move(*where)
    page.wait_for_timeout(120)  # plotly looks for the point below the pointer
    page.mouse.click(*where)
