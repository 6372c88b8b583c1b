"""The words that made-up artists, releases and tracks are named with; every one is invented or common speech."""

from typing import NamedTuple


class Genre(NamedTuple):
    """A genre: the length of its tracks (median, seconds) and the words that give its names their colour."""

    name: str
    seconds: float
    nouns: tuple[str, ...]
    adjectives: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _genre(name: str, seconds: float, nouns: str, adjectives: str) -> Genre:
    return Genre(name, seconds, _words(nouns), _words(adjectives))


GENRES = (
    _genre(
        "pop",
        205,
        "Heart Dance Summer Mirror Sugar Kiss Radio Neon Weekend Crush Glitter Phone Daydream Lipstick",
        "Sweet Electric Golden Young Pretty Lucky Candy Perfect",
    ),
    _genre(
        "rock",
        240,
        "Highway Thunder Wheel Stone Engine Whiskey River Train Guitar Wolf Bridge Hammer Garage Rebel",
        "Broken Loud Wild Rusty Burning Reckless Black Heavy",
    ),
    _genre(
        "hip hop",
        195,
        "Block Crown Paper Corner Cipher Hustle Ledger Throne Alley Tape Verse Chain Avenue Ghost",
        "Cold Real Raw Solid Smoked Midnight Paid Gilded",
    ),
    _genre(
        "electronic",
        330,
        "Signal Circuit Pulse Grid Voltage Static Laser Vector Machine Orbit Loop Modem Prism Strobe",
        "Binary Digital Analog Infinite Modular Liquid Hollow Magnetic",
    ),
    _genre(
        "jazz",
        345,
        "Blue Alley Saxophone Lantern Stroll Bourbon Balcony Cat Trumpet Minor Taxi Serenade Cellar Uptown",
        "Smoky Cool Late Velvet Lazy Slow Crooked Mellow",
    ),
    _genre(
        "classical",
        380,
        "Nocturne Prelude Sonata Garden Winter Cathedral Waltz Elegy Fountain Etude Swan Meadow Fugue Aria",
        "Quiet Solemn Silver Distant Gentle Pale Northern Eternal",
    ),
    _genre(
        "folk",
        225,
        "Barn Harvest Creek Crow Lantern Orchard Ballad Shepherd Willow Cabin Hollow Ferry Kettle Thistle",
        "Old Weary Wandering Wooden Lonesome Green Humble Foggy",
    ),
    _genre(
        "metal",
        290,
        "Abyss Iron Serpent Ash Plague Tomb Dagger Wrath Forge Raven Titan Ruin Blight Anvil",
        "Forsaken Bleeding Frozen Cursed Grim Savage Fallen Unholy",
    ),
    _genre(
        "soul",
        230,
        "Honey Sunday Mercy Lover Testimony Groove Supper Brother Sister Grace Shoulder Promise Kitchen Twilight",
        "Tender Warm True Faithful Sweet Brown Deep Righteous",
    ),
    _genre(
        "punk",
        140,
        "Riot Fence Basement Curfew Brick Suburb Bottle Siren Dropout Poster Toothpick Detention Van Scab",
        "Bored Angry Cheap Stupid Broke Nervous Bitter Useless",
    ),
    _genre(
        "ambient",
        400,
        "Drift Tide Haze Glacier Lull Cloud Horizon Moss Breath Mist Dune Shimmer Hush Satellite",
        "Weightless Still Faint Endless Soft Glass Dim Submerged",
    ),
    _genre(
        "latin",
        215,
        "Fuego Luna Corazon Playa Ritmo Noche Sol Verano Fiesta Camino Tambor Palma Brisa Carnaval",
        "Caliente Bonita Loca Dulce Libre Tropical Dorada Eterna",
    ),
)

NOUNS = _words(
    "Morning Night Rain Fire Shadow Window Ocean Mountain Letter Road City Stranger Island Moon Star Sky Storm Season "
    "Harbour Echo Silence Memory Secret Dream Ember Feather Compass Mile Bird Ghost Garden Door Light Wave Tiger "
    "Paper Machine Anchor Field Flame Snow Shore Thread Voice Whisper Yesterday Tomorrow Circle Canyon Desert"
)
ADJECTIVES = _words(
    "Quiet Endless Hidden Bright Empty Little Secret Distant Paper Crimson Silent Restless Gentle Strange Final First "
    "Last Second Open Hollow Blind Sudden Simple Faded Lost Borrowed Ordinary Violet Amber Early"
)
VERBS = _words(
    "Running Falling Waiting Calling Burning Dreaming Leaving Chasing Breathing Drifting Dancing Counting Holding "
    "Turning Losing Finding Climbing Sleeping Floating Coming"
)
PLACES = _words(
    "Lisbon Halifax Tangier Marlow Odessa Bergen Cordoba Galway Kyoto Valparaiso Tulsa Trieste Aldgate Riga Nairobi "
    "Mendoza Tromso Dakota Antwerp Havana"
)
FIRST_NAMES = _words(
    "Ada Bruno Celia Dario Edda Felix Greta Hugo Ines Jonah Kira Leo Mara Nico Odette Pablo Quinn Rosa Silas Tilda "
    "Ugo Vera Wes Xenia Yara Zeno Amara Basil Cora Dov Elif Faye Gus Hana Ivo June Kofi Lena Milo Noor Otis Pia Remy "
    "Sana Theo Uma Viggo Wren Yuki Zadie"
)
LAST_NAMES = _words(
    "Abernathy Bellweather Castellan Dunmore Ellery Fairbanks Galloway Hartmann Ishikawa Jessop Kowalski Lindqvist "
    "Marchetti Novak Okonkwo Pemberton Quill Rosario Sandoval Tremaine Underhill Valdez Whitlock Yamada Zielinski "
    "Ashdown Brightwater Corvino Delacroix Emberly Fontaine Grimaldi Halloran Ibarra Juniper Kestrel Lockhart "
    "Montague Nightingale Osei Pasternak Ravenel Solano Thackeray Umber Vasquez Winterbourne"
)
ENSEMBLES = _words("Trio Quartet Orchestra Collective Ensemble Union Society Brothers Sisters Project Club Band")
