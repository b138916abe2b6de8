# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws what became of a guest's packets over time, several moves above each other, as SVG."""

from xml.sax.saxutils import escape

WIDTH, MARGIN, STRIP, GAP = 960, 24, 96, 56
CEILING_MS = 100  # of a round trip; what takes longer is drawn as long as this
LOST = float("inf")
COLOURS = {"reply": "#3a7d44", "lost": "#c1272d", "phase": "#eef2f7", "line": "#8a94a3"}
LEGEND = f"green: a packet's round trip, up to {CEILING_MS} ms; red: lost"
TEXT = 'font-family="sans-serif" font-size="13" fill="#222"'
SMALL = 'font-family="sans-serif" font-size="11" fill="#556"'


class Strip:
    """One move: its title, its probes as (seconds, round trip in ms or None), and its phases as
    {name: (begin, end)}, all in seconds since its begin."""

    def __init__(self, title, probes, phases):
        self.title, self.probes, self.phases = title, probes, phases

    @property
    def seconds(self):
        return max([second for second, _ in self.probes] + [end for _, end in self.phases.values()])


def svg(strips):
    """The document as text. All strips have one scale, so that they can be compared."""
    scale = (WIDTH - 2 * MARGIN) / max(strip.seconds for strip in strips)
    height = len(strips) * (STRIP + GAP) + MARGIN
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             f'viewBox="0 0 {WIDTH} {height}">',
             f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
             f'<text x="{WIDTH - MARGIN}" y="20" text-anchor="end" {SMALL}>{LEGEND}</text>']
    for number, strip in enumerate(strips):
        parts += _strip(strip, scale, GAP + number * (STRIP + GAP))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _strip(strip, scale, top):
    base = top + STRIP
    yield f'<text x="{MARGIN}" y="{top - 20}" {TEXT}>{escape(strip.title)}</text>'
    for name, (begin, end) in strip.phases.items():
        x, width = MARGIN + begin * scale, (end - begin) * scale
        yield (f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{STRIP}" '
               f'fill="{COLOURS["phase"]}" stroke="#fff"/>')
        yield f'<text x="{x + 2:.1f}" y="{top - 4}" {SMALL}>{escape(name)}</text>'
    for kind, lines in _lines(strip.probes, scale, base).items():
        yield f'<path d="{lines}" stroke="{COLOURS[kind]}" stroke-width="1" fill="none"/>'
    yield (f'<path d="M{MARGIN} {base}h{strip.seconds * scale:.1f}" stroke="{COLOURS["line"]}" '
           'fill="none"/>')
    step = 1 if scale > 40 else 5
    for second in range(0, int(strip.seconds) + 1, step):
        yield f'<text x="{MARGIN + second * scale:.1f}" y="{base + 13}" {SMALL}>{second} s</text>'


def _lines(probes, scale, base):
    """One path for the answers, each as high as its round trip took, and one for what was lost. Of
    several probes in half a pixel the worst is drawn."""
    worst = {}
    for second, milliseconds in probes:
        column = round(second * scale * 2)
        worst[column] = max(worst.get(column, 0), LOST if milliseconds is None else milliseconds)
    lines = {"reply": "", "lost": ""}
    for column, milliseconds in worst.items():
        x = f"M{MARGIN + column / 2:.1f} {base}"
        if milliseconds == LOST:
            lines["lost"] += f"{x}v-{STRIP}"
        else:
            lines["reply"] += f"{x}v-{STRIP * min(milliseconds, CEILING_MS) / CEILING_MS + 2:.1f}"
    return lines
