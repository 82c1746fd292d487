"""The parameters of the node, declared from `husky_placerec.config`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    Declare every parameter, and check each change.

    `cameras` is declared first, because each camera has its own parameters, `camera.<name>.*`.

    :param changed: gets the new configuration after each change.
    :raises InputError: for a wrong type, or a value out of range.
    """

    def __init__(self, node: Node, changed: Callable[[Config], None]) -> None:
        self._values: dict[str, Any] = {}
        self._source = f'parameters of {node.get_fully_qualified_name()}'
        self._changed = changed
        ((_, cameras, names),) = [d for d in declarations(()) if d[0] == 'cameras']
        self._values['cameras'] = _declare(node, 'cameras', cameras, names)
        make_config(dict(self._values), self._source)  # names that no parameter can be declared by
        for name, declared, default in declarations(self._values['cameras']):
            if name not in self._values:
                self._values[name] = _declare(node, name, declared, default)
        self.config = make_config(self._values, self._source)
        node.add_on_set_parameters_callback(self._set)

    def _set(self, parameters: list[Parameter]) -> SetParametersResult:
        """Take values that make a valid configuration together, or refuse all of them."""
        news = {p.name: p.value for p in parameters if p.name in self._values}
        if not news:  # parameters of rclpy, such as use_sim_time
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
        value = node.declare_parameter(name, default, _descriptor(declared, default)).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        raise InputError(f'parameter {name}: {error}') from error
    if value is None:  # what ROS makes of an empty list
        kind = 'a list of names' if isinstance(default, list) else type(default).__name__
        raise InputError(f'parameter {name}: empty; expected {kind}, such as {default!r}')
    return value


def _descriptor(declared: Field[Any], default: Any) -> ParameterDescriptor:
    about = declared.metadata
    least, most = about['least'], about['most']
    unit = f' [{about["unit"]}]' if about['unit'] else ''
    descriptor = ParameterDescriptor(
        description=about['description'] + unit,
        additional_constraints=_constraints(about),
        read_only=not about['dynamic'],  # a parameter that is read once only
    )
    if least is not None and isinstance(default, float):
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=float(least), to_value=float(most))
        ]
    elif least is not None:
        descriptor.integer_range = [IntegerRange(from_value=least, to_value=most, step=1)]
    return descriptor


def _constraints(about: Mapping[str, Any]) -> str:
    """Return what the range of a descriptor cannot tell."""
    if about['zero_or'] is not None:
        return f'0, or at least {about["zero_or"]:g}'
    return ', '.join(choice or "''" for choice in about['choices'])
