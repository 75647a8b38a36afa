"""Hits per CPU-second as bars in SVG: a group a load, each scaled to its best server."""

from xml.sax.saxutils import escape

from report import NAMES

COLOURS = {"edge": "#1f6feb", "nginx": "#8b949e", "varnish": "#a8b0b8", "trafficserver": "#c4cad0"}
WIDTH, LEFT, RIGHT = 760, 150, 130
BAR, GAP, GROUP = 22, 6, 44


def svg(section):
    """The chart of a throughput section."""
    span = WIDTH - LEFT - RIGHT
    y, shapes = 34, []
    for load in section["loads"]:
        peers = {name: figures["per_cpu_second"] for name, figures in load["peers"].items()}
        best = max(peers.values())
        shapes.append(_text(LEFT, y - 9, f"{load['name']}, {load['connections']} connections", "start", bold=True))
        for name, value in peers.items():
            width = max(1.0, span * value / best)
            middle = y + BAR / 2 + 4
            shapes.append(_text(LEFT - 10, middle, NAMES[name], "end", bold=name == "edge"))
            shapes.append(
                f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="3" fill="{COLOURS[name]}"/>'
            )
            shapes.append(_text(LEFT + width + 8, middle, f"{value:,.0f} ({value / best:.2f})", "start"))
            y += BAR + GAP
        y += GROUP - GAP
    height = y - GROUP + GAP + 34
    shapes.append(
        _text(LEFT, height - 12, "hits per CPU-second; in brackets, the part of the best. Longer is better.", "start")
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Hits per CPU-second" font-family="system-ui, sans-serif" font-size="13">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def _text(x, y, words, anchor, bold=False):
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#24292f"{weight}>{escape(words)}</text>'
