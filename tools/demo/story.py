"""Who lives on the demonstration server, and what they asked for."""

from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

OWNER, OPERATOR = "mara@northlight.example", "ops@northlight.example"


@dataclass(frozen=True, eq=False, slots=True)
class KeyMade:
    name: str
    fields: dict[str, str] = field(default_factory=dict)


LAPTOP, CURSOR, BLOG, CHECKOUT, OLD = (
    KeyMade("Claude Code, laptop", {"client": "claude-code", "cap": "900", "period": "month"}),
    KeyMade("Cursor", {"client": "cursor", "cap": "150", "period": "month"}),
    KeyMade("Nightly blog covers", {"client": "other", "cap": "40", "period": "day", "ends": "365"}),
    KeyMade("Checkout tests", {"client": "other", "test": "yes"}),
    KeyMade("Old laptop", {"client": "codex"}),
)
KEYS = (LAPTOP, CURSOR, BLOG, CHECKOUT, OLD)

FLARE, SUNBURST = "openai:gpt-image-2.5-flare", "openai:gpt-image-2.5-sunburst"
BANANA, FLUX, SKETCH = "google:gemini-nano-banana-2.1", "bfl:flux-2-pro", "limner:sketch"
REFUSED = "Photo of a celebrity endorsing our candles"
WAITING = "Harbour town at blue hour, boats at rest, a picture that is never finished"

ASKED: tuple[tuple[str, str, str], ...] = (
    ("Alpine ridgelines at first light, thin mist between the folds", "16:9", FLARE),
    ("Three glazed spheres in malachite, ultramarine and lemon on warm paper", "4:3", SUNBURST),
    ("Apricot dunes at noon, long shadow lines", "3:2", BANANA),
    ("Geometric quilt in navy, pink and marigold", "1:1", FLARE),
    ("Portrait of a woman in profile, flat colour, terracotta and teal", "4:5", SUNBURST),
    ("Northern lights over a frozen fjord", "16:9", BANANA),
    ("A lighthouse by the sea at dusk, gulls", "3:2", FLUX),
    ("Cherry blossom branch against a pale sky", "2:3", FLARE),
    ("Magenta nebula mirrored in black water", "1:1", FLUX),
    ("Bauhaus tiles in mustard, brick and slate", "1:1", BANANA),
    ("Dark spruce forest in fog", "9:16", SUNBURST),
    ("Japanese wave pattern, indigo on cream", "3:2", FLARE),
    ("Skyline of a futuristic city at sunset, violet haze", "21:9", FLUX),
    ("Papercut hills in sage and coral", "4:3", FLARE),
    ("A red fox on a windowsill, watercolour", "1:1", SUNBURST),
    ("Marbled paper, fluid turquoise and gold", "16:9", BANANA),
    ("Wildflower meadow with poppies, summer morning", "3:2", SUNBURST),
    ("Bowl of pears on a linen table, soft window light", "4:5", FLUX),
    ('Poster that says "Winter market", bold letters, pine and cranberry', "2:3", SUNBURST),
    ("Calm lake at dawn with reflections, far mountains", "16:9", FLARE),
    ("A whale under a crescent moon, riso print", "4:5", BANANA),
    ("Abstract composition after Kandinsky, circles and arcs", "3:2", FLARE),
    ("Cloudscape from above, peach and lilac", "16:9", BANANA),
    ("Lavender field in Provence, golden hour", "3:2", FLUX),
    ("Seamless pattern of foxes and ferns", "1:1", SUNBURST),
    ("Snowy village under stars, papercut", "4:3", FLARE),
    ("A hot air balloon over canyon country", "2:3", FLUX),
    ("Still life with a blue vase and two lemons", "4:5", SUNBURST),
    ("Misty mountains at dawn, ink wash", "16:9", SKETCH),
    ("An owl, woodcut", "1:1", BANANA),
    ("Sailing boats in a turquoise bay, gouache", "16:9", FLARE),
    ("Moonlit sea with a single sailboat", "3:2", SUNBURST),
    ("Emerald aurora above pine trees", "9:16", BANANA),
    ("Isometric tiles in rose and graphite", "1:1", FLARE),
    ("Vineyard hills in Tuscany, late afternoon", "21:9", FLUX),
    ("A robot watering tulips, flat vector", "4:3", SUNBURST),
    ("Desert canyon under a violet sky", "16:9", FLARE),
    ("Patchwork blanket, folk art", "1:1", BANANA),
)
PER_DAY = (3, 5, 2, 0, 1, 6, 4, 3, 7, 0, 2, 4, 5, 3, 6, 1, 0, 4, 8, 5, 3, 2, 1, 6, 4, 7, 3, 5, 4)
"""Pictures on each day before today."""
TODAY = 7

WEBHOOKS = (
    ("https://hooks.northlight.example/limner", ("image.succeeded", "image.failed")),
    ("https://ops.northlight.example/credits?team=studio", ("credits.low", "cap.reached")),
)
OTHERS = (
    ("ines.okafor@harbourpress.example", 480, 3),
    ("team@tinytypefoundry.example", 1200, 5),
    ("a.very.long.address.that.somebody.really.has+limner@subdivision.of.a.company.example", 60, 1),
    ("joao@cartografia.example", 15, 1),
    ("spam@buy-now.example", 0, 0),
)


def month() -> list[tuple[int, list[dict[str, Any]]]]:
    """(days ago, requests), oldest first; the last entry is today."""
    asked = cycle(ASKED)
    counts = (*PER_DAY, TODAY)
    return [
        (len(counts) - 1 - index, [_request(*next(asked), round_=index) for _ in range(count)])
        for index, count in enumerate(counts)
    ]


def _request(prompt: str, ratio: str, model_id: str, *, round_: int) -> dict[str, Any]:
    return {"prompt": prompt, "aspectRatio": ratio, "modelId": model_id, "idempotencyKey": f"{round_} {prompt}"}
