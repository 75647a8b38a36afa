"""The world that all servers answer for: PoPs, networks and the PoPs nearest to them, and the queries."""

import math
import random
import struct
from array import array

HOST = "www.cdn.example.com"
ZONE = "cdn.example.com"
TTL = 30
POPS = {
    "ams": (52.31, 4.76), "bom": (19.09, 72.87), "dfw": (32.90, -97.04), "fra": (50.03, 8.57),
    "gru": (-23.44, -46.47), "hkg": (22.31, 113.91), "jnb": (-26.14, 28.25), "lax": (33.94, -118.41),
    "mad": (40.49, -3.57), "mia": (25.79, -80.29), "nrt": (35.77, 140.39), "ord": (41.97, -87.91),
    "sea": (47.45, -122.31), "sin": (1.36, 103.99), "syd": (-33.94, 151.18), "waw": (52.17, 20.97),
}  # fmt: skip
NAMES = list(POPS)
MIXED = -1
NOTHING = 0  # the class of networks without a place: any order will do, nobody is asked for them


def address(name):
    """The address by which a PoP's answers are known."""
    return f"192.0.2.{NAMES.index(name) + 1}"


def nearest(place, count):
    """The names of the `count` PoPs nearest to a latitude and longitude."""
    here = _vector(place)
    order = sorted(NAMES, key=lambda name: -sum(a * b for a, b in zip(here, VECTORS[name])))
    return tuple(order[:count])


def _vector(place):
    latitude, longitude = map(math.radians, place)
    flat = math.cos(latitude)
    return flat * math.cos(longitude), flat * math.sin(longitude), math.sin(latitude)


VECTORS = {name: _vector(place) for name, place in POPS.items()}


class Networks:
    """IPv4 networks, each the largest whose addresses all have the same `count` PoPs nearest to them."""

    def __init__(self, database, count):
        self.left, self.right = database.children()
        self.lists = [tuple(NAMES[:count])]
        self._classes, known, by_list = {}, {}, {}
        for child in set(self.left) | set(self.right):
            if child >= database.nodes:
                place = database.place(child)
                if place is None:
                    continue
                if place not in known:
                    order = nearest(place, count)
                    if order not in by_list:
                        by_list[order] = len(self.lists)
                        self.lists.append(order)
                    known[place] = by_list[order]
                self._classes[child] = known[place]
        self.nodes = database.nodes
        self._merge()

    def _merge(self):
        """Finds what whole subtrees have, from the leaves up: children stand behind their parents."""
        self._whole = array("i", [MIXED]) * self.nodes
        for node in range(self.nodes - 1, -1, -1):
            left, right = self.left[node], self.right[node]
            if node >= left or node >= right:
                raise ValueError("the nodes of this database are in another order")
            one = self._of(left)
            if one != MIXED and one == self._of(right):
                self._whole[node] = one

    def _of(self, child):
        return self._whole[child] if child < self.nodes else self._classes.get(child, NOTHING)

    def find(self, number):
        """The class of an IPv4 address."""
        node = 0
        for bit in range(31, -1, -1):
            node = self.right[node] if number >> bit & 1 else self.left[node]
            found = self._of(node)
            if found != MIXED:
                return found
        return NOTHING

    def __iter__(self):
        """All of them that have a place, as text and the names of their PoPs."""
        todo = [(0, 0, 0)]
        while todo:
            child, number, bits = todo.pop()
            found = self._of(child)
            if found == MIXED:
                todo.append((self.right[child], number | 1 << 31 - bits, bits + 1))
                todo.append((self.left[child], number, bits + 1))
            elif found != NOTHING:
                octets = ".".join(str(octet) for octet in number.to_bytes(4, "big"))
                yield f"{octets}/{bits}", self.lists[found]


def queries(networks, count, seed=1):
    """`count` queries for clients all over the world, and the PoP that each has to get."""
    chance = random.Random(seed)
    while count:
        number = chance.getrandbits(24) << 8
        found = networks.find(number)
        if found != NOTHING:
            count -= 1
            yield query(count & 0xFFFF, number), networks.lists[found][0]


def query(ident, number):
    """An A query for the host that tells of the /24 around an IPv4 address."""
    name = b"".join(bytes([len(label)]) + label.encode() for label in HOST.split(".")) + b"\0"
    subnet = struct.pack(">HHHBB", 8, 7, 1, 24, 0) + number.to_bytes(4, "big")[:3]
    head = struct.pack(">6H", ident, 0, 1, 0, 0, 1)
    edns = b"\0" + struct.pack(">HHIH", 41, 1232, 0, len(subnet))
    return head + name + struct.pack(">HH", 1, 1) + edns + subnet


def answered(reply):
    """The first address of a reply to such a query, or None."""
    if len(reply) < 12 or reply[3] & 15 or int.from_bytes(reply[6:8], "big") == 0:
        return None
    at = 12 + len(HOST) + 2 + 4
    at = at + 2 if reply[at] >= 0xC0 else reply.index(0, at) + 1
    kind, _, _, length = struct.unpack_from(">HHIH", reply, at)
    data = reply[at + 10 : at + 10 + length]
    return ".".join(map(str, data)) if kind == 1 and length == 4 else None
