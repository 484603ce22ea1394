"""Shapes cut out of a picture: everything outside becomes transparent."""

from PIL import Image, ImageDraw

from limner.providers.sketches.dice import Dice


def medallion(picture: Image.Image, dice: Dice) -> Image.Image:
    """The picture as a round, arched or rounded piece on transparency."""
    width, height = picture.size
    margin = min(width, height) * 0.04
    samples = 2 if width * height < 6_000_000 else 1
    mask = Image.new("L", (width * samples, height * samples))
    box = tuple(edge * samples for edge in (margin, margin, width - margin, height - margin))
    radius = min(width, height) * samples * dice.pick((0.5, 0.5, 0.12))
    ImageDraw.Draw(mask).rounded_rectangle((box[0], box[1], box[2], box[3]), radius, fill=255)
    cut = picture.convert("RGBA")
    cut.putalpha(mask.reduce(samples) if samples > 1 else mask)
    return cut
