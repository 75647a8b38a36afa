"""As much of MaxMind's format as is needed to walk through a whole database of places."""

import struct
from array import array
from itertools import islice

MARK = b"\xab\xcd\xefMaxMind.com"
SEPARATOR = 16  # zero bytes between the tree and the data


class Database:
    """A file in memory: the two children of each node, and the records behind the leaves."""

    def __init__(self, path):
        self.bytes = path.read_bytes()
        mark = self.bytes.rindex(MARK) + len(MARK)
        about, _ = self._decode(mark, mark)
        self.nodes, self.bits = about["node_count"], about["record_size"]
        if self.bits != 28:
            raise ValueError(f"{path}: records of {self.bits} bits are not known here, 28 are")
        self._data = self.nodes * 7 + SEPARATOR
        self._records = {}

    def children(self):
        """The left and the right child of each node."""
        left, right = array("I"), array("I")
        tree = self.bytes[: self.nodes * 7]
        columns = [islice(tree, nth, None, 7) for nth in range(7)]
        for a, b, c, middle, d, e, f in zip(*columns):
            left.append((middle & 0xF0) << 20 | a << 16 | b << 8 | c)
            right.append((middle & 0x0F) << 24 | d << 16 | e << 8 | f)
        return left, right

    def place(self, child):
        """The latitude and longitude that a leaf has, or None."""
        if child <= self.nodes:
            return None
        if child not in self._records:
            record, _ = self._decode(self._data + child - self.nodes - SEPARATOR, self._data)
            record = record.get("location", record)
            place = record.get("latitude"), record.get("longitude")
            self._records[child] = None if None in place else tuple(map(float, place))
        return self._records[child]

    def _decode(self, at, base):
        """The value at `at` and where the next one begins. Pointers count from `base`."""
        control = self.bytes[at]
        kind, size, at = control >> 5, control & 0x1F, at + 1
        if kind == 1:
            length = (size >> 3) + 1
            number = int.from_bytes(self.bytes[at : at + length], "big")
            if length < 4:
                number += (size & 7) << 8 * length
                number += (0, 2048, 526336)[length - 1]
            return self._decode(base + number, base)[0], at + length
        if kind == 0:
            kind, at = 7 + self.bytes[at], at + 1
        if size > 28:
            more = size - 28
            size = (29, 285, 65821)[more - 1] + int.from_bytes(self.bytes[at : at + more], "big")
            at += more
        if kind == 7:
            return self._map(at, size, base)
        if kind == 11:
            return self._list(at, size, base)
        if kind == 14:
            return bool(size), at
        raw = self.bytes[at : at + size]
        if kind == 2:
            return raw.decode(), at + size
        if kind == 3:
            return struct.unpack(">d", raw)[0], at + size
        if kind == 15:
            return struct.unpack(">f", raw)[0], at + size
        return int.from_bytes(raw, "big", signed=kind == 8), at + size

    def _map(self, at, size, base):
        values = {}
        for _ in range(size):
            key, at = self._decode(at, base)
            values[key], at = self._decode(at, base)
        return values, at

    def _list(self, at, size, base):
        values = []
        for _ in range(size):
            value, at = self._decode(at, base)
            values.append(value)
        return values, at
