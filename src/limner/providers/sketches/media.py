"""How each medium paints over a picture: watercolour, ink, oil, pencil, print, pixels, neon, blueprint."""

import math

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from limner.providers.sketches.canvas import Canvas
from limner.providers.sketches.colour import RGB, darker, lightness, mix
from limner.providers.sketches.curves import circle
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.palette import Palette
from limner.providers.sketches.pixels import EVEN, SMOOTH, Size, mapped, resized, tinted
from limner.providers.sketches.texture import field


def watercolour(small: Image.Image, palette: Palette, dice: Dice) -> Image.Image:
    """Washes that pool at their edges on rough paper, the sheet left bare around them."""
    small = _wobbled(small, dice, max(small.size) / 130)
    pooled = _edges(small.convert("L"), 5, 4).filter(ImageFilter.BoxBlur(1))
    small.paste(palette.ink, (0, 0), mapped(pooled, lambda level: level * 0.45))
    paper = (251, 248, 240)
    bloom = _bloom(small.size, dice)
    small.paste(paper, (0, 0), mapped(bloom, lambda level: 34 + (level - 128) * 0.42))
    small.paste(darker(palette.ink, 0.02), (0, 0), mapped(bloom, lambda level: (88 - level) * 0.3))
    small.paste(paper, (0, 0), _margin(small.size, dice))
    return small


def ink(small: Image.Image, palette: Palette, dice: Dice) -> Image.Image:
    """Washes of black ink with a few brushed outlines."""
    tones = _wobbled(small.convert("L"), dice, max(small.size) / 160)
    lines = _edges(tones, 8, 7).filter(ImageFilter.BoxBlur(1))
    washed = Image.blend(tones, _bloom(small.size, dice), 0.12)
    paper: RGB = (247, 243, 232)
    ink: RGB = (24, 24, 30)
    sheet = tinted(washed, (ink, mix(ink, paper, 0.25), mix(ink, paper, 0.5), mix(ink, paper, 0.86), paper, paper))
    sheet.paste(ink, (0, 0), lines)
    sheet.paste(paper, (0, 0), _margin(small.size, dice))
    return sheet


def oil(small: Image.Image, palette: Palette, dice: Dice) -> Image.Image:
    """Thick strokes that follow a slow current, coarse ones first, light catching their ridges."""
    canvas = small.copy()
    width, height = small.size
    flow = field(dice.named("flow"), (48, 48), coarse=2, octaves=2).tobytes()
    colours = small.tobytes()
    pen = ImageDraw.Draw(canvas)
    for size, count in ((12, 700), (7, 1400), (4, 1300)):
        for _ in range(count):
            x, y = dice.whole(0, width - 1), dice.whole(0, height - 1)
            angle = flow[y * 48 // height * 48 + x * 48 // width] / 255 * math.tau
            dx, dy = math.cos(angle) * size * 1.1, math.sin(angle) * size * 1.1
            shade, at = 1 + dice.between(-0.07, 0.07), (y * width + x) * 3
            colour = tuple(min(255, int(channel * shade)) for channel in colours[at : at + 3])
            pen.line((x - dx, y - dy, x + dx, y + dy), colour, max(2, size // 2))
    relief = canvas.convert("L").filter(ImageFilter.Kernel((3, 3), (-2, -1, 0, -1, 0, 1, 0, 1, 2), scale=2, offset=128))
    canvas.paste((255, 250, 238), (0, 0), mapped(relief, lambda level: (level - 134) * 1.3))
    canvas.paste((24, 18, 20), (0, 0), mapped(relief, lambda level: (122 - level) * 1.3))
    return canvas


def pencil(small: Image.Image, palette: Palette, dice: Dice) -> Image.Image:
    """Graphite: outlines, and hatching where it is dark."""
    tones = small.convert("L")
    around = ImageChops.subtract(tones, tones.filter(ImageFilter.BoxBlur(4)), 1, 128)
    strokes = mapped(around, lambda level: (126 - level) * 5)
    paper: RGB = (246, 243, 235)
    lead: RGB = (52, 52, 60)
    sheet = tinted(mapped(tones, lambda level: 120 + level * 0.55), (lead, mix(lead, paper, 0.55), paper, paper))
    for slope, limit in ((1, 150), (-1, 95), (3, 60)):
        dark = mapped(tones, lambda level, limit=limit: (limit - level) * 2)
        sheet.paste(lead, (0, 0), ImageChops.multiply(_hatching(small.size, slope, dice), dark))
    sheet.paste(lead, (0, 0), ImageChops.lighter(strokes, _edges(tones, 0, 5)))
    return sheet


def riso(small: Image.Image, palette: Palette, dice: Dice) -> Image.Image:
    """Two inks in halftone dots, printed a little out of register."""
    dark, light = sorted((palette.accent(0), palette.accent(1)), key=lightness)
    tones = small.convert("L")
    sheet = Image.new("RGB", small.size, (246, 240, 226))
    cell = max(5, round(min(small.size) / 150))
    for colour, weight, shift in ((light, 1.0, 0), (dark, 1.22, max(1, cell // 4))):
        level = mapped(tones, lambda level, weight=weight: 255 - level * weight)
        printed = Image.blend(level, _dots(small.size, cell if shift else cell + 1), 0.5)
        sheet.paste(colour, (shift, shift), mapped(printed, lambda level: (level - 122) * 22))
    return sheet


def pixel(small: Image.Image, palette: Palette, dice: Dice) -> Image.Image:
    """Few colours in large square pixels."""
    cell = max(2, round(min(small.size) / 96))
    grid = (max(1, round(small.width / cell)), max(1, round(small.height / cell)))
    return resized(small, grid, EVEN).quantize(28, dither=Image.Dither.NONE).convert("RGB")


def neon(small: Image.Image, palette: Palette, dice: Dice) -> Image.Image:
    """Everything dark, and every edge a glowing tube."""
    tones = small.convert("L").filter(ImageFilter.BoxBlur(1))
    edges = _edges(tones, 6, 9)
    across = resized(Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90), small.size)
    tubes = tinted(Image.blend(across, tones, 0.35), ((255, 46, 147), (138, 92, 255), (25, 227, 227), (255, 225, 90)))
    sheet = Image.blend(small, Image.new("RGB", small.size, (9, 6, 26)), 0.68)
    for blur, strength in ((12, 2.2), (4, 1.5)):
        glow = edges.filter(ImageFilter.BoxBlur(blur)).filter(ImageFilter.BoxBlur(blur))
        sheet.paste(tubes, (0, 0), mapped(glow, lambda level, s=strength: level * s))
    white = Image.blend(tubes, Image.new("RGB", small.size, (255, 255, 255)), 0.55)
    sheet.paste(white, (0, 0), edges.filter(ImageFilter.BoxBlur(1)))
    return sheet


def blueprint(small: Image.Image, palette: Palette, dice: Dice) -> Image.Image:
    """White lines and a grid on blue."""
    edges = _edges(small.convert("L"), 4, 7)
    sheet = Image.new("RGB", small.size, (24, 62, 128))
    pen = ImageDraw.Draw(sheet)
    step = min(small.size) / 16
    for number in range(math.ceil(max(small.size) / step)):
        at = round(number * step)
        pen.line((at, 0, at, small.height), (48, 88, 154))
        pen.line((0, at, small.width, at), (48, 88, 154))
    sheet.paste((236, 242, 250), (0, 0), edges)
    return sheet


def _edges(tones: Image.Image, floor: int, gain: float) -> Image.Image:
    """Where tones change, bright; the filter leaves the outermost pixels as they were, so they are blanked."""
    found = tones.filter(ImageFilter.FIND_EDGES)
    width, height = found.size
    for strip in ((0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)):
        found.paste(0, strip)
    return mapped(found, lambda level: (level - floor) * gain)


def _bloom(size: Size, dice: Dice) -> Image.Image:
    """Slow clouds of more and less pigment."""
    return resized(field(dice.named("bloom"), (160, 160), coarse=4, octaves=5), size, SMOOTH)


def _wobbled(picture: Image.Image, dice: Dice, reach: float) -> Image.Image:
    """Straight edges made a little unsure, as by a hand."""
    width, height = picture.size
    cells = min(14, width, height)
    push = [field(dice.named(f"wobble {axis}"), (cells + 1, cells + 1), coarse=7, octaves=1).tobytes() for axis in "xy"]

    def at(column: int, row: int) -> tuple[float, float]:
        index = row * (cells + 1) + column
        x = width * column / cells + (push[0][index] / 127.5 - 1) * reach * (0 < column < cells)
        y = height * row / cells + (push[1][index] / 127.5 - 1) * reach * (0 < row < cells)
        return x, y

    mesh = [
        (
            (width * c // cells, height * r // cells, width * (c + 1) // cells, height * (r + 1) // cells),
            (*at(c, r), *at(c, r + 1), *at(c + 1, r + 1), *at(c + 1, r)),
        )
        for r in range(cells)
        for c in range(cells)
    ]
    return picture.transform(picture.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def _margin(size: Size, dice: Dice) -> Image.Image:
    """A mask of the bare paper around a painting whose edge was not taped."""
    scale = 240 / max(size)
    small = (max(24, round(size[0] * scale)), max(24, round(size[1] * scale)))
    edge = min(small) * 0.045
    inside = Image.new("L", small, 255)
    ImageDraw.Draw(inside).rectangle((edge, edge, small[0] - edge, small[1] - edge), fill=0)
    soft = inside.filter(ImageFilter.GaussianBlur(edge * 0.6))
    rough = field(dice.named("margin"), small, coarse=12, octaves=4)
    return resized(mapped(Image.blend(soft, rough, 0.34), lambda level: (level - 122) * 9), size, SMOOTH)


def _hatching(size: Size, slope: int, dice: Dice) -> Image.Image:
    """Slanting strokes all over."""
    sheet = Image.new("L", size)
    pen = ImageDraw.Draw(sheet)
    width, height = size
    x = -float(height)
    while x < width + height:
        lean = height / slope
        pen.line((x, 0, x + lean, height), round(dice.between(120, 255)))
        x += dice.between(3.5, 6)
    return sheet


def _dots(size: Size, cell: int) -> Image.Image:
    """A halftone screen: round dots, brightest in their middles."""
    across = cell * 2
    dot = Canvas(across, across)
    for x, y in ((cell * 0.5, cell * 0.5), (cell * 1.5, cell * 1.5)):
        for step in range(6):
            tone = 40 + step * 40
            dot.polygon(circle(x, y, cell * 0.72 * (1 - step / 6), steps=24), (tone, tone, tone))
    tile = dot.image.getchannel(0)
    sheet = Image.new("L", size)
    for left in range(0, size[0], across):
        sheet.paste(tile, (left, 0))
    row = sheet.crop((0, 0, size[0], across))
    for top in range(across, size[1], across):
        sheet.paste(row, (0, top))
    return sheet
