"""Made-up words, people and titles in several scripts, drawn from a seeded generator."""

from random import Random

ODD_TITLES = (
    "<script>alert(1)</script>",
    "مدينة الرياح القديمة",
    '🦊 Fox & 🐻 Bear: “The "Long" Way Home”',
    "Rock 'n' Roll & R&B <b>live</b>",
    "ספר הרוח והים",
    "Ångström’s C++ / C# 50% \\ back\\slash",
    "The Exceptionally " + "Long " * 45 + "Chapter",
    "?title=Main Page&action=raw#top",
    "=SUM(1+1)",
    "' OR 1=1 --",
    "\u202eeltit desrever",
    "e\u0301toile 👩‍👩‍👧‍👦",
    "NULL",
)
"""Titles that break careless code: markup, right-to-left text, emoji, 250 characters, quotes, formulas."""

ODD_USERS = (
    '"><img src=x onerror=alert(1)>',
    "2001:db8:85a3:8d3:1319:8a2e:370:7348",
    "2001:DB8:0:0:0:0:0:2A",
    "203.0.113.77",
    "~2026-10417-3",
    "~2026-3391-54",
    "مستخدم الليل",
    "O'Brien & Söhne",
    "user\twith\ttabs",
    "🦉",
)

ODD_COMMENTS = (
    "",
    "/* History */ copyedit",
    "Reverted edits by [[Special:Contributions/203.0.113.77|203.0.113.77]]",
    '<img src="x" onerror="alert(1)"> & "quotes"',
    "imported from https://en.wikipedia.org/wiki/Main_Page",
    "line\nbreak\ttab \u2028 separator",
    "تعديل طفيف",
    "🎉" * 20,
    "long " * 95,
)
"""Comments that are empty, long, or hold markup, line breaks, another wiki's domain."""

_SYLLABLES = {
    "latin": "ba ber bor cas cor dan del dor el fal gar hal il ka kel lan lin lor ma mar mel mon nor ol par "
    "pel ran ros sal sen sol tal tam tor ul val ven wes zan",
    "cyrillic": "ба бор вел вол гор гра до дон ер жан зар ка ков ла лин лу мар мир ник но ол пет рад ро сев",
    "arabic": "با بن تا جا حا دا را سا شا عا فا قا كا لا ما نا ها وا يا ري مي لو نو",
    "hebrew": "בא בר גל דו הר זי חן טל כר לב מי נו סל עד פל צו קר רם שי תל",
    "han": "山 河 海 城 北 南 东 西 大 小 明 清 文 学 史 地 铁 站 路 区 人 民 花 树 星 天",
    "kana": "ア イ カ キ サ シ タ ナ ハ マ ヤ ラ ン 山 川 駅 町 東 西 本 学 の",
}
_VOCABULARY = {
    "ending": "ia|burg|ton|ville|a|o|en|stad|ford|wick|es|heim|mar",
    "given name": "Ada|Amara|Anton|Beatriz|Boris|Carla|Chen|Dmitri|Elena|Farid|Greta|Hana|Igor|Ines|Jonas|"
    "Kenji|Lena|Malik|Marta|Nadia|Oscar|Priya|Rafael|Rosa|Samir|Sofia|Tomas|Uma|Viktor|Wanjiru|Yusuf|Zofia",
    "thing": "river|railway|film|novel|album|bridge|museum|painter|cricketer|language|party|beetle|opera",
    "event": "Open|Grand Prix|World Cup qualification|general election|Film Festival|floods|Marathon",
    "subject": "lighthouses|mayors|bridges|birds|composers|tramways|castles|volcanoes|chess players|songs",
}
_WORDS = {kind: words.split("|") for kind, words in _VOCABULARY.items()}


class Names:
    """A stream of names; the same generator state yields the same names."""

    def __init__(self, random: Random, script: str = "latin") -> None:
        self._random = random
        self._script = script
        self._syllables = _SYLLABLES.get(script, _SYLLABLES["latin"]).split()

    def word(self) -> str:
        """A made-up proper name."""
        syllables = "".join(self._random.choices(self._syllables, k=self._random.randint(2, 3)))
        if self._script in _SYLLABLES and self._script != "latin":
            return syllables.capitalize()
        return syllables.capitalize() + self._pick("ending")

    def person(self) -> str:
        given = self._pick("given name") if self._script == "latin" else self.word()
        return f"{given} {self.word()}"

    def title(self) -> str:
        """The title of an article or a file, as its script (or kind of wiki) would have it."""
        if self._script == "file":
            place = self.word()
            return f"File:{place} {self._pick('thing')} ({self._random.randint(1, 9999):04}).jpg"
        if self._script != "latin":
            return " ".join(self.word() for _ in range(self._random.randint(1, 3)))
        return self._english_title()

    def entity(self) -> tuple[int, str]:
        """The namespace and title of a page of Wikidata: mostly an item, else a lexeme or a property."""
        kind = self._random.randrange(20)
        if kind == 0:
            return 120, f"Property:P{self._random.randint(6, 14_000)}"
        if kind < 3:
            return 146, f"Lexeme:L{self._random.randint(1, 1_500_000)}"
        return 0, f"Q{self._random.randint(1000, 139_000_000)}"

    def category(self) -> str:
        if self._script in ("latin", "file", "item"):
            subject = self._pick("subject").capitalize()
            return f"Category:{subject} in {self.word()}"
        return f"Category:{self.word()} {self.word()}"

    def user(self) -> str:
        form = self._random.randrange(5)
        if form == 0:
            number = self._random.randint(100_000, 9_999_999)
            return f"~{self._random.randint(2025, 2026)}-{number // 100}-{number % 100}"
        if form == 1:
            return f"{self.word()}{self._random.randint(1, 99)}"
        return self.person() if form == 2 else self.word()

    def _pick(self, kind: str) -> str:
        return self._random.choice(_WORDS[kind])

    def _english_title(self) -> str:
        year = self._random.randint(1890, 2026)
        place = self.word()
        match self._random.randrange(9):
            case 0 | 1 | 2:
                return self.person()
            case 3:
                return f"{max(year, 1990)} {place} {self._pick('event')}"
            case 4:
                return f"List of {self._pick('subject')} in {place}"
            case 5:
                return f"{place} ({self._pick('thing')})"
            case 6:
                return f"{place} railway station"
            case 7:
                return f"Deaths in {year}" if self._random.random() < 0.1 else f"{year} in {place}"
            case _:
                return f"{place} F.C."
