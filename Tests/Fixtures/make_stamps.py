"""Writes what Pillow makes of twenty real pictures before an encoder sees them.

    .references/venv/bin/python Tests/Fixtures/make_stamps.py

The pictures are Debian's tuxpaint-stamps-default, every so many in order of their paths; what is transparent is laid
over white, then resized. Results, one PNG a picture: its tiles one below the other, a thumbnail first, cut by the grid
that transformers chooses for at most four tiles of 56 pixels; and for four of them one tile of 448. `stamps.json` names
the sources and grids.
"""

import json
import pathlib

from PIL import Image
from transformers.models.perception_lm.image_processing_perception_lm_fast import PerceptionLMImageProcessorFast

SOURCE = pathlib.Path("/usr/share/tuxpaint/stamps")
OUT = pathlib.Path(__file__).resolve().parent.parent / "VUGENTests" / "Fixtures" / "stamps"
SIDE, MOST, COUNT = 56, 4, 20


def grid(width, height):
    """Columns and rows, by the reference's own functions."""
    processor = PerceptionLMImageProcessorFast(tile_size=SIDE, max_num_tiles=MOST)
    fitted = processor._fit_image_to_canvas(img_width=width, img_height=height, tile_size=SIDE)
    return fitted if fitted is not None else processor._find_closest_aspect_ratio(width, height, SIDE)


def tiles(image):
    columns, rows = grid(*image.size)
    parts = [image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)]
    large = image.resize((columns * SIDE, rows * SIDE), Image.Resampling.BICUBIC)
    for row in range(rows):
        for column in range(columns):
            parts.append(large.crop((column * SIDE, row * SIDE, (column + 1) * SIDE, (row + 1) * SIDE)))
    strip = Image.new("RGB", (SIDE, SIDE * len(parts)))
    for i, part in enumerate(parts):
        strip.paste(part, (0, i * SIDE))
    return strip, (columns, rows)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    paths = sorted(SOURCE.rglob("*.png"))
    listing = []
    for i in range(COUNT):
        path = paths[(2 * i + 1) * len(paths) // (2 * COUNT)]
        picture = Image.open(path).convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture)
        image = white.convert("RGB")
        strip, (columns, rows) = tiles(image)
        strip.save(OUT / f"{i}.png", optimize=True)
        if i % 5 == 0:
            image.resize((448, 448), Image.Resampling.BICUBIC).save(OUT / f"{i}-448.png", optimize=True)
        listing.append({"path": str(path), "columns": columns, "rows": rows})
    (OUT / "stamps.json").write_text(json.dumps(listing, indent=1))
    print(f"{COUNT} pictures, {sum(f.stat().st_size for f in OUT.iterdir()) / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
