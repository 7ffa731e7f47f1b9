/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "words.h"

#include <string.h>

/*
 * Chosen for the telephone between English and Spanish speakers: things one can
 * picture; no number words, no homophones, no two a letter or a v/b, s/z, k/c, y/i
 * apart; nothing about police, papers or illness.  In the order of strcmp.
 */
static const char *const list[WORDS_COUNT] = {
	"abacus", "acacia", "acid", "acorn", "acrobat", "airport", "album", "almond", "alpine",
	"amber", "anchor", "ancient", "animal", "ankle", "another", "answer", "anthem", "anvil",
	"apple", "april", "apron", "archer", "arctic", "armor", "aroma", "artist", "aspen",
	"athlete", "atlas", "atom", "atrium", "attic", "august", "autumn", "avenue", "avocado",
	"award", "awning", "backup", "bacon", "badge", "bagel", "bagpipe", "baker", "balance",
	"balcony", "balloon", "bamboo", "banana", "bandage", "banjo", "bank", "banner", "barber",
	"barley", "barn", "barrel", "basil", "basket", "battery", "beauty", "beaver", "bedroom",
	"bench", "bicycle", "birch", "bird", "biscuit", "bison", "blanket", "blender", "blossom",
	"blouse", "boat", "bobcat", "body", "bonfire", "book", "borrow", "bottle", "bracket",
	"branch", "breeze", "brick", "bridge", "bright", "bronze", "broom", "brother", "brown",
	"brush", "bubble", "bucket", "buddy", "buffalo", "builder", "bulb", "bumper", "bundle",
	"bunny", "burger", "burlap", "burrito", "bushel", "butter", "cabana", "cabbage", "cabin",
	"cactus", "camel", "canal", "candle", "canoe", "canyon", "capsule", "caramel", "carbon",
	"cargo", "carol", "carpet", "cartoon", "cascade", "cashew", "castle", "catalog",
	"catfish", "cave", "cedar", "celery", "ceramic", "chain", "chalk", "chapter", "charm",
	"cheese", "cherry", "child", "chisel", "chorus", "chowder", "chrome", "cider", "cinema",
	"circle", "citizen", "citrus", "city", "clay", "clerk", "client", "climate", "clock",
	"cloth", "cloud", "clover", "club", "cobalt", "cobbler", "coconut", "coffee", "coin",
	"color", "comet", "conifer", "copper", "copy", "corner", "corsage", "cotton", "couch",
	"cougar", "counter", "couple", "courage", "cousin", "cowboy", "coyote", "cradle",
	"craft", "crayon", "cream", "crew", "cricket", "crystal", "cube", "cup", "curry",
	"curtain", "curve", "cushion", "custom", "cyclone", "dad", "daisy", "decade", "demand",
	"dental", "derby", "desk", "detail", "dewdrop", "diagram", "diamond", "diary", "diesel",
	"digital", "dinner", "doctor", "dog", "doll", "dolphin", "domino", "door", "dove",
	"dragon", "drama", "drawer", "dress", "drill", "drink", "drive", "drizzle", "drum",
	"dugout", "dust", "eagle", "earring", "earth", "easel", "east", "echo", "effort", "egg",
	"elbow", "elder", "element", "elm", "emerald", "emotion", "empire", "enamel", "energy",
	"engine", "enjoy", "equator", "evening", "example", "excite", "eyebrow", "fabric",
	"factor", "falafel", "falcon", "family", "famous", "fantasy", "farm", "fashion",
	"faucet", "feather", "feed", "fern", "ferry", "festive", "fiddle", "field", "film",
	"final", "finger", "fire", "first", "fish", "flag", "flannel", "floor", "florist",
	"fluid", "flurry", "flute", "focus", "folder", "follow", "fondue", "food", "footage",
	"forest", "fork", "formula", "forum", "fossil", "fox", "fragile", "frame", "freckle",
	"freeway", "fresh", "friend", "fritter", "frog", "frost", "frozen", "fruit", "furrow",
	"future", "galaxy", "gallon", "game", "garage", "garden", "garlic", "garment", "gateway",
	"gazebo", "general", "genius", "gentle", "giant", "gift", "glacier", "glass", "glitter",
	"globe", "glory", "glossy", "glow", "goblet", "gold", "gondola", "goose", "grain",
	"grand", "grape", "gravity", "green", "griddle", "grotto", "group", "guess", "guide",
	"guitar", "gumbo", "gym", "hammer", "hamster", "hand", "happy", "harbor", "harmony",
	"harp", "harvest", "hat", "hawk", "hayloft", "hazel", "hedge", "helium", "hello",
	"helmet", "herb", "herring", "hexagon", "hickory", "hiker", "hill", "hinge", "hippo",
	"hobby", "hockey", "holiday", "home", "hominy", "honey", "hoodie", "horizon", "horn",
	"hotel", "house", "hub", "human", "humble", "humor", "hungry", "husband", "iceberg",
	"igloo", "iguana", "image", "improve", "inbox", "inch", "income", "indigo", "indoor",
	"infield", "input", "inside", "inspire", "invite", "iris", "iron", "item", "ivory",
	"jacket", "jade", "jaguar", "jar", "jasmine", "jasper", "javelin", "jazz", "jelly",
	"jersey", "jet", "jewel", "jigsaw", "jogging", "joke", "journal", "jubilee", "juice",
	"jukebox", "july", "jump", "june", "jungle", "junior", "karate", "kayak", "kebab",
	"kelp", "kennel", "ketchup", "kettle", "kimono", "king", "kiosk", "kitchen", "kitten",
	"kiwi", "koala", "ladder", "ladle", "lady", "lagoon", "lake", "lamp", "lantern", "lapel",
	"laptop", "laser", "lasso", "lattice", "laundry", "laurel", "lava", "lawn", "league",
	"learn", "lecture", "lemon", "lens", "lentil", "leopard", "letter", "level", "liberty",
	"library", "light", "lilac", "lily", "lime", "limit", "linen", "lion", "liquid",
	"lizard", "loaf", "lobster", "locker", "lodge", "logic", "loop", "lotus", "lounge",
	"lucky", "luggage", "lumber", "lunar", "lunch", "luxury", "machine", "magenta", "magic",
	"magnet", "magpie", "mailbox", "mammal", "mango", "mansion", "manual", "maple", "maraca",
	"marble", "march", "market", "marlin", "marmot", "mascot", "mask", "master", "meadow",
	"media", "meeting", "melody", "member", "memory", "mention", "menu", "mermaid",
	"message", "meteor", "method", "metro", "midday", "milk", "mimosa", "mineral", "minnow",
	"mint", "miracle", "mirror", "mission", "model", "moment", "monarch", "monday",
	"monster", "month", "moon", "moral", "mosaic", "motor", "mount", "movie", "muffin",
	"mug", "museum", "music", "muslin", "mustard", "mystery", "nachos", "nanny", "napkin",
	"narrow", "nation", "natural", "navy", "nebula", "nectar", "needle", "network",
	"neutral", "newborn", "nickel", "nimble", "ninja", "nomad", "noodle", "normal", "north",
	"nose", "novel", "nozzle", "nugget", "number", "nurse", "nutmeg", "nylon", "oak",
	"oatmeal", "object", "obtain", "occupy", "ocean", "octagon", "october", "offer",
	"office", "olive", "olympic", "omelet", "onion", "online", "open", "opera", "opinion",
	"option", "oracle", "orange", "orbit", "orchid", "organ", "orient", "origin", "oriole",
	"osprey", "ostrich", "otter", "outdoor", "outside", "oval", "owl", "owner", "oxygen",
	"oyster", "package", "paddle", "page", "paint", "palace", "pancake", "panda", "panel",
	"panther", "papaya", "paper", "paprika", "parade", "parcel", "parent", "park", "parrot",
	"parsley", "partner", "pasta", "patio", "pattern", "peach", "peanut", "pebble", "pecan",
	"pelican", "pencil", "pendant", "penguin", "penny", "pepper", "person", "pesto",
	"petunia", "photo", "phrase", "piano", "pickle", "picnic", "picture", "pigeon", "pilaf",
	"pilgrim", "pillow", "pilot", "pink", "pioneer", "pipe", "pixel", "pizza", "planet",
	"plastic", "plate", "plaza", "plenty", "plywood", "pocket", "podium", "poem", "polka",
	"pollen", "polo", "pony", "pool", "popcorn", "popular", "portal", "potato", "pottery",
	"powder", "prairie", "predict", "pretzel", "prism", "problem", "process", "program",
	"promise", "protect", "provide", "pudding", "pueblo", "pulse", "puma", "pumpkin",
	"puppy", "purple", "puzzle", "pyramid", "quail", "quality", "quarter", "queen", "quick",
	"quiz", "rabbit", "radar", "radio", "railway", "rainbow", "rally", "rapid", "ratchet",
	"raven", "razor", "ready", "reason", "recipe", "record", "recycle", "reflect", "relish",
	"repair", "reptile", "respect", "result", "reward", "ribbon", "rice", "ripple", "rival",
	"river", "robin", "robot", "robust", "rodeo", "roller", "romance", "roof", "rooster",
	"rope", "rosebud", "rotate", "round", "rowboat", "royal", "rubber", "ruby", "rudder",
	"rumba", "runner", "runway", "safari", "saffron", "sailor", "salad", "salsa", "salt",
	"salute", "sandbox", "sapling", "sardine", "satchel", "satin", "saturn", "sauna",
	"sausage", "savanna", "saving", "sawmill", "scale", "scarf", "school", "scooter",
	"scout", "screen", "script", "scuba", "seagull", "seat", "seaweed", "second", "sedan",
	"seesaw", "segment", "seminar", "senior", "serpent", "sesame", "shadow", "shampoo",
	"shark", "shelf", "shield", "shingle", "ship", "shirt", "shore", "shovel", "shrimp",
	"shuttle", "sierra", "signal", "silent", "silicon", "silver", "simple", "siren",
	"sister", "skate", "skillet", "skunk", "sky", "slalom", "sled", "sleep", "slice",
	"slipper", "slogan", "small", "smile", "smoke", "smooth", "snack", "snorkel", "snow",
	"soap", "soccer", "social", "sock", "soda", "soil", "solar", "solid", "someone",
	"sonata", "song", "sonnet", "sorbet", "south", "space", "spaniel", "sparrow", "speaker",
	"special", "sphere", "spider", "spinach", "spiral", "sponge", "spoon", "sport", "spray",
	"spring", "sprout", "spruce", "square", "stadium", "stage", "stamp", "star", "statue",
	"steam", "stencil", "stereo", "stew", "stick", "stomach", "stone", "story", "straw",
	"street", "stroll", "student", "subway", "sudden", "sugar", "suit", "summer", "sundial",
	"sunrise", "sunset", "surfer", "sushi", "swallow", "swan", "sweater", "swim", "swing",
	"table", "taco", "tadpole", "taffy", "talent", "tamale", "tapioca", "tartan", "teacher",
	"teal", "teapot", "teddy", "tennis", "tent", "terrace", "textile", "theater", "thimble",
	"thistle", "thunder", "tiara", "ticket", "tiger", "tile", "timber", "tissue", "toast",
	"tofu", "tomato", "tonic", "tooth", "topaz", "torch", "tornado", "toucan", "tourist",
	"towel", "town", "toy", "treble", "tree", "trellis", "tripod", "trolley", "trophy",
	"trout", "truck", "trumpet", "trust", "tuesday", "tulip", "tuna", "tundra", "tunnel",
	"turbine", "turnip", "turret", "turtle", "tuxedo", "tweed", "twin", "twist", "type",
	"ukulele", "uncle", "unicorn", "uplift", "uptown", "valley", "valve", "vanilla", "vase",
	"vault", "velour", "velvet", "veranda", "vessel", "victory", "video", "view", "village",
	"vinegar", "vintage", "violet", "voice", "volcano", "waffle", "wagon", "wall", "walnut",
	"walrus", "waltz", "warbler", "washer", "watch", "water", "website", "wedding", "west",
	"wetland", "whisker", "white", "wide", "widget", "width", "wildcat", "window", "winery",
	"winter", "wisdom", "wolf", "woman", "wombat", "wonder", "wooden", "word", "yard",
	"year", "yellow", "yoga", "young", "yucca", "zebra", "zigzag", "zinnia", "zipper",
	"zone", "zoo",
};

const char *words_get(unsigned i)
{
	return i < WORDS_COUNT ? list[i] : NULL;
}

int words_find(const char *text, size_t text_len)
{
	char low[WORDS_LEN_MAX];
	size_t lo = 0, hi = WORDS_COUNT, i, word_len;

	if (text_len < 3 || text_len > WORDS_LEN_MAX)
		return -1;
	for (i = 0; i < text_len; i++) {
		low[i] = text[i];
		if (low[i] >= 'A' && low[i] <= 'Z')
			low[i] = (char)(low[i] - 'A' + 'a');
		if (low[i] < 'a' || low[i] > 'z')
			return -1;
	}
	/* The first word that is not before the text; four letters lead to one only. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strncmp(list[mid], low, text_len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == WORDS_COUNT || strncmp(list[lo], low, text_len) != 0)
		return -1;
	word_len = strlen(list[lo]);
	return text_len == word_len || text_len >= 4 ? (int)lo : -1;
}

enum perr words_from_bytes(const char **words, uint16_t *idx, size_t n, const uint8_t *bytes,
                           size_t len)
{
	uint32_t acc = 0;
	unsigned n_bits = 0;
	size_t i, at = 0;

	if (n > len * 8 / WORDS_BITS)
		return PERR_RANGE;
	for (i = 0; i < n; i++) {
		unsigned word;

		while (n_bits < WORDS_BITS) {
			acc = acc << 8 | bytes[at++];
			n_bits += 8;
		}
		n_bits -= WORDS_BITS;
		word = acc >> n_bits & (WORDS_COUNT - 1);
		if (words != NULL)
			words[i] = list[word];
		if (idx != NULL)
			idx[i] = (uint16_t)word;
	}
	return PERR_OK;
}

enum perr words_phrase(char *out, size_t out_size, size_t n, const uint8_t *bytes, size_t len)
{
	const char *word;
	size_t i, at = 0, bit;

	if (out_size > 0)
		out[0] = 0;
	if (n > len * 8 / WORDS_BITS || out_size < WORDS_PHRASE_SIZE(n))
		return PERR_RANGE;
	for (i = 0; i < n; i++) {
		/* Ten bits lie in two neighbouring bytes. */
		bit = i * WORDS_BITS;
		word = list[((uint32_t)bytes[bit / 8] << 8 | bytes[bit / 8 + 1]) >>
		            (6 - bit % 8) & (WORDS_COUNT - 1)];
		if (i > 0)
			out[at++] = ' ';
		memcpy(out + at, word, strlen(word) + 1);
		at += strlen(word);
	}
	return PERR_OK;
}
