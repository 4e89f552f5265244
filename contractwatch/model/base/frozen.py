"""A noun costs little until it is used: a frozen, slotted dataclass makes its methods when called.

The standard library compiles every method when a dataclass is declared, about half a millisecond a
class. A short command declares two hundred nouns and makes values of a quarter of them.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def frozen(cls: type[T]) -> type[T]:
    """Return the class as `dataclass(frozen=True, slots=True)` does, its methods made on first use.

    Fields, `replace`, `asdict`, `match`, pickle and copy work as with any dataclass. Fields may
    have a default or a default factory; other wishes are a TypeError, at the first use at latest.
    """
    if hasattr(cls, "__post_init__"):
        raise TypeError(_PLAIN_ONLY.format(cls.__qualname__))
    own = tuple(cls.__annotations__)
    above = tuple(dict.fromkeys(name for base in cls.__mro__ for name in _fields_of(base)))
    body = {name: value for name, value in vars(cls).items() if name not in _OF_A_DICT}
    for name in own:
        body.pop(name, None)
    body = {
        **_SHARED,
        **{name: _Later(make) for name, make in _MAKERS.items()},
        "__dataclass_fields__": _LaterFields(cls),
        **body,
        "__slots__": tuple(name for name in own if name not in above),
        "__match_args__": tuple(dict.fromkeys((*above, *own))),
    }
    slotted = type(cls)(cls.__name__, cls.__bases__, body)
    slotted.__qualname__ = cls.__qualname__
    return slotted


_PLAIN_ONLY = "{}: a frozen noun has plain fields only"
_OF_A_DICT = ("__dict__", "__weakref__")


def _fields_of(base: type) -> tuple[str, ...]:
    return vars(base).get("__match_args__", ())


class _LaterFields:
    """The fields of a class, which are made when somebody asks, from what was written."""

    __slots__ = ("_owner", "_written")

    def __init__(self, written: type) -> None:
        self._written = written

    def __set_name__(self, owner: type, _name: str) -> None:
        self._owner = owner

    def __get__(self, _instance: object, _kind: type | None = None) -> Any:
        # of a copy, for two threads may be the first to ask: then both do the same
        body = {name: one for name, one in vars(self._written).items() if name not in _OF_A_DICT}
        written: Any = type(self._written)(self._written.__name__, self._written.__bases__, body)
        written.__doc__ = written.__doc__ or written.__name__  # else dataclass() works one out
        dataclasses.dataclass(init=False, repr=False, eq=False)(written)
        fields = dataclasses.fields(written)
        names = tuple(field.name for field in fields if field.init and not field.kw_only)
        if names != vars(self._owner)["__match_args__"]:
            raise TypeError(_PLAIN_ONLY.format(self._owner.__qualname__))
        for name in ("__dataclass_params__", "__dataclass_fields__"):
            setattr(self._owner, name, getattr(written, name))
        return written.__dataclass_fields__


_Fields = Sequence["dataclasses.Field[Any]"]


class _Later:
    """A method that is made, and takes this one's place, when it is first looked up."""

    __slots__ = ("_make", "_name", "_owner")

    def __init__(self, make: Callable[[type, _Fields], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._name = owner, name

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        fields: Any = dataclasses.fields(self._owner)  # pyright: ignore[reportArgumentType]
        method = self._make(self._owner, fields)
        method.__qualname__ = f"{self._owner.__qualname__}.{self._name}"
        method.__module__ = self._owner.__module__
        setattr(self._owner, self._name, method)
        return method.__get__(instance, owner)


def _init(owner: type, fields: _Fields) -> Any:
    known: dict[str, Any] = {"MISSING": dataclasses.MISSING}
    parameters, lines = ["self"], ["pass"]
    for field in fields:
        name, value = field.name, field.name
        # a slot's own setter: `self.x = x` is refused, for the value is frozen
        known[f"set_{name}"] = getattr(owner, name).__set__
        if field.default is not dataclasses.MISSING:
            known[f"default_{name}"] = field.default
            parameters.append(f"{name}=default_{name}")
        elif field.default_factory is not dataclasses.MISSING:
            known[f"make_{name}"] = field.default_factory
            parameters.append(f"{name}=MISSING")
            value = f"make_{name}() if {name} is MISSING else {name}"
        else:
            parameters.append(name)
        lines.append(f"set_{name}(self, {value})")
    method = _compiled("__init__", parameters, lines, known)
    method.__annotations__ = {**{field.name: field.type for field in fields}, "return": None}
    return method


def _eq(_owner: type, fields: _Fields) -> Any:
    names = [field.name for field in fields if field.compare]
    lines = [
        "if other.__class__ is self.__class__:",
        f" return {_tuple('self', names)} == {_tuple('other', names)}",
        "return NotImplemented",
    ]
    return _compiled("__eq__", ["self", "other"], lines, {})


def _hash(_owner: type, fields: _Fields) -> Any:
    names = [one.name for one in fields if (one.compare if one.hash is None else one.hash)]
    return _compiled("__hash__", ["self"], [f"return hash({_tuple('self', names)})"], {})


def _tuple(value: str, names: Iterable[str]) -> str:
    return f"({''.join(f'{value}.{name}, ' for name in names)})"


def _compiled(
    name: str, parameters: Sequence[str], lines: Sequence[str], known: dict[str, Any]
) -> Any:
    made: dict[str, Any] = {}
    text = f"def {name}({', '.join(parameters)}):\n " + "\n ".join(lines)
    exec(text, known, made)  # noqa: S102 - of names of fields only, as dataclass() does
    return made[name]


def _repr(self: Any) -> str:
    shown = (one.name for one in dataclasses.fields(self) if one.repr)
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{self.__class__.__qualname__}({values})"


def _refuse_to_set(_self: object, name: str, _value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, name) for name in self.__match_args__]


def _set_state(self: Any, state: Sequence[object]) -> None:
    for name, value in zip(self.__match_args__, state, strict=True):
        object.__setattr__(self, name, value)


_MAKERS = {"__init__": _init, "__eq__": _eq, "__hash__": _hash}
_SHARED = {
    "__repr__": _repr,
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__getstate__": _state,
    "__setstate__": _set_state,
}
