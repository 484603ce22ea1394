"""Packs clients/desktop into dist/limner-VERSION.mcpb: what Claude Desktop and others install with a double click.

usage: python tools/bundle.py [FOLDER]

The version and the icon are the project's own; the same sources give the same bytes.
"""

import json
import sys
import zipfile
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from limner import __version__

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "clients" / "desktop"
ICON_PX = 512
LONG_AGO = (2026, 1, 1, 0, 0, 0)


def main(folder: Path) -> Path:
    manifest = json.loads((SOURCE / "manifest.json").read_text()) | {"version": __version__}
    files = {
        "manifest.json": (json.dumps(manifest, indent=2) + "\n").encode(),
        "icon.png": icon(),
        "server/index.mjs": (SOURCE / "server" / "index.mjs").read_bytes(),
        "LICENSE": (ROOT / "LICENSE").read_bytes(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / f"limner-{__version__}.mcpb"
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), data, zipfile.ZIP_DEFLATED)
    return bundle


def icon() -> bytes:
    """The easel of src/limner/web/static/icon.svg, as bundles want it: a PNG."""
    scale = ICON_PX / 24
    picture = Image.new("RGBA", (ICON_PX, ICON_PX), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    legs = [((12, 1.5), (12, 3.5)), ((8.2, 17.5), (5.5, 22.5)), ((15.8, 17.5), (18.5, 22.5)), ((12, 17.5), (12, 21))]
    for start, end in [*legs, ((3, 17.5), (21, 17.5))]:
        points = [tuple(round(value * scale) for value in point) for point in (start, end)]
        draw.line(points, fill="#888888", width=round(2 * scale))
        for x, y in points:
            draw.circle((x, y), scale, fill="#888888")
    box = tuple(round(value * scale) for value in (4.5, 3.5, 19.5, 15.5))
    draw.rounded_rectangle(box, radius=scale, fill="#ffcf2e", outline="#888888", width=round(2 * scale))
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


if __name__ == "__main__":
    print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"))
