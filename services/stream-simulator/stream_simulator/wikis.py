"""The wikis and how often each one changes, in the proportions of the live stream."""

from typing import NamedTuple


class Wiki(NamedTuple):
    domain: str
    name: str
    """The database name, for example `enwiki`."""
    share: int
    """Events of this wiki in a thousand."""
    script: str = "latin"
    """How its titles are written; see `names`."""


ENGLISH = Wiki("en.wikipedia.org", "enwiki", 120)
COMMONS = Wiki("commons.wikimedia.org", "commonswiki", 262, "file")

WIKIS = (
    ENGLISH,
    COMMONS,
    Wiki("www.wikidata.org", "wikidatawiki", 205, "item"),
    Wiki("fr.wikipedia.org", "frwiki", 42),
    Wiki("de.wikipedia.org", "dewiki", 36),
    Wiki("ru.wikipedia.org", "ruwiki", 28, "cyrillic"),
    Wiki("es.wikipedia.org", "eswiki", 25),
    Wiki("it.wikipedia.org", "itwiki", 24),
    Wiki("zh.wikipedia.org", "zhwiki", 23, "han"),
    Wiki("ar.wikipedia.org", "arwiki", 22, "arabic"),
    Wiki("ja.wikipedia.org", "jawiki", 20, "kana"),
    Wiki("en.wiktionary.org", "enwiktionary", 20),
    Wiki("uk.wikipedia.org", "ukwiki", 17, "cyrillic"),
    Wiki("pl.wikipedia.org", "plwiki", 16),
    Wiki("pt.wikipedia.org", "ptwiki", 15),
    Wiki("nl.wikipedia.org", "nlwiki", 13),
    Wiki("fa.wikipedia.org", "fawiki", 13, "arabic"),
    Wiki("sv.wikipedia.org", "svwiki", 12),
    Wiki("he.wikipedia.org", "hewiki", 11, "hebrew"),
    Wiki("cs.wikipedia.org", "cswiki", 10),
    Wiki("tr.wikipedia.org", "trwiki", 9),
    Wiki("vi.wikipedia.org", "viwiki", 9),
    Wiki("id.wikipedia.org", "idwiki", 8),
    Wiki("ca.wikipedia.org", "cawiki", 8),
    Wiki("simple.wikipedia.org", "simplewiki", 6),
    Wiki("meta.wikimedia.org", "metawiki", 6),
    Wiki("fr.wiktionary.org", "frwiktionary", 6),
    Wiki("en.wikisource.org", "enwikisource", 5),
    Wiki("test.wikipedia.org", "testwiki", 3),
    Wiki("en.wikinews.org", "enwikinews", 3),
    Wiki("ten.wikipedia.org", "tenwiki", 3),  # ends like the English one: a match by substring counts it
)
