"""Turns the type hints of messages, once, into functions that refuse what does not fit and say which field it was."""

import re
from collections.abc import Callable
from operator import itemgetter
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

Scope: TypeAlias = Annotated[str, "scope"]  # "region:1", "msp:3", "cust:17" or "credit:17"
Count: TypeAlias = Annotated[int, "count"]  # zero or more


class BadMessage(ValueError):
    """A frame that is not a message of this protocol; says which field, and why."""


UNSTORABLE = "\\u0000"
MOST_LOOKS = 1000  # that are kept of one kind of object


def refuse_unstorable(value: Any) -> None:
    """Raise BadMessage for a text with NUL, which no database takes; halves of surrogate pairs are no JSON."""
    if isinstance(value, str) and "\0" in value:
        raise BadMessage(f"text that cannot be stored: {value!r:.40}")
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            refuse_unstorable(each)


Check: TypeAlias = Callable[[Any, str], Any]
_SCOPE = re.compile(r"(region|msp|cust|credit):[1-9][0-9]{0,9}")


def _check_scope(value: Any, where: str) -> str:
    if not isinstance(value, str) or not _SCOPE.fullmatch(value):
        raise BadMessage(f"{where}: expected a scope such as cust:17, got {value!r:.40}")
    return value


def _check_count(value: Any, where: str) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise BadMessage(f"{where}: expected a whole number from 0, got {value!r:.40}")
    return value


_accepted: dict[Check, frozenset[type]] = {}  # of the checks that look at a value's type and no more
_worded: set[Check] = set()  # the checks that know some words and nothing else


def _simple(kind: type, *accepted: type) -> Check:
    def check(value: Any, where: str) -> Any:
        if type(value) not in accepted:  # not isinstance: True is an int
            raise BadMessage(f"{where}: expected {kind.__name__}, got {value!r:.40}")
        return value

    _accepted[check] = frozenset(accepted)
    return check


def _list_of(item: Check) -> Check:
    def check(value: Any, where: str) -> list[Any]:
        if type(value) is not list:
            raise BadMessage(f"{where}: expected a list, got {value!r:.40}")
        return [item(each, where) for each in value]

    return check


def _dict_of(key: Check, item: Check) -> Check:
    def check(value: Any, where: str) -> dict[Any, Any]:
        if type(value) is not dict:
            raise BadMessage(f"{where}: expected an object, got {value!r:.40}")
        try:
            return {key(name, "key"): item(each, name[:40]) for name, each in value.items()}
        except BadMessage as error:
            raise BadMessage(f"{where}.{error}") from None

    return check


def _texts(kind: Any) -> Check:
    def check(value: Any, where: str) -> Any:
        if type(value) is not list or len(value) != len(kind._fields) or not all(type(part) is str for part in value):
            raise BadMessage(f"{where}: expected [{', '.join(kind._fields)}] as texts, got {type(value).__name__}")
        return kind(*value)

    return check


def _either(checks: list[Check], literals: tuple[Any, ...]) -> Check:
    known, kinds = frozenset(literals), frozenset(map(type, literals))

    def check(value: Any, where: str) -> Any:
        if type(value) in kinds and value in known:
            return value
        if not checks:
            raise BadMessage(f"{where}: expected one of {', '.join(map(repr, literals))}, got {value!r:.40}")
        return checks[0](value, where)

    if not checks and kinds == {str}:
        _worded.add(check)
    elif known == {None} and checks[0] in _accepted:
        _accepted[check] = _accepted[checks[0]] | {NoneType}
    return check


def object_check(kind: type, names: dict[str, Any]) -> Check:
    checks = {name: check_for(hint) for name, hint in names.items()}
    required = checks.keys() - getattr(kind, "__optional_keys__", frozenset())
    # Most fields are asked for their type, or for one of a few words, and most objects look like one that was right.
    typed = [name for name in required if checks[name] in _accepted]
    worded = [name for name in required if checks[name] in _worded]
    others = {name: check for name, check in checks.items() if name not in {*typed, *worded}}
    types_of, words_of = _picker(typed), _picker(worded)
    right: set[tuple[Any, ...]] = set()

    def check(value: Any, where: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise BadMessage(f"{where}: expected an object, got {value!r:.40}")
        if not required <= value.keys() <= checks.keys():
            missing, unknown = sorted(required - value.keys()), sorted(value.keys() - checks.keys())
            raise BadMessage(f"{where}: missing {missing}, unknown {[name[:40] for name in unknown[:5]]}")
        try:
            looks = (*map(type, types_of(value)), *words_of(value))
            if not _is_in(looks, right):
                for name in (*typed, *worded):
                    checks[name](value[name], name)
                if len(right) < MOST_LOOKS:
                    right.add(looks)
            return value | {name: check(value[name], name) for name, check in others.items() if name in value}
        except BadMessage as error:
            raise BadMessage(f"{where}.{error}") from None

    return check


def _picker(names: list[str]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    return itemgetter(*names) if len(names) > 1 else lambda value: tuple(value[name] for name in names)


def _is_in(looks: tuple[Any, ...], right: set[tuple[Any, ...]]) -> bool:
    try:
        return looks in right
    except TypeError:  # a list in the place of a word
        return False


def check_for(hint: Any) -> Check:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is NotRequired:
        return check_for(inner[0])
    if origin is Literal:
        return _either([], inner)
    if origin in (Union, UnionType):
        literals = [value for part in inner if get_origin(part) is Literal for value in get_args(part)]
        plain = [part for part in inner if get_origin(part) is not Literal and part is not NoneType]
        return _either([check_for(part) for part in plain], (*literals, *([None] if NoneType in inner else [])))
    if origin is list:
        return _list_of(check_for(inner[0]))
    if origin is dict and inner == (str, Any):
        return _simple(dict, dict)
    if origin is dict:
        return _dict_of(check_for(inner[0]), check_for(inner[1]))
    if isinstance(hint, type) and issubclass(hint, tuple):
        return _texts(hint)
    if is_typeddict(hint):
        return object_check(hint, get_type_hints(hint, include_extras=True))
    return _SIMPLE[hint]


_SIMPLE: dict[Any, Check] = {
    str: _simple(str, str),
    int: _simple(int, int),
    float: _simple(float, float, int),
    bool: _simple(bool, bool),
    Any: lambda value, where: value,
    Scope: _check_scope,
    Count: _check_count,
}
