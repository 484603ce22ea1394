"""Layers of cut paper, each casting a soft shadow on the one below."""

import math
from collections.abc import Iterator

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.colour import RGB, darker, lighter, ramp
from limner.providers.sketches.curves import curve
from limner.providers.sketches.dice import Dice


def papercut(board: Board) -> Iterator[None]:
    """Holes within holes, or sheets that rise from the bottom one before the other."""
    dice = board.dice.named("papercut")
    layers = 6 + board.detail
    tones = _tones(board, dice, layers + 1)
    board.canvas.cover(tones[0])
    paint = _hollows if dice.chance(0.6) else _sheets
    for layer in paint(board, dice, tones):
        if layer == layers // 2:
            yield


def _tones(board: Board, dice: Dice, count: int) -> tuple[RGB, ...]:
    accents = list(board.palette.accents)
    choices: list[tuple[RGB, ...]] = [
        (board.palette.ink, accents[1], accents[0], accents[2], board.palette.paper),
        (board.palette.paper, accents[2], accents[0], accents[1], board.palette.ink),
        (*board.palette.sky, board.palette.near),
        (darker(accents[1], 0.2), accents[1], lighter(accents[1], 0.15), board.palette.paper),
    ]
    tones = dice.pick(choices)
    return ramp(tones if dice.chance(0.5) else tuple(reversed(tones)), count)


def _hollows(board: Board, dice: Dice, tones: tuple[RGB, ...]) -> Iterator[int]:
    """From the top sheet down: every hole is smaller than the one above it, and drifts a little."""
    unit, layers = board.unit, len(tones) - 1
    cx, cy = board.width * dice.between(0.42, 0.58), board.height * dice.between(0.42, 0.58)
    wide, high = board.width * 0.53, board.height * 0.53
    knots = dice.whole(7, 9)
    lobes = [dice.between(0.72, 1.12) for _ in range(knots)]
    for layer in range(layers):
        part = dice.named(f"hole {layer}")
        open_ = 1 - layer / (layers + 0.6)
        lobes = [lobe * part.between(0.94, 1.06) for lobe in lobes]
        cx, cy = cx + unit * part.between(-0.012, 0.012), cy + unit * part.between(-0.012, 0.012)
        turns = [(k + 0.25 * math.sin(k * 3 + layer * 0.5)) / knots * math.tau for k in range(knots)]
        hole = curve(
            [
                (cx + math.cos(t) * wide * lobe * open_, cy + math.sin(t) * high * lobe * open_)
                for t, lobe in zip(turns, lobes, strict=True)
            ],
            closed=True,
            steps=14,
        )
        board.canvas.sunk(hole, tones[layer + 1], unit * 0.014, (unit * 0.008, unit * 0.02), 0.42)
        yield layer


def _sheets(board: Board, dice: Dice, tones: tuple[RGB, ...]) -> Iterator[int]:
    """Each sheet fills everything below a slow wave and shades the one behind."""
    unit, layers = board.unit, len(tones) - 1
    swing = min(board.height, unit * 1.4) * 0.075
    phase = dice.between(0, math.tau)
    knots = max(6, round(6 * board.width / unit))
    for layer in range(layers):
        part = dice.named(f"sheet {layer}")
        base = board.height * (0.18 + 0.78 * layer / layers)
        line = curve(
            [
                (
                    board.width * (k - 1) / (knots - 3),
                    base + swing * (math.sin(phase + k * 1.7 + layer * 0.9) + part.between(-0.5, 0.5)),
                )
                for k in range(knots)
            ],
            steps=12,
        )
        raised = [(x, y - unit * 0.004) for x, y in line]
        lowered = [(x, y + unit * 0.04) for x, y in reversed(line)]
        board.canvas.shadow([*raised, *lowered], unit * 0.013, darker(board.palette.ink, 0.12), 0.5)
        tone = tones[layer + 1]
        board.canvas.ground(
            [point for point in line if -unit < point[0] < board.width + unit],
            board.height,
            Gradient((lighter(tone, 0.03), tone)),
        )
        yield layer
