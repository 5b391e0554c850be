# Answers what CPython makes of the inputs that the differential test sends.
#
# A request is an operation (1 byte), the length of its payload (4 bytes, big
# end first) and the payload; an answer is a number of fields (1 byte), each
# with its length (4 bytes). The first field is "ok" or "error".
# Runs on CPython 2.7 and 3.

import codecs
import collections
import io
import json
import re
import struct
import sys
import unicodedata

PYTHON2 = sys.version_info[0] == 2
stdin = getattr(sys.stdin, "buffer", sys.stdin)
stdout = getattr(sys.stdout, "buffer", sys.stdout)

if PYTHON2:
    PASS = "strict"  # 2.7 takes surrogates for text
    text_type, int_types = unicode, (int, long)
else:
    PASS = "surrogatepass"
    text_type, int_types = str, (int,)

LONE = re.compile(u"[\ud800-\udfff]")


def encode(text):
    if isinstance(text, bytes):
        return text
    if PYTHON2:  # as a whole it would join surrogates
        return b"".join(c.encode("utf-8") for c in text)
    return text.encode("utf-8", PASS)


def without_surrogates(text):
    """What json.dumps writes, with an escape for what has no UTF-8."""
    if isinstance(text, bytes):
        return text
    return LONE.sub(lambda m: "\\u%04x" % ord(m.group()), text)


def canonical(value, out):
    if value is None:
        out.append(b"n")
    elif value is True:
        out.append(b"t")
    elif value is False:
        out.append(b"f")
    elif isinstance(value, int_types):
        out.append(b"i" + encode(str(value)) + b";")
    elif isinstance(value, float):
        bits = struct.pack(">d", value) if value == value else b"nan"
        out.append(b"d" + codecs.encode(bits, "hex") + b";")
    elif isinstance(value, (text_type, bytes)):
        value = encode(value)
        out.append(b"s" + encode(str(len(value))) + b":" + value)
    elif isinstance(value, list):
        out.append(b"[")
        for item in value:
            canonical(item, out)
        out.append(b"]")
    else:
        out.append(b"{")
        for key, item in value.items():
            canonical(key, out)
            canonical(item, out)
        out.append(b"}")


def strict_constant(o):
    raise ValueError("Out of range float values are not JSON compliant: " + repr(o))


def lasting(text):
    """Whether no version of Unicode has other printable characters in text."""
    category = unicodedata.ucd_3_2_0.category
    return not PYTHON2 and all(
        c < "\x7f" or category(c) != "Cn" or ord(c) & 0xFFFE == 0xFFFE for c in text
    )


def describe(value):
    out = []
    canonical(value, out)
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    compact = compact.replace(u"\u2028", u"\\u2028").replace(u"\u2029", u"\\u2029")
    indented = json.dumps(value, ensure_ascii=False, indent=3, separators=(",", ": "))
    indented = indented.replace(u"\u2028", u"\\u2028").replace(u"\u2029", u"\\u2029")
    return [
        b"".join(out),
        without_surrogates(compact),
        without_surrogates(indented),
        json.dumps(value, separators=(", ", ": ")),
        repr(value) if lasting(compact) else b"",
        str(value) if lasting(compact) else b"",
        b"" if PYTHON2 else type(value).__name__,
    ]


def loads(text, **options):
    if PYTHON2:
        options["object_pairs_hook"] = collections.OrderedDict
    return describe(json.loads(text, **options))


def version(payload):
    limited = b"limited" if hasattr(sys, "get_int_max_str_digits") else b"unlimited"
    return [b"%d" % n if not PYTHON2 else str(n) for n in sys.version_info[:2]] + [limited]


def floats(payload):
    value = struct.unpack(">d", payload)[0]
    return [repr(value), json.dumps(value)]


def stream(payload):
    charset, body = payload.split(b"\0", 1)
    return [codecs.getreader(charset.decode("ascii"))(io.BytesIO(body)).read()]


def decode(payload):
    charset, body = payload.split(b"\0", 1)
    return [body.decode(charset.decode("ascii"))]


OPERATIONS = {
    b"V": version,
    b"L": lambda payload: loads(payload.decode("utf-8", PASS)),
    b"C": lambda payload: loads(payload.decode("utf-8", PASS), parse_constant=strict_constant),
    b"B": loads,
    b"F": floats,
    b"R": stream,
    b"D": decode,
}


def main():
    while True:
        head = stdin.read(5)
        if not head:
            return
        operation, length = head[:1], struct.unpack(">I", head[1:])[0]
        payload = stdin.read(length)
        if operation == b"!":
            stdout.flush()
            continue
        try:
            fields = [b"ok"] + OPERATIONS[operation](payload)
        except ValueError as e:
            fields = [b"error", str(e)]
        stdout.write(struct.pack(">B", len(fields)))
        for field in fields:
            field = encode(field)
            stdout.write(struct.pack(">I", len(field)) + field)


main()
