"""Bytes as the files keep them: varints, protobuf fields, and the county's own lists."""


class Reader:
    """Reads from bytes; ValueError where they end early."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def __bool__(self):
        return self.at < len(self.data)

    def take(self, count):
        if self.at + count > len(self.data):
            raise ValueError("bytes end early")
        self.at += count
        return self.data[self.at - count:self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & (2**64 - 1)
            shift += 7
            if shift > 63:
                raise ValueError("a number is too long")


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def fields(message):
    """A message's fields by number: lists of numbers (varints), or bytes (all else)."""
    found = {}
    reader = Reader(message)
    while reader:
        tag = reader.varint()
        if tag & 7 == 0:
            value = reader.varint()
        elif tag & 7 == 1:
            value = reader.take(8)
        elif tag & 7 == 2:
            value = reader.take(reader.varint())
        elif tag & 7 == 5:
            value = reader.take(4)
        else:
            raise ValueError(f"a field of type {tag & 7}")
        found.setdefault(tag >> 3, []).append(value)
    return found


def signed(value):
    """A varint as the int64 it stands for."""
    return value - 2**64 if value >= 2**63 else value


def memberships(data):
    """A record's places: (scope number, in it now, entered, seq)."""
    places = []
    reader = Reader(data)
    while reader:
        scope, entered, after = reader.varint(), reader.varint(), reader.varint()
        places.append((scope >> 1, bool(scope & 1), entered, entered + after))
    return places


def numbers_of(values):
    """A repeated number's values, packed or not."""
    found = []
    for value in values:
        found += [value] if isinstance(value, int) else numbers(value)
    return found


def numbers(data):
    found = []
    reader = Reader(data)
    while reader:
        found.append(reader.varint())
    return found
