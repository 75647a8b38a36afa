"""The caches that are compared. A further one is a module here with a `Peer`, and a place in `ALL`."""

from peers import edge, nginx, trafficserver, varnish

OURS = edge.Edge()
ALL = [OURS, nginx.Nginx(), varnish.Varnish(), trafficserver.TrafficServer()]


def by_name(name):
    return next((peer for peer in ALL if peer.name == name), None)
