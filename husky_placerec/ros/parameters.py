"""The node's parameters, declared from the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field
from typing import Any

from husky_placerec.config import Config, declarations, make_config
from husky_placerec.errors import InputError
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter


class Parameters:
    """
    Declares every parameter, and watches those that may change.

    The cameras come first, since each brings parameters of its own, `camera.<name>.*`.

    :param changed: is given the new configuration whenever some were set.
    :raises InputError: for a wrong type, or a value out of range.
    """

    def __init__(self, node: Node, changed: Callable[[Config], None]) -> None:
        self._values: dict[str, Any] = {}
        self._source = f'parameters of {node.get_fully_qualified_name()}'
        self._changed = changed
        ((_, cameras, names),) = [d for d in declarations(()) if d[0] == 'cameras']
        self._values['cameras'] = _declare(node, 'cameras', cameras, names)
        for name, declared, default in declarations(self._values['cameras']):
            if name not in self._values:
                self._values[name] = _declare(node, name, declared, default)
        self.config = make_config(self._values, self._source)
        node.add_on_set_parameters_callback(self._set)

    def _set(self, parameters: list[Parameter]) -> SetParametersResult:
        """Take values that make a configuration together, or refuse them all with a reason."""
        news = {p.name: p.value for p in parameters if p.name in self._values}
        if not news:  # another's, such as use_sim_time
            return SetParametersResult(successful=True)
        try:
            config = make_config({**self._values, **news}, self._source)
            self._changed(config)
        except InputError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self._values.update(news)
        self.config = config
        return SetParametersResult(successful=True)


def _declare(node: Node, name: str, declared: Field[Any], default: Any) -> Any:
    try:
        return node.declare_parameter(name, default, _descriptor(declared, default)).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        raise InputError(f'parameter {name}: {error}') from error


def _descriptor(declared: Field[Any], default: Any) -> ParameterDescriptor:
    about = declared.metadata
    least, most = about['least'], about['most']
    unit = f' [{about["unit"]}]' if about['unit'] else ''
    descriptor = ParameterDescriptor(
        description=about['description'] + unit,
        additional_constraints=', '.join(choice or "''" for choice in about['choices']),
        read_only=not about['dynamic'],  # what is read once must not seem to change
    )
    if least is not None and isinstance(default, float):
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=float(least), to_value=float(most))
        ]
    elif least is not None:
        descriptor.integer_range = [IntegerRange(from_value=least, to_value=most, step=1)]
    return descriptor
