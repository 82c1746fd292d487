"""The node's parameters, declared from the one place that knows them all."""

from __future__ import annotations

from dataclasses import Field
from typing import Any

from husky_placerec.config import Config, declarations, make_config
from husky_placerec.errors import InputError
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node


def declare_config(node: Node) -> Config:
    """
    Declare every parameter and return the configuration that they make.

    The cameras come first, since each brings parameters of its own, `camera.<name>.*`.

    :raises InputError: for a wrong type, or a value out of range.
    """
    values: dict[str, Any] = {}
    ((_, cameras, names),) = [d for d in declarations(()) if d[0] == 'cameras']
    values['cameras'] = _declare(node, 'cameras', cameras, names)
    for name, declared, default in declarations(values['cameras']):
        if name not in values:
            values[name] = _declare(node, name, declared, default)
    return make_config(values, f'parameters of {node.get_fully_qualified_name()}')


def _declare(node: Node, name: str, declared: Field[Any], default: Any) -> Any:
    try:
        return node.declare_parameter(name, default, _descriptor(declared, default)).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        raise InputError(f'parameter {name}: {error}') from error


def _descriptor(declared: Field[Any], default: Any) -> ParameterDescriptor:
    about = declared.metadata
    least, most = about['least'], about['most']
    descriptor = ParameterDescriptor(
        description=about['description'],
        additional_constraints=', '.join(choice or "''" for choice in about['choices']),
        read_only=True,  # given at the start; what is read once must not seem to change
    )
    if least is not None and isinstance(default, float):
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=float(least), to_value=float(most))
        ]
    elif least is not None:
        descriptor.integer_range = [IntegerRange(from_value=least, to_value=most, step=1)]
    return descriptor
