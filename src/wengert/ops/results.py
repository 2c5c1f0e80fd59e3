"""Named results: tuples such as ``torch.return_types.max(values=..., indices=...)``."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from types import SimpleNamespace
from typing import Any

from .public import namespace

return_types = SimpleNamespace()
namespace["return_types"] = return_types


class Result(tuple[Any, ...]):
    """A tuple whose items have names.

    Each of its kinds is made in a tenth of the time that a namedtuple takes: there are
    thirty of them, and programs wait for the import.
    """

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __new__(cls, *values: Any) -> Result:
        """Make one of values, or of one sequence of them as in PyTorch."""
        if len(values) == 1 != len(cls._fields):
            (values,) = values
        if len(values) != len(cls._fields):
            raise TypeError(
                f"torch.return_types.{cls.__name__}() takes a {len(cls._fields)}-"
                f"sequence ({len(values)}-sequence given)"
            )
        return tuple.__new__(cls, values)

    @classmethod
    def _make(cls, values: Iterable[Any]) -> Result:
        return cls(*values)

    def __repr__(self) -> str:
        pairs = zip(self._fields, self, strict=True)
        lines = ",\n".join([f"{name}={value!r}" for name, value in pairs])
        return f"torch.return_types.{type(self).__name__}(\n{lines})"

    def __reduce__(self) -> Any:
        return rebuild, (type(self).__name__, tuple(self))


def rebuild(name: str, values: tuple[Any, ...]) -> Result:
    """Return a result that was copied or pickled."""
    result: Result = getattr(return_types, name)(*values)
    return result


def named_result(name: str, *fields: str) -> type[Result]:
    """Make a type of named results and enter it in ``torch.return_types``.

    >>> pair = named_result("pair", "first", "second")
    >>> pair(1, 2)
    torch.return_types.pair(
    first=1,
    second=2)
    """
    members = {field: property(itemgetter(i)) for i, field in enumerate(fields)}
    more = {"__slots__": (), "__module__": "torch.return_types", "_fields": fields}
    kind = type(name, (Result,), members | more)
    setattr(return_types, name, kind)
    return kind
