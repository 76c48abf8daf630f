"""Answers one question a line about pickles, for the tests of package codec.

A question is a JSON object: {"load": hex} asks for the tagged tree that a
pickle loads as; {"random": seed, "n": n} asks for n documents, each as a tree
and its pickles in protocols 0 to 5. The answer is a JSON value, or
{"error": text}.
"""

import collections
import datetime
import decimal
import json
import pickle
import random
import sys
import uuid
import zoneinfo

try:
    from markupsafe import Markup
except ImportError:  # what pickles of it need, and no more
    import types

    class Markup(str):
        __slots__ = ()

    Markup.__module__ = "markupsafe"
    Markup.__qualname__ = "Markup"
    sys.modules["markupsafe"] = types.ModuleType("markupsafe")
    sys.modules["markupsafe"].Markup = Markup


def tag(x):
    t = type(x)
    if x is None:
        return {"t": "none"}
    if t is bool:
        return {"t": "bool", "v": x}
    if t is int:
        return {"t": "int", "v": hex(x) if abs(x) >> 14000 else str(x)}
    if t is float:
        return {"t": "float", "v": repr(x)}
    if t is complex:
        return {"t": "complex", "v": [repr(x.real), repr(x.imag)]}
    if t is str or t is Markup:
        name = "str" if t is str else "Markup"
        return {"t": name, "hex": str(x).encode("utf-8", "surrogatepass").hex()}
    if t is bytes or t is bytearray:
        return {"t": t.__name__, "hex": bytes(x).hex()}
    if t is datetime.datetime:
        offset = x.utcoffset()
        tree = {"t": "datetime", "v": x.isoformat(), "utcoffset_s": None if offset is None else offset.total_seconds()}
        if x.fold and not isinstance(x.tzinfo, datetime.timezone):
            tree["fold"] = 1
        if isinstance(x.tzinfo, zoneinfo.ZoneInfo):
            tree["zone"] = x.tzinfo.key
        return tree
    if t is datetime.date:
        return {"t": "date", "v": x.isoformat()}
    if t is datetime.time:
        tree = {"t": "time", "v": x.isoformat()}
        if x.fold:
            tree["fold"] = 1
        return tree
    if t is datetime.timedelta:
        return {"t": "timedelta", "days": x.days, "seconds": x.seconds, "microseconds": x.microseconds}
    if t is decimal.Decimal:
        return {"t": "Decimal", "v": str(x)}
    if t is uuid.UUID:
        return {"t": "UUID", "v": str(x)}
    if t in (list, tuple):
        return {"t": t.__name__, "v": [tag(e) for e in x]}
    if t in (set, frozenset):
        return {"t": t.__name__, "v": sorted((tag(e) for e in x), key=json.dumps)}
    if t is dict:
        return {"t": "dict", "v": [[tag(k), tag(v)] for k, v in x.items()]}
    if t is collections.OrderedDict:
        return {"t": "dict", "cls": "collections.OrderedDict", "v": [[tag(k), tag(v)] for k, v in x.items()]}
    raise TypeError(f"no tag for {t}")


ATOMS = 17


def atom(r, hashable=True):
    kind = r.randrange(ATOMS)
    if kind == 0:
        return None
    if kind == 1:
        return r.random() < 0.5
    if kind == 2:
        return r.choice([0, 1, -1, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, -(2**64), 128, -128, -129, 2**2040, -(2**2039)])
    if kind == 3:
        return r.randrange(-(2 ** r.randrange(1, 200)), 2 ** r.randrange(1, 200))
    if kind == 4:
        return r.choice([0.0, -0.0, 1.5, 0.1, 1e300, 5e-324, float("inf"), float("-inf"), r.uniform(-1e6, 1e6), 3.0, 1e16, 1e-5])
    if kind == 5:
        return complex(r.uniform(-1, 1), 2.0)
    if kind == 6:
        return "".join(r.choice(["a", "é", "\\", "\n", "\r", "\0", "\x1a", "'", '"', "世", "\U0001f600", "\ud800", "\udfff", "u0041", "\x85", "ÿ", "Ā", "\uffff", "\u2028"]) for _ in range(r.randrange(9)))
    if kind == 7:
        return r.choice(["k", "key"]) * r.choice([1, 2, 85, 86, 300])
    if kind == 8:
        return Markup("<b>" + r.choice(["", "x", "é"]))
    if kind == 9:
        return bytes(r.randrange(256) for _ in range(r.choice([0, 1, 5, 255, 256])))
    if kind == 10:
        zone = r.choice([None, datetime.timezone.utc, datetime.timezone(datetime.timedelta(hours=5, minutes=30)), datetime.timezone(-datetime.timedelta(hours=3, seconds=7), "NAME"), zoneinfo.ZoneInfo("Europe/Berlin")])
        hour = r.choice([0, 2, 3, 23])
        at = datetime.datetime(r.choice([1, 1960, 2024, 9998]), 10, 27, hour, r.randrange(60), r.randrange(60), r.choice([0, 1, 999999, 500000]), tzinfo=zone)
        if zone is None or hour == 2 and at.year == 2024:
            at = at.replace(fold=r.randrange(2))
        return at
    if kind == 11:
        return datetime.date(r.randrange(1, 10000), r.randrange(1, 13), r.randrange(1, 29))
    if kind == 12:
        return datetime.time(r.randrange(24), r.randrange(60), r.randrange(60), r.choice([0, 7, 999999]), tzinfo=r.choice([None, datetime.timezone.utc, datetime.timezone(datetime.timedelta(hours=-1))]), fold=r.randrange(2))
    if kind == 13:
        return datetime.timedelta(r.choice([0, 1, -1, 106750, -106751, 10**6, 999999999, -999999999]), r.randrange(86400), r.choice([0, 1, 999999]))
    if kind == 14:
        return decimal.Decimal(r.choice(["12.340", "-0", "1E+5", "NaN", "Infinity", "0.000001", "123456789012345678901234567890.1"])) if not hashable else decimal.Decimal(r.choice(["12.340", "1E+5", "0.000001"]))
    if kind == 15:
        return uuid.UUID(int=r.choice([0, 5, 2**63, 2**127, 2**128 - 1, r.getrandbits(128)]))
    return r.randrange(300)


def value(r, depth, shared):
    if shared and r.random() < 0.15:
        return r.choice(shared)
    kind = r.randrange(12) if depth else 11
    n = r.choice([0, 1, 2, 3, 4, 7])
    if kind == 0:
        x = [value(r, depth - 1, shared) for _ in range(n)]
    elif kind == 1:
        x = tuple(value(r, depth - 1, shared) for _ in range(n))
    elif kind == 2:
        x = {str(i) + r.choice(["", "é"]): value(r, depth - 1, shared) for i in range(n)}
    elif kind == 3:
        x = {atom(r): value(r, depth - 1, shared) for _ in range(n)}
    elif kind == 4:
        x = {atom(r) for _ in range(n)}
    elif kind == 5:
        x = frozenset(atom(r) for _ in range(n))
    elif kind == 6:
        x = collections.OrderedDict((str(i), value(r, depth - 1, shared)) for i in range(n))
    elif kind == 7:
        x = bytearray(r.randrange(256) for _ in range(n))
    elif kind == 8:
        x = {(1, "a"): 2, frozenset({3}): value(r, depth - 1, shared)}
    else:
        return atom(r, False)
    shared.append(x)
    return x


def documents(seed, n):
    r = random.Random(seed)
    for _ in range(n):
        shared = []
        doc = {}
        for i in range(r.randrange(6)):
            doc["key%d" % i] = value(r, 3, shared)
        yield {"tree": tag(doc), "pickles": [pickle.dumps(doc, p).hex() for p in range(6)]}


def main():
    for line in sys.stdin:
        try:
            q = json.loads(line)
            if "load" in q:
                a = tag(pickle.loads(bytes.fromhex(q["load"])))
            else:
                a = list(documents(q["random"], q["n"]))
        except Exception as e:
            a = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(a), flush=True)


main()
