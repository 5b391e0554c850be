"""Runs the settings on each line of stdin (a JSON text) and writes what their names then have, as JSON."""
import datetime
import json
import sys


def told(v):
    if v is None or isinstance(v, (bool, int, float, str)):
        return [type(v).__name__, v if isinstance(v, str) else repr(v)]
    if isinstance(v, datetime.timedelta):
        return ["timedelta", str(v // datetime.timedelta(microseconds=1))]
    if isinstance(v, dict):
        return ["dict", [[told(k), told(x)] for k, x in v.items()]]
    if isinstance(v, (list, tuple)):
        return [type(v).__name__, [told(x) for x in v]]
    if isinstance(v, (set, frozenset)):
        return ["set", sorted((told(x) for x in v), key=json.dumps)]
    return ["other"]


for line in sys.stdin:
    names = {"COND": True, "NOT": False, "call": lambda *a, **k: k.get("give", ["called"])}
    try:
        exec(json.loads(line), names)
        out = {k: told(v) for k, v in names.items() if len(k) == 1}
    except Exception as e:
        out = {"error": ["str", repr(e)]}
    print(json.dumps(out), flush=True)
