"""Start of the page: Streamlit in this process, on this machine alone unless told otherwise."""

from __future__ import annotations

from pathlib import Path
import socket

from husky_placerec.errors import InputError
from husky_placerec.viewer.settings import Settings
from husky_placerec.viewer.uploads import MOST_MB

SCRIPT = Path(__file__).parent / 'screens' / 'app.py'


def serve(settings: Settings, address: str, port: int) -> None:
    """
    Serve the page until the process is ended.

    :raises InputError: for a port or an address that cannot be had.
    """
    _check_free(address, port)
    options = {
        'server.address': address,
        'server.port': port,
        'server.headless': True,  # asks for no e-mail address and opens nothing
        'server.fileWatcherType': 'none',
        'server.maxUploadSize': MOST_MB,
        'server.enableStaticServing': False,
        'browser.gatherUsageStats': False,
        'client.showErrorDetails': 'none',
        'client.toolbarMode': 'minimal',
        'runner.magicEnabled': False,
        'logger.level': 'error',
    }
    from streamlit.web import bootstrap

    bootstrap.load_config_options(options)
    bootstrap.run(str(SCRIPT), False, settings.as_arguments(), options)


def _check_free(address: str, port: int) -> None:
    try:
        family, kind, _, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        raise InputError(
            f'--port {port} --address {address}: {error.strerror or error}; expected a free port '
            'of this machine'
        ) from error
