#!/usr/bin/env python3
"""Growth of the cost of an event over the number of rules, as SVG: bench/plot.py RESULTS OUT [OUT is a prefix: OUT-owned.svg, …].

RESULTS are lines of JSON as `bench_matching --json` and `peers/run.py --json` write them. Both axes are logarithmic: a line that
lies flat does not feel the number of rules, one that rises by a decade a decade looks at each of them.
"""
import json
import math
import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 960, 560
LEFT, RIGHT, TOP, BOTTOM = 88, 330, 56, 56
LABEL_GAP = 19
# Told apart by the colour-blind, too (Okabe and Ito); ours is the one that stands out.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#8C564B", "#7F7F7F", "#BCBD22", "#444444"]
OURS = "ensue's index"
DASHED = {"parse and intern only"}


def read(paths):
    """{owned: {side: [(rules, µs)]}} and the line about the machine."""
    series, machine = {}, None
    for path in paths:
        with open(path) as file:
            for line in file:
                row = json.loads(line)
                if row["bench"] == "machine":
                    machine = row
                elif row["bench"] == "matching" and row["us"] is not None:
                    series.setdefault(row["owned"], {}).setdefault(row["side"], []).append((row["rules"], row["us"]))
    for sides in series.values():
        for points in sides.values():
            points.sort()
    return series, machine


def time_text(exponent):
    """10 to that power, of µs."""
    for unit, from_exponent in (("s", 6), ("ms", 3), ("µs", 0), ("ns", -3)):
        if exponent >= from_exponent:
            return f"{10 ** (exponent - from_exponent)} {unit}"
    return f"1e{exponent} µs"


def spread(places):
    """Moves places apart to LABEL_GAP, as little as it takes, in their order; they stay inside the plot."""
    out = []
    for place in places:
        out.append(max(place, out[-1] + LABEL_GAP) if out else max(place, TOP + 6))
    low = HEIGHT - BOTTOM - 4
    for i in reversed(range(len(out))):
        out[i] = min(out[i], low)
        low = out[i] - LABEL_GAP
    return out


def drawn(sides, title, subtitle):
    points = [point for side in sides.values() for point in side]
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    low = math.floor(math.log10(min(y for _, y in points)))
    high = math.ceil(math.log10(max(y for _, y in points)))
    across = math.log10(last / first) or 1

    def x_of(rules):
        return LEFT + math.log10(rules / first) / across * (WIDTH - LEFT - RIGHT)

    def y_of(us):
        return TOP + (high - math.log10(us)) / (high - low) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
           'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="13">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="22" font-size="16" font-weight="bold">{escape(title)}</text>',
           f'<text x="{LEFT}" y="41" fill="#555">{escape(subtitle)}</text>']
    right = WIDTH - RIGHT
    for decade in range(low, high + 1):
        y = y_of(10 ** decade)
        out.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y + 4.5:.1f}" text-anchor="end" fill="#333">{time_text(decade)}</text>')
    for rules in sorted({x for x, _ in points}):
        x = x_of(rules)
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle" fill="#333">{rules:,}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    out.append(f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">rules</text>')
    out.append(f'<text x="18" y="{middle}" text-anchor="middle" transform="rotate(-90 18 {middle})">processor time an event</text>')

    colours = dict(zip([side for side in sides if side != OURS], COLOURS))
    colours[OURS] = "#D1001F"
    # Labels stand in the order of the last points, each joined to its own by a dotted line.
    order = sorted(sides, key=lambda side: y_of(sides[side][-1][1]))
    places = dict(zip(order, spread([y_of(sides[side][-1][1]) for side in order])))
    for side in sorted(sides, key=lambda side: side == OURS):
        colour, thick = colours[side], 3.4 if side == OURS else 1.8
        at = [(x_of(rules), y_of(us)) for rules, us in sides[side]]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        dashes = ' stroke-dasharray="6 4"' if side in DASHED else ""
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{thick}"{dashes}/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{thick + 1:.1f}" fill="{colour}"/>' for x, y in at]
        label_y = places[side]
        out.append(f'<polyline points="{at[-1][0]:.1f},{at[-1][1]:.1f} {right + 10},{label_y:.1f} {right + 16},{label_y:.1f}" '
                   f'fill="none" stroke="{colour}" stroke-width="1" stroke-dasharray="1.5 3"/>')
        weight = ' font-weight="bold"' if side == OURS else ""
        out.append(f'<text x="{right + 20}" y="{label_y + 4.5:.1f}" fill="{colour}"{weight}>{escape(side)}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    series, machine = read(sys.argv[1:-1])
    subtitle = "JSON bytes to matched rules, one thread"
    if machine:
        cpu = machine["cpu"].replace("(R)", "")
        subtitle += f"; {cpu}, {machine['date']}" + (", busy" if machine["load"] > 1.5 else "")
    for owned, sides in series.items():
        name = f"{sys.argv[-1]}-{'owned' if owned else 'all'}.svg"
        title = "Owned: each rule for its owner's records" if owned else "Org-wide: every rule for everybody's records"
        with open(name, "w") as file:
            file.write(drawn(sides, title, subtitle))
        print(name)


if __name__ == "__main__":
    main()
