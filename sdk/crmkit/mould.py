"""Frozen records out of values that are known to be right: what a translator gives needs no validating."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


class Mould(Generic[M]):
    """Makes records of one class without validating them, several times faster than its constructor.

    A record made so is equal to a validated one as long as its values are of the types that the class names; tests of
    each translator hold them to that.

    Args:
        cls: the class.
        unset: fields that only ever hold their defaults, and count as not set.
    """

    def __init__(self, cls: type[M], *unset: str) -> None:
        self._cls = cls
        self._names = tuple(cls.model_fields)
        # One for all records: they are frozen, and a copy of a record copies it.
        self._given = set(self._names) - set(unset)

    def cast(self, values: dict[str, Any]) -> M:
        """The record; `values` holds every field in the order of the class, and becomes the record's own.

        Raises TypeError for a field too few or too many.
        """
        if len(values) != len(self._names):
            wrong = ", ".join(sorted(values.keys() ^ set(self._names)))
            raise TypeError(f"{self._cls.__name__} is cast with every field it has, and no other: look at {wrong}")
        made = _new(self._cls)
        _set_values(made, values)
        _set_given(made, self._given)
        _set_extra(made, None)
        _set_private(made, None)
        return made


def defaults_of(cls: type[BaseModel]) -> dict[str, Any]:
    """The values of a record's fields when nothing is set; all of them are immutable."""
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in cls.model_fields.items()
        if not field.is_required()
    }


_new = object.__new__
_set_values = BaseModel.__dict__["__dict__"].__set__
_set_given = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__
