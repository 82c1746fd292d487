"""The managed node: its transitions and its services."""

from __future__ import annotations

from collections.abc import Callable
import gc
from pathlib import Path
from typing import Any

from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
from husky_placerec.printable import printable
from husky_placerec.recognition.calibration import UNCALIBRATED
from husky_placerec.ros.configured import ConfiguredParts
from husky_placerec.ros.parameters import Parameters
from husky_placerec.ros.rclpy_internals import destroy_state_machine
from husky_placerec.ros.reporter import Reporter
from husky_placerec.ros.services import Answer, Services
from husky_placerec.session.loading import load_in_thread
from husky_placerec.session.log import open_log
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.logging import get_logger

WARN_EVERY_S = 5.0
UNCONFIGURED, INACTIVE, ACTIVE, FINALIZED = 'unconfigured', 'inactive', 'active', 'finalized'


class PlacerecNode(LifecycleNode):
    """
    Publish the pose of each recognised place, stamped as the front image.

    An inactive node has model and map in memory, and takes no CPU time. An active node listens.
    Callbacks only store messages; one thread recognises.

    :raises InputError: for parameters that are wrong.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__('placerec', **options)
        self.stage = UNCONFIGURED
        self.error: str | None = None  # why the last transition failed
        self.parts: ConfiguredParts | None = None
        self.parameters = Parameters(self, self._reconfigure)
        self.reporter = Reporter(self)
        self._served = Services(self, self)

    @property
    def config(self) -> Config:
        """The present parameters."""
        return self.parameters.config

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and verify model and map, and warm up."""
        return self._change('configuring', INACTIVE, lambda: self._configure(state))

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen."""
        return self._change('activating', ACTIVE, lambda: self._activate(state))

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening."""
        return self._change('deactivating', INACTIVE, lambda: self._deactivate(state))

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the memory."""
        return self._change('cleaning up', UNCONFIGURED, self._free)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the memory."""
        return self._change('shutting down', FINALIZED, self._free)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the memory."""
        return self._change('clearing up', UNCONFIGURED, self._free)

    def _change(
        self, during: str, after: str, transition: Callable[[], None]
    ) -> TransitionCallbackReturn:
        """Do a transition; log in one sentence why it failed, because rclpy does not."""
        before, self.stage = self.stage, during
        try:
            transition()
        except Exception as error:
            known = isinstance(error, InputError)
            self.error = printable(error if known else f'{type(error).__name__}: {error}')
            self.stage = before
            if not self.config.autostart:  # with autostart the process ends with this sentence
                self.get_logger().error(self.error)
            return TransitionCallbackReturn.FAILURE
        self.error, self.stage = None, after
        return TransitionCallbackReturn.SUCCESS

    def _configure(self, state: LifecycleState) -> None:
        config = self.config
        log = open_log(config.recognitions_file)
        try:
            recognizer = load_in_thread(config, self._goes_on, self._tell)
            self.parts = ConfiguredParts(self, recognizer, config, log, self._problem)
        except BaseException:
            if log is not None:
                log.close()
            raise
        super().on_configure(state)
        if limits := recognizer.place_map.spec.limits:
            self.get_logger().warning(limits)
        if recognizer.local_doubt:
            self.get_logger().warning(printable(recognizer.local_doubt))

    def _tell(self, sentence: str) -> None:
        self.get_logger().info(printable(sentence))

    def _activate(self, state: LifecycleState) -> None:
        parts = self._configured()
        super().on_activate(state)  # the publishers
        parts.start()
        config, recognizer = self.config, parts.session.recognizer
        least = f'a probability of {config.min_probability:g}'
        if recognizer.calibration_kind == UNCALIBRATED:
            least = (
                f'a similarity of {config.min_similarity:g} and a lead of {config.min_margin:g}'
            )
        elif config.sequence:
            least = f'a probability of {config.localized_from:g}, when it is proven'
        topics = ', '.join(parts.inputs.topics)
        about = f'{recognizer.place_map!r}, {recognizer.calibration_kind}'
        self.get_logger().info(
            printable(f'{about}, recognised from {least}; listening to {topics}')
        )

    def _deactivate(self, state: LifecycleState) -> None:
        self._configured().stop()
        super().on_deactivate(state)

    def _free(self) -> None:
        if self.parts is not None:
            if self.parts.session.counters.frames:
                # By a logger that no topic carries: at the end of the process there is none.
                get_logger('placerec_report').info(self.parts.session.counters.report())
            self.parts.close()
        self.parts = None
        gc.collect()  # the model and the map, now

    def leave(self) -> None:
        """Free the memory and leave the network, at the end of the process."""
        self._free()
        self.destroy_node()
        destroy_state_machine(self)

    def _goes_on(self) -> bool:
        self.reporter.tick()
        return bool(self.context.ok())

    def _problem(self, problem: str) -> None:
        problem = printable(problem)
        self.reporter.problem = problem
        self.get_logger().warning(problem, throttle_duration_sec=WARN_EVERY_S)

    def report_failure(self, error: Exception) -> None:
        """Log a callback that failed, and report it."""
        self._problem(f'a callback failed: {type(error).__name__}: {error}')

    def _reconfigure(self, config: Config) -> None:
        if self.parts is not None:
            self.parts.session.configure(config)

    def relocalize(self) -> Answer:
        """Begin anew, and make an initial pose due where they are switched on."""
        parts = self._configured()
        parts.session.begin_anew()
        forgotten = 'what was known is forgotten; ~/pose comes again when some frames agree'
        if not parts.outputs.ask_initial_pose():
            return True, f'{forgotten}; initial_pose is off: nothing goes to initialpose'
        config = parts.session.config
        return True, (
            f'{forgotten}; then initialpose gets one pose, if its standard deviation is at most '
            f'{config.initial_pose_sigma:g} m and it is at least {config.initial_pose_spacing:g} '
            'm from the one before; /diagnostics tells what it waits for'
        )

    def enable(self, on: bool) -> Answer:
        """Let frames through, or hold all of them back."""
        self._configured().session.enable(on)
        return True, 'enabled' if on else 'disabled'

    def reload_map(self) -> Answer:
        """Load the present version of the map and go on with it; called by a thread."""
        place_map = load_map(Path(self.config.map), private=True)
        self._configured().session.reload(place_map)
        self.get_logger().info(printable(f'now with {place_map!r}'))
        return True, repr(place_map)

    def _configured(self) -> ConfiguredParts:
        if self.parts is None:
            raise InputError('not configured')
        return self.parts
