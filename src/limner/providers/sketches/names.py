"""The vocabulary: words of a prompt and what each means for a picture."""

from limner.providers.sketches.colour import RGB, rgb

_COLOURS = """
red d8322f crimson b3123a scarlet e2331f vermilion e34a27 ruby 9b1239 cherry c21f3a burgundy 6d1a36 maroon 6a1b1f
wine 5e1931 brick a5482f rust a8481f terracotta c8653f coral f2755f salmon f28f79 peach f7b48f apricot f4a864
orange ef7d22 tangerine f28322 pumpkin d9701f amber f2a81d ochre c98a2b mustard d6a122 honey e0a030 gold d9a62b
yellow f6cf34 lemon f5e04a saffron f0b429 canary f8dd4b butter f5e3a1 cream f4ead2 ivory f4efdf
beige e0d2b8 sand d9bf93 tan c9a679 khaki b3a36b caramel b87a3c brown 7a4b2b chocolate 54321f coffee 5b3d2b
umber 5f4528 sienna a0522d copper b8683a bronze 97692f green 3a8f4b emerald 12875a jade 2f9e77 mint 9fdcc0
sage 9caf88 olive 7c7f38 lime a4cf3a moss 6b7f3a  fern 4f8a4a pistachio b5cf8f chartreuse b8d433
malachite 1f9a60 viridian 2f7f6b teal 1c8080 turquoise 2fb8b3 aqua 4fcfd0 cyan 22b5d6 blue 2d62c9 azure 3a8be0
cobalt 1f4fb0 ultramarine 2a3bb8 navy 16264f indigo 35357f sapphire 1c4b9c cerulean 2f86b8 denim 44638f
periwinkle 8f9be0 lavender b9a8e0 lilac c6a3d6 violet 7645c4 purple 6b3aa0 plum 6e2f62 mauve b58ca8 orchid c06bc4
amethyst 8f62c9 magenta cf2d8f fuchsia d9338f pink f08fb4 rose e2708b blush f0b6b6 raspberry bf2c5b black 16181c
charcoal 32363b slate 5a6672 grey 8d9296 gray 8d9296 silver b9bfc4 ash a8aaa5 white f6f5f0 pearl ece8df
"""

COLOURS: dict[str, RGB] = {
    name: rgb(code) for name, code in zip(_COLOURS.split()[::2], _COLOURS.split()[1::2], strict=True)
}

NUMBERS = {
    "two": 2, "pair": 2, "couple": 2, "both": 2, "three": 3, "few": 3, "several": 4, "four": 4, "five": 5, "many": 7,
    "six": 6, "seven": 7, "flock": 7, "school": 7, "eight": 8, "nine": 9, "ten": 9, "dozen": 9,
    "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 7, "8": 8, "9": 9,
}  # fmt: skip


def _spread(text: str) -> dict[str, str]:
    """`meaning: word word` lines as word → meaning."""
    pairs = (line.split(":") for line in text.strip().splitlines())
    return {word: meaning.strip() for meaning, words in pairs for word in words.split()}


MOODS = _spread("""
dawn: dawn sunrise daybreak morning early
day: day daylight noon midday sunny bright afternoon clear
golden: golden sunlit warm evening
sunset: sunset dusk sundown twilight glowing
night: night midnight nocturnal starry moonlit moonlight dark star stars galaxy nebula cosmic space milky
mist: mist misty fog foggy haze hazy calm quiet serene peaceful soft gentle zen tranquil ethereal
storm: storm stormy thunder dramatic moody gloomy rain rainy brooding gothic
winter: winter snow snowy frost frosty ice icy cold arctic frozen glacier christmas nordic
spring: spring blossom bloom fresh sakura easter garden meadow
summer: summer tropical beach holiday vibrant caribbean
autumn: autumn fall autumnal harvest october halloween
desert: desert sahara dune arid canyon mars martian
pastel: pastel dreamy cute whimsical kawaii candy delicate
neon: neon cyberpunk synthwave vaporwave retrowave electric futuristic
noir: noir monochrome
earth: earth earthy rustic organic natural bohemian boho
bold: bold playful fun modern colorful colourful bauhaus pop joyful happy vivid
vintage: vintage retro old antique nostalgic sepia midcentury
""")

STYLES = _spread("""
watercolour: watercolour watercolor aquarelle gouache
ink: ink sumi calligraphy brush woodcut linocut etching engraving
riso: riso risograph halftone screenprint comic print
pixel: pixel pixelart 8bit 16bit bit pixelated
neon: neon cyberpunk synthwave vaporwave retrowave
mono: monochrome greyscale grayscale noir
sepia: sepia vintage daguerreotype
oil: oil impressionist impressionism impasto painterly monet gogh
pencil: pencil charcoal graphite crayon chalk
blueprint: blueprint schematic cyanotype
flat: flat vector minimalist minimal logo icon poster
""")

MOTIFS = _spread("""
cat: cat kitten kitty feline
dog: dog puppy hound corgi wolf
fox: fox vixen
bear: bear panda teddy
rabbit: rabbit bunny hare
owl: owl
bird: bird sparrow robin swallow dove pigeon seagull gull crow raven parrot hummingbird finch
fish: fish goldfish koi salmon trout carp
whale: whale orca dolphin
butterfly: butterfly moth
turtle: turtle tortoise
elephant: elephant mammoth
penguin: penguin
bee: bee bumblebee wasp
tree: tree oak willow maple
pine: pine fir spruce conifer
flower: flower daisy rose sunflower blossom
tulip: tulip lotus poppy lily peony
mushroom: mushroom toadstool fungus
leaf: leaf fern
cactus: cactus succulent
boat: boat sailboat ship yacht regatta
house: house cottage cabin hut home barn
lighthouse: lighthouse
windmill: windmill
castle: castle palace fortress
balloon: balloon airship
rocket: rocket spaceship spacecraft shuttle
plane: plane airplane aeroplane jet aircraft
moon: moon crescent
sun: sun
star: star
heart: heart love valentine
cup: cup mug coffee tea latte espresso cappuccino
bicycle: bicycle bike cycle
car: car automobile truck taxi
robot: robot android droid bot
astronaut: astronaut cosmonaut spaceman
planet: planet saturn jupiter
mountain: mountain
cloud: cloud
umbrella: umbrella parasol
key: key
crown: crown
guitar: guitar ukulele banjo
book: book novel library reading
bulb: bulb lightbulb idea
camera: camera photography photographer
""")


def _families(text: str) -> dict[str, tuple[tuple[str, float], ...]]:
    found: dict[str, tuple[tuple[str, float], ...]] = {}
    for line in text.strip().splitlines():
        family, words = line.split(":")
        for entry in words.split():
            word, _, weight = entry.partition("=")
            found[word] = (*found.get(word, ()), (family.strip(), float(weight or 1)))
    return found


FAMILIES = _families("""
ridges: mountain=2 ridge=2 hill alp=2 peak=1.5 summit=1.5 valley highland=1.5 fjord=1.5 landscape=.8 range volcano=1.5 cliff scenery=.7 nature=.5 mist=.6 fog=.5 everest=2 himalaya=2 fuji=2
dunes: dune=3 desert=2.5 sahara=2 sand mars=1.2 arid canyon=1.2 wave=.2
forest: forest=2.5 wood=1.2 woodland=2 jungle=2 pine=1.5 grove taiga=2 tree=.9 spruce=1.5 fir
sea: sea=2.5 ocean=2.5 beach=1.8 coast=1.8 shore=1.5 harbour=1.5 harbor=1.5 sail=1 boat=.9 ship=.9 lighthouse=.9 island=1.5 bay horizon=.8 seascape=3 whale=.8 water=.8 surf=1.5 lagoon=1.5 underwater=.5
lake: lake=2.6 river=1.8 reflection=2 pond=1.5 loch=2 reflected=1.5 mirror=.7
city: city=2.5 skyline=3 town=1.5 skyscraper=2.5 street=1.2 urban=1.8 metropolis=2.5 tokyo=2.5 york=1.6 london=2 paris=1.8 building=1.2 architecture=1.2 downtown=2 cityscape=3 cyberpunk=1 village=1 rooftop=1.5
night: star=1.6 starry=2.2 galaxy=2.6 nebula=2.6 milky=2.2 universe=2 cosmos=2.2 cosmic=1.5 space=1.6 constellation=2 astronomy=2 astronaut=1.5 moon=.6 night=.5 planet=1
aurora: aurora=4 borealis=4 northern=1.2 polar=1.5
clouds: cloud=2 sky=1.2 cloudscape=3 sunset=.7 sunrise=.7 airplane=.8 heaven=1.5 balloon=.7
stilllife: still=1.5 sphere=3 ball=1.5 vase=3 fruit=2.5 apple=2 pear=2 lemon=2 orange=.3 bottle=2 table=1.2 bowl=2 pottery=2 ceramic=2 glaze=2 glazed=2 product=1 kitchen=1 jug=2 candle=1.5 egg=1.5 jar=1.5 wine=.8 peach=.8 food=1 ramen=.8 cup=.2 tulip=.2 bouquet=1
tiles: bauhaus=3 geometric=1.8 geometry=1.8 tile=2.5 mosaic=2 grid=1.2 pattern=1.4 modernist=1.2 shape=.8 seamless=1.2 wallpaper=1
quilt: quilt=4 patchwork=4 textile=2 fabric=1.8 blanket=2 sewing=2 folk=1 rug=1.8 tapestry=1.5 weave=1.2
marble: marble=3 marbled=4 marbling=4 agate=3 fluid=2 liquid=2 swirl=2 ebru=4 abstract=.6 texture=1.2 paint=.8 lava=1.5 smoke=1 psychedelic=2 acrylic=2
meadow: meadow=3 field=2 countryside=2.4 farm=2 grass=1.6 prairie=2.4 pasture=2.4 village=.9 spring=.6 lavender=1 tuscany=2.5 vineyard=2 wildflower=2.5 hillside=1.5 picnic=1 park=1.2
blossom: blossom=3 sakura=3.5 cherry=.8 japanese=1 japan=1.4 garden=1.8 zen=1.2 bonsai=2 kyoto=2 branch=2 haiku=2
waves: wave=2.4 seigaiha=4 japanese=.5 kanagawa=3 ripple=1.5 tide=1 rolling=.5
papercut: papercut=4 paper=1.4 layered=1.6 cutout=2.5 topographic=2.5 contour=2 map=1 layer=1.2 cave=1 depth=.8 organic=.6
abstract: abstract=2 kandinsky=3 suprematist=3 suprematism=3 composition=1.2 art=.3 mondrian=2 collage=1.5 memphis=2 modern=.5 music=1 jazz=1.5 concept=.6 idea=.6 energy=.6 logo=.6 icon=.4 banner=.5 background=.8 hero=.5
profile: portrait=2.5 face=2 woman=2 man=2 person=1.6 people=1.6 girl=1.8 boy=1.8 silhouette=2 head=1.6 human=1.6 queen=1.8 king=1.8 lady=1.8 child=1.5 mind=1.2 dream=.8 astronaut=.8 warrior=1.5 wizard=1.5 princess=1.5 samurai=1.5 character=1.2 avatar=2 mother=1.5 father=1.5 poet=1.5 musician=1.2 dancer=1.2 knight=1.2
emblem: logo=1 icon=1 emblem=2.5 badge=2 sticker=2 symbol=1.5 mascot=1.5
poster: poster=.8 typography=3 typographic=3 lettering=3 headline=2 title=1
""")
