"""Any message of a kind, made up from its type."""

from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

T = TypeVar("T")
TEXT = st.characters(exclude_categories=["Cs"])  # lone surrogates are not UTF-8


def made(kind: type[T]) -> st.SearchStrategy[T]:
    """Messages of this kind; every optional field is there or not."""
    return _of(inspect.type_info(kind)).map(lambda document: msgspec.convert(document, kind))


def _of(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.Metadata():
            return _of(info.type)
        case inspect.StrType(pattern=str(pattern)):
            return st.from_regex(pattern.removesuffix("$"), fullmatch=True)
        case inspect.StrType():
            most = min(info.max_length or 20, 600)
            return st.text(TEXT, min_size=info.min_length or 0, max_size=min(20, most)) | st.text(
                "x", min_size=most, max_size=most
            )
        case inspect.IntType():
            return st.integers(info.ge, info.le if info.le is not None else 2**62)
        case inspect.FloatType():
            return st.floats(allow_nan=False, allow_infinity=False)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.LiteralType():
            return st.sampled_from(info.values)
        case inspect.UnionType():
            return st.one_of(*map(_of, info.types))
        case inspect.ListType():
            return st.lists(_of(info.item_type), max_size=3)
        case inspect.DictType():
            return st.dictionaries(_of(info.key_type), _of(info.value_type), max_size=3)
        case inspect.AnyType():
            return st.none() | st.integers(0, 9) | st.text(TEXT, max_size=5)
        case inspect.StructType():
            needed = {f.encode_name: _of(f.type) for f in info.fields if f.required}
            optional = {f.encode_name: _of(f.type) for f in info.fields if not f.required}
            return st.fixed_dictionaries(needed, optional=optional)
    raise NotImplementedError(f"no messages have been made of {info} yet")
