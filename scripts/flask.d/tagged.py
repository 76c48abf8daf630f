"""Python values as JSON that keeps their types.

A value is {"t": type, ...}, in the form of the captures that the tests of the
codecs read: {"t": "int", "v": "1"}, {"t": "tuple", "v": [...]}, {"t": "dict",
"v": [[key, value], ...]}, {"t": "bytes", "hex": "00ff"}.
"""

from collections import OrderedDict
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from markupsafe import Markup

SEQUENCES = {t.__name__: t for t in (list, tuple, set, frozenset)}
MAPPINGS = {t.__name__: t for t in (dict, OrderedDict)}
BINARIES = {t.__name__: t for t in (bytes, bytearray)}
TEXTS = {t.__name__: t for t in (str, int, float, Decimal, UUID, Markup, Fraction)}
TIMES = {t.__name__: t for t in (datetime, time)}


def dump(value):
    """Returns a value as what json.dumps takes."""
    name = type(value).__name__
    if value is None:
        return {"t": "none"}
    if name == "bool":
        return {"t": name, "v": value}
    if name in TEXTS:
        return {"t": name, "v": repr(value) if name == "float" else str(value)}
    if name in BINARIES:
        return {"t": name, "hex": value.hex()}
    if name in ("set", "frozenset"):
        return {"t": name, "v": [dump(item) for item in sorted(value, key=repr)]}
    if name in SEQUENCES:
        return {"t": name, "v": [dump(item) for item in value]}
    if name in MAPPINGS:
        return {"t": name, "v": [[dump(k), dump(v)] for k, v in value.items()]}
    if name in TIMES:
        offset = value.utcoffset()
        out = {"t": name, "v": value.isoformat()}
        out["utcoffset_s"] = None if offset is None else offset.total_seconds()
        if value.fold:
            out["fold"] = 1
        return out
    if name == "date":
        return {"t": name, "v": value.isoformat()}
    if name == "timedelta":
        return {"t": name, "days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    raise TypeError(f"no tag for {type(value)}")


def load(tagged):
    """Returns the value that dump made a tag of."""
    name = tagged["t"]
    if name == "none":
        return None
    if name == "bool":
        return tagged["v"]
    if name in TEXTS:
        return TEXTS[name](tagged["v"])
    if name in BINARIES:
        return BINARIES[name].fromhex(tagged["hex"])
    if name in SEQUENCES:
        return SEQUENCES[name](load(item) for item in tagged["v"])
    if name in MAPPINGS:
        return MAPPINGS[name]((load(k), load(v)) for k, v in tagged["v"])
    if name in TIMES:
        return TIMES[name].fromisoformat(tagged["v"]).replace(fold=tagged.get("fold", 0))
    if name == "date":
        return date.fromisoformat(tagged["v"])
    if name == "timedelta":
        return timedelta(tagged["days"], tagged["seconds"], tagged["microseconds"])
    raise TypeError(f"no type {name}")
