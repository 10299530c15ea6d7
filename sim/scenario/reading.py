"""Tables of a file into Structs, field by field, so that every mistake is found and explained."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import NODEFAULT, inspect

from sim.durations import DURATION, duration_text, parse_duration
from sim.scenario.errors import Findings, Path, nearest, shown

MAX_WHOLE = 2**53 - 1
"""Whole numbers of a file are at most that, either way, where a field says nothing else."""

MAX_LENGTH_OF_TIME = 24 * 3600 * 10**9
"""In ns; the same for lengths of time."""

Table = Mapping[str, Any]


class _Wrong(Exception):
    """A value that can't be taken; `str()` says what would be right."""


def read_fields(
    kinds: tuple[type[msgspec.Struct], ...], table: Table, path: Path, findings: Findings
) -> list[dict[str, Any]]:
    """The fields of the Structs that share a table, without those that are left out in it, and
    without those that are wrong, which `findings` has then.
    """
    known = [{one.name: one for one in _fields(kind)} for kind in kinds]
    names = [name for fields in known for name in fields]
    read: list[dict[str, Any]] = [{} for _ in kinds]
    for key, value in table.items():
        owner = next((number for number, fields in enumerate(known) if key in fields), None)
        if owner is None:
            findings.add((*path, key), f"no such key; {nearest(key, names)}")
            continue
        try:
            read[owner][key] = _read(known[owner][key].type, value, (*path, key), findings)
        except _Wrong as wrong:
            findings.add((*path, key), str(wrong))
    for fields in known:
        for name, field in fields.items():
            if field.required and name not in table:
                findings.add((*path, name), f"is missing; {_use(field.type)}")
    return read


def read_structs(
    kinds: tuple[type[msgspec.Struct], ...], table: Table, path: Path, findings: Findings
) -> list[Any] | None:
    """The Structs that share a table. None where something is wrong, which `findings` has then."""
    before = len(findings.problems)
    read = read_fields(kinds, table, path, findings)
    if len(findings.problems) > before:
        return None
    try:
        return [kind(**fields) for kind, fields in zip(kinds, read, strict=True)]
    except ValueError as error:
        # A Struct's own rules.
        findings.add(path, str(error))
        return None


def expected(kind: inspect.Type) -> str:
    """What a field takes, in words."""
    match kind:
        case inspect.Metadata():
            return _length_words(kind.type) if _is_duration(kind) else expected(kind.type)
        case inspect.IntType():
            least, most = _bounds(kind)
            return f"whole number{_range_words(least, most)}"
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "text"
        case inspect.LiteralType():
            return " or ".join(f'"{value}"' for value in kind.values if value != "")
        case inspect.VarTupleType():
            return f"list of {expected(kind.item_type).removesuffix('s')}s"
        case inspect.StructType():
            return "table"
        case inspect.UnionType():
            return " or ".join(map(expected, _members(kind)))
        case _:
            raise TypeError(f"a scenario has no fields of type {kind}")


def field_rows(kind: type[msgspec.Struct]) -> list[tuple[str, str, str, str]]:
    """A table's keys for the documentation: name, what it takes, default, meaning."""
    return [
        (one.name, expected(one.type), _default_text(one), _description(one.type))
        for one in _fields(kind)
    ]


def _fields(kind: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return info.fields


def _read(kind: inspect.Type, value: Any, path: Path, findings: Findings) -> Any:
    match kind:
        case inspect.Metadata():
            if _is_duration(kind):
                return _duration(kind.type, value)
            return _read(kind.type, value, path, findings)
        case inspect.IntType():
            return _whole(kind, value)
        case inspect.VarTupleType():
            if not isinstance(value, list):
                raise _Wrong(f"{shown(value)}; {_use(kind)}")
            return tuple(
                _read(kind.item_type, one, (*path, number), findings)
                for number, one in enumerate(value)
            )
        case inspect.StructType():
            return _table(kind, value, path, findings)
        case inspect.UnionType():
            return _read(_member(kind, value), value, path, findings)
        case inspect.StrType():
            return _text(kind, value)
        case _:
            if not _fits(kind, value):
                raise _Wrong(f"{shown(value)}; {_use(kind)}")
            return value


def _fits(kind: inspect.Type, value: Any) -> bool:
    match kind:
        case inspect.LiteralType():
            # The empty one is the default, which nobody writes.
            return isinstance(value, str) and value != "" and value in kind.values
        case inspect.BoolType():
            return isinstance(value, bool)
        case _:
            return False


def _whole(kind: inspect.IntType, value: Any) -> int:
    least, most = _bounds(kind)
    if type(value) is int and abs(value) > MAX_WHOLE and most == MAX_WHOLE:
        raise _Wrong(f"{shown(value)}; use at most {MAX_WHOLE:_}")
    # Python takes true and false for numbers.
    if type(value) is not int or not least <= value <= most:
        raise _Wrong(f"{shown(value)}; {_use(kind)}")
    return value


def _text(kind: inspect.StrType, value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong(f'{shown(value)}; {_use(kind)} in quotes, as in "..."')
    if kind.max_length is not None and len(value) > kind.max_length:
        raise _Wrong(f"{len(value)} characters; use at most {kind.max_length}")
    return value


def _duration(kind: inspect.Type, value: Any) -> int:
    if not isinstance(value, str):
        raise _Wrong(f'{shown(value)}; a length of time is text with a unit, as in "250ms"')
    try:
        ns = parse_duration(value)
    except ValueError as error:
        raise _Wrong(str(error)) from None
    assert isinstance(kind, inspect.IntType)
    least, most = max(kind.ge or 0, 0), kind.le or MAX_LENGTH_OF_TIME
    if not least <= ns <= most:
        raise _Wrong(
            f"{shown(value)}; use a length of time"
            f" from {duration_text(least)} to {duration_text(most)}"
        )
    return ns


def _table(kind: inspect.StructType, value: Any, path: Path, findings: Findings) -> Any:
    if not isinstance(value, dict):
        raise _Wrong(f"{shown(value)}; use a table with {_names(kind)}")
    read = read_structs((kind.cls,), value, path, findings)
    return None if read is None else read[0]


def _member(kind: inspect.UnionType, value: Any) -> inspect.Type:
    """That of several types which such a value is most likely meant to be."""
    members = _members(kind)
    return max(
        members, key=lambda one: isinstance(one, inspect.StructType) == isinstance(value, dict)
    )


def _members(kind: inspect.UnionType) -> list[inspect.Type]:
    return [one for one in kind.types if not isinstance(one, inspect.NoneType)]


def _is_duration(kind: inspect.Metadata) -> bool:
    return (kind.extra or {}).get("unit") == DURATION


def _bounds(kind: inspect.IntType) -> tuple[int, int]:
    return (
        -MAX_WHOLE if kind.ge is None else kind.ge,
        MAX_WHOLE if kind.le is None else kind.le,
    )


def _range_words(least: int, most: int) -> str:
    if most == MAX_WHOLE:
        return "" if least == -MAX_WHOLE else f" >= {least}"
    # Underscores, as a file may have them.
    return f" from {least:_} to {most:_}" if least > -MAX_WHOLE else f" <= {most:_}"


def _length_words(kind: inspect.Type) -> str:
    assert isinstance(kind, inspect.IntType)
    if not kind.ge:
        return "length of time"
    least = duration_text(kind.ge)
    if kind.le is None:
        return f"length of time >= {least}"
    return f"length of time from {least} to {duration_text(kind.le)}"


def _use(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.Metadata) and _is_duration(kind):
        return 'use a length of time, as in "250ms"'
    words = expected(kind)
    if words.startswith(("text", "true", '"')):
        return f"use {words}"
    return f"use a {words}"


def _names(kind: inspect.StructType) -> str:
    return ", ".join(one.name for one in kind.fields)


def _description(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.Metadata):
        return str((kind.extra_json_schema or {}).get("description", ""))
    return ""


def _default_text(field: inspect.Field) -> str:
    if field.required:
        return "must be given"
    value = field.default if field.default is not NODEFAULT else field.default_factory()
    if value in (None, (), "") or isinstance(value, msgspec.Struct):
        return ""
    if isinstance(field.type, inspect.Metadata) and _is_duration(field.type):
        return f'`"{duration_text(value)}"`'
    return f"`{msgspec.json.encode(value).decode()}`"
