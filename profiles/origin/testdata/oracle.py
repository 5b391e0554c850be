"""Answers questions, one JSON list a line: ["split", text] and ["match", pattern, [texts]]."""
import json, re, sys, warnings
from urllib.parse import urlsplit

warnings.simplefilter("ignore")


def answer(question):
    if question[0] == "split":
        try:
            parts = urlsplit(question[1])
        except ValueError:
            return None
        rest = parts.path
        if parts.query:
            rest += "?" + parts.query
        if parts.fragment:
            rest += "#" + parts.fragment
        return [parts.scheme, parts.netloc, rest]
    try:
        pattern = re.compile(question[1])
    except (re.error, OverflowError):
        return None
    return [bool(pattern.match(text)) for text in question[2]]


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
