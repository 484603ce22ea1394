"""The drawing hand: what prompts mean to it, and that every scene, motif and medium can be painted anywhere."""

import hashlib

import pytest
from PIL import Image

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Canvas
from limner.providers.sketches.colour import chroma, distance, lightness, mix, muted, rgb
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.draw import Order, draw
from limner.providers.sketches.families import FAMILIES, chosen
from limner.providers.sketches.lettering import fitted, letters
from limner.providers.sketches.motifs.figures import FIGURES, dressed, figure
from limner.providers.sketches.names import MOTIFS, STYLES
from limner.providers.sketches.palette import choose
from limner.providers.sketches.styles import styled
from limner.providers.sketches.words import Thing, read

TEAL = rgb("1c8080")


def painted(
    prompt: str, seed: int = 1, size: tuple[int, int] = (160, 120), *, clear: bool = False, detail: int = 1
) -> Image.Image:
    *_, last = draw(Order(prompt, seed, *size, detail=detail, clear=clear))
    return last.picture


def family_of(prompt: str) -> str:
    family = chosen(read(prompt), Dice(prompt))
    return next(name for name, each in FAMILIES.items() if each is family)


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "family"),
    [
        ("misty mountains at dawn", "ridges"),
        ("sand dunes in the Sahara", "dunes"),
        ("a dark spruce forest", "forest"),
        ("a lighthouse by the sea", "sea"),
        ("a calm lake with reflections", "lake"),
        ("the skyline of a futuristic city", "city"),
        ("a starry night with the milky way", "night"),
        ("northern lights, aurora borealis", "aurora"),
        ("cloudscape from above", "clouds"),
        ("a bowl of fruit on a table", "stilllife"),
        ("three glazed spheres", "stilllife"),
        ("bauhaus tiles", "tiles"),
        ("a patchwork quilt", "quilt"),
        ("marbled paper, fluid", "marble"),
        ("japanese wave pattern, seigaiha", "waves"),
        ("layered papercut", "papercut"),
        ("an abstract composition after kandinsky", "abstract"),
        ("portrait of a woman", "profile"),
        ("a cat", "emblem"),
        ("seamless pattern of foxes", "pattern"),
        ('"Grand opening"', "poster"),
        ("cherry blossom branch", "blossom"),
        ("wildflower meadow", "meadow"),
        ("a lighthouse at dawn", "sea"),
    ],
)
def test_the_words_choose_the_scene(prompt: str, family: str) -> None:
    assert family_of(prompt) == family


def test_a_prompt_that_names_nothing_gets_different_families_by_seed() -> None:
    reading = read("zzz qqq")
    assert len({chosen(reading, Dice(str(seed))).scene for seed in range(40)}) >= 5


def test_colours_belong_to_the_thing_they_stand_before() -> None:
    reading = read("two red boats and a house under an ultramarine sky")
    assert reading.things == (Thing("boat", 2, rgb("d8322f")), Thing("house"))
    assert reading.colours == (rgb("2a3bb8"),)


def test_quoted_words_are_lettering_and_nothing_else() -> None:
    reading = read('a poster with "red cats at night" and “Second line”, it\'s fine')
    assert reading.lettering == ("red cats at night", "Second line")
    assert reading.things == ()
    assert "night" not in reading.moods


def test_colours_named_in_the_prompt_lead_the_palette() -> None:
    palette = choose(read("teal mountains"), Dice("1"))
    assert palette.accents[0] == TEAL
    assert distance(muted(palette.near, 0), palette.near) > 0.02, "the land takes up the colour"


def test_moods_decide_the_light() -> None:
    assert all(choose(read("winter night"), Dice(str(seed))).night for seed in range(10))
    assert not any(choose(read("a sunny day"), Dice(str(seed))).dark for seed in range(10))


def test_mixing_keeps_to_the_ends() -> None:
    assert mix(TEAL, (255, 255, 255), 0.0) == TEAL
    assert mix(TEAL, (255, 255, 255), 1.0) == (255, 255, 255)
    assert chroma((128, 128, 128)) < 0.01
    assert lightness((0, 0, 0)) < 0.01


# --- painting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("size", [(160, 120), (40, 320), (320, 40), (16, 16)], ids=str)
def test_every_scene_paints_every_shape(name: str, size: tuple[int, int]) -> None:
    for clear in (False, True) if FAMILIES[name].stands_alone else (False,):
        canvas, dice = Canvas(*size, clear=clear), Dice(name)
        reading = read("three cats and a boat in the evening")
        board = Board(canvas, dice, choose(reading, dice), reading, detail=3)
        assert sum(1 for _ in FAMILIES[name].scene(board)) >= 1
        assert len(canvas.finished().getcolors(1 << 20) or []) > 1


@pytest.mark.parametrize("name", FAMILIES)
def test_every_scene_differs_by_seed(name: str) -> None:
    def digest(seed: int) -> str:
        canvas, dice, reading = Canvas(96, 96), Dice(f"{seed}"), read("")
        for _ in FAMILIES[name].scene(Board(canvas, dice, choose(reading, Dice("same")), reading)):
            pass
        return hashlib.sha256(canvas.image.tobytes()).hexdigest()

    assert len({digest(seed) for seed in range(4)}) == 4


@pytest.mark.parametrize("name", FIGURES)
def test_every_motif_stands_in_its_box(name: str) -> None:
    canvas, palette = Canvas(140, 140, clear=True), choose(read(""), Dice("1"))
    figure(canvas, name, (70, 120), 100, dressed(palette, TEAL, palette.paper))
    left, top, right, bottom = canvas.image.getbbox() or (0, 0, 0, 0)
    assert left >= 14
    assert top >= 6
    assert right <= 128
    assert bottom <= 130
    assert (right - left) * (bottom - top) > 2000


def test_every_thing_in_the_vocabulary_can_be_drawn() -> None:
    assert set(MOTIFS.values()) <= set(FIGURES)


@pytest.mark.parametrize("style", sorted(set(STYLES.values()) - {"flat"}))
def test_every_medium_changes_the_picture_and_keeps_its_size(style: str) -> None:
    plain = painted("a fox in a forest", size=(200, 150))
    palette = choose(read(""), Dice("1"))
    done = styled(plain, (200, 150), (style,), palette, Dice("2"))
    assert (done.size, done.mode) == ((200, 150), "RGB")
    assert done.tobytes() != plain.tobytes()


def test_no_medium_paints_over_what_is_clear() -> None:
    for style in sorted(set(STYLES.values())):
        picture = painted(f"a cat, {style}", clear=True)
        assert picture.mode == "RGBA"
        assert picture.getchannel("A").getextrema()[0] == 0


def test_more_detail_draws_more() -> None:
    shas = {hashlib.sha256(painted("starry night", detail=detail).tobytes()).hexdigest() for detail in range(4)}
    assert len(shas) == 4


# --- lettering ------------------------------------------------------------------------------------


def test_letters_stay_inside_their_box() -> None:
    for text in ("Hi", "The quick brown fox jumps over the lazy dog", "Ångström façade Žižek", "夜", "W" * 60):
        setting = fitted(text, 300, 120, largest=90)
        box = letters(setting, (50, 40, 350, 160), (400, 200)).getbbox()
        assert box is not None
        assert box[0] >= 44
        assert box[2] <= 358
        assert setting.height <= 122


def test_accents_are_drawn() -> None:
    plain, accented = (
        letters(fitted(text, 300, 100, largest=80), (0, 20, 300, 120), (300, 140)) for text in ("Cafe", "Café")
    )
    assert plain.tobytes() != accented.tobytes()
