"""Subjects on transparency: a picture cut to a medallion, or lifted off its plain ground."""

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from limner.providers.sketches.dice import Dice
from limner.providers.sketches.pixels import EVEN, SMOOTH, mapped, resized


def medallion(picture: Image.Image, dice: Dice) -> Image.Image:
    """The picture as a round, or softly cornered, piece on transparency."""
    width, height = picture.size
    margin = min(width, height) * 0.04
    samples = 2 if width * height < 6_000_000 else 1
    mask = Image.new("L", (width * samples, height * samples))
    left, top, right, bottom = (edge * samples for edge in (margin, margin, width - margin, height - margin))
    radius = min(width, height) * samples * dice.pick((0.5, 0.5, 0.12))
    ImageDraw.Draw(mask).rounded_rectangle((left, top, right, bottom), radius, fill=255)
    cut = picture.convert("RGBA")
    cut.putalpha(mask.reduce(samples) if samples > 1 else mask)
    return cut


def lifted(picture: Image.Image) -> Image.Image:
    """The picture without the ground its corners show; a medallion where that leaves nothing or everything."""
    if picture.mode == "RGBA":
        return picture
    scale = min(1.0, 400 / max(picture.size))
    small = resized(picture, (max(2, round(picture.width * scale)), max(2, round(picture.height * scale))), EVEN)
    far = ImageChops.difference(small, Image.new("RGB", small.size, _corner(small)))
    red, green, blue = far.split()
    stands_out = mapped(ImageChops.lighter(ImageChops.lighter(red, green), blue), lambda level: (level - 26) * 9)
    alpha = stands_out.filter(ImageFilter.MedianFilter(3))
    share = alpha.histogram()[255] / (alpha.width * alpha.height)
    if not 0.02 < share < 0.97:
        return medallion(picture, Dice("lifted"))
    cut = picture.convert("RGBA")
    cut.putalpha(resized(alpha, picture.size, SMOOTH))
    return cut


def _corner(small: Image.Image) -> tuple[int, int, int]:
    """The mean colour of the four corners."""
    width, height = small.size
    reach = max(1, min(small.size) // 20)
    places = ((0, 0), (width - reach, 0), (0, height - reach), (width - reach, height - reach))
    sheet = Image.new("RGB", (reach * 4, reach))
    for number, (x, y) in enumerate(places):
        sheet.paste(small.crop((x, y, x + reach, y + reach)), (number * reach, 0))
    mean = resized(sheet, (1, 1), EVEN).tobytes()
    return mean[0], mean[1], mean[2]
