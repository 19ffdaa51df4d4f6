"""How many numbers and names of persons the masking rules find, and what they take for one by mistake.

The corpus is made anew on every run from a fixed seed. Nobody's data is in it: citizen numbers have area
codes that were never given out, mobile numbers a middle of zeros, names and cards are drawn by lot.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html import escape
from urllib.parse import quote

from mobile_pages.artifact import Artifact, Declaration, Fetch, StaticPart
from mobile_pages.spec import personal
from mobile_pages.spec.base import Profile, Verdict
from mobile_pages.spec.rules import masking, url_personal_data

SEED = 11643
EACH = 40
"""Samples of one kind in one place."""

_URL = "https://wsbs.example.gov.cn/m/cx.html"
_AREAS = ("990101", "980301", "000102", "999900")
_SEGMENTS = ("130", "135", "139", "147", "150", "158", "166", "173", "186", "189", "199")
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张"
_GIVEN = "明华建国秀英丽芳敏静伟强磊洋艳勇军杰娟涛超霞平刚桂"
_DAY = date(2016, 12, 1)
_FULL_WIDTH = str.maketrans("0123456789X", "0123456789X")


@dataclass(frozen=True, slots=True)
class Sample:
    """One text with a number or name in it.

    Attributes:
        place: name of the place it stands in.
        words: label and number or name, as a web editor would write them.
        personal: whether it is a person's.
    """

    kind: str
    place: str
    words: str
    personal: bool


@dataclass(slots=True)
class Count:
    """Samples of one kind by what the rules said."""

    told: int = 0
    asked: int = 0
    silent: int = 0

    @property
    def all(self) -> int:
        return self.told + self.asked + self.silent


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts by kind.

    ``precision`` is the share of persons' among what failed a page; ``recall`` the share of persons'
    that failed it or were put before a reviewer; ``false_questions`` the share of look-alikes that
    cost a reviewer a look.
    """

    persons: dict[str, Count]
    look_alikes: dict[str, Count]

    @property
    def precision(self) -> float:
        right = sum(one.told for one in self.persons.values())
        wrong = sum(one.told for one in self.look_alikes.values())
        return right / (right + wrong)

    @property
    def recall(self) -> float:
        kinds = self.persons.values()
        return sum(one.told + one.asked for one in kinds) / sum(one.all for one in kinds)

    @property
    def told_recall(self) -> float:
        """Share of persons' numbers that failed the page outright; names never do, so they are left out."""
        kinds = [one for kind, one in self.persons.items() if kind != "姓名"]
        return sum(one.told for one in kinds) / sum(one.all for one in kinds)

    @property
    def false_questions(self) -> float:
        kinds = self.look_alikes.values()
        return sum(one.asked for one in kinds) / sum(one.all for one in kinds)


def run() -> None:
    """Print precision and recall over the corpus, then every kind."""
    figures = measure()
    total = sum(one.all for one in (*figures.persons.values(), *figures.look_alikes.values()))
    print(f"masking rules over {total} generated samples, seed {SEED}:")
    print(f"  precision                 {figures.precision:7.2%}")
    print(f"  recall, failed or asked   {figures.recall:7.2%}")
    print(f"  recall of numbers, failed {figures.told_recall:7.2%}")
    print(f"  look-alikes asked about   {figures.false_questions:7.2%}")
    print(f"  {'':14}{'failed':>8}{'asked':>8}{'silent':>8}")
    for kinds in (figures.persons, figures.look_alikes):
        for kind, count in kinds.items():
            padding = " " * max(0, 14 - 2 * len(kind) + sum(one.isascii() for one in kind))
            print(f"  {kind}{padding}{count.told:8}{count.asked:8}{count.silent:8}")


def measure(each: int = EACH, seed: int = SEED) -> Figures:
    """Judge the corpus; the same seed gives the same figures."""
    persons: dict[str, Count] = {}
    look_alikes: dict[str, Count] = {}
    for sample in corpus(each, seed):
        count = (persons if sample.personal else look_alikes).setdefault(sample.kind, Count())
        verdict = _verdict(sample)
        if verdict is Verdict.FAIL:
            count.told += 1
        elif verdict is Verdict.NEEDS_REVIEW:
            count.asked += 1
        else:
            count.silent += 1
    return Figures(persons, look_alikes)


def corpus(each: int, seed: int) -> Iterator[Sample]:
    """Yield ``each`` samples of every kind in every place where it may stand."""
    chance = random.Random(seed)
    for kinds, is_personal in ((_PERSONS, True), (_LOOK_ALIKES, False)):
        for kind, (make, labels) in kinds.items():
            for place in _PLACES:
                if (kind, place) in _NEVER:
                    continue
                for _ in range(each):
                    yield Sample(kind, place, chance.choice(labels).format(make(chance)), is_personal)


# --- persons' --------------------------------------------------------------------------------------------
def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def _id_number(chance: random.Random) -> str:
    born = date(1930, 1, 1) + timedelta(days=chance.randrange(31_000))
    first = f"{chance.choice(_AREAS)}{born:%Y%m%d}{_digits(chance, 3)}"
    number = first + personal.check_digit(first)
    grouped = f"{number[:6]} {number[6:14]} {number[14:]}"
    return chance.choice([number, number, number.lower(), grouped, number.translate(_FULL_WIDTH)])


def _mobile(chance: random.Random) -> str:
    segment, tail = chance.choice(_SEGMENTS), _digits(chance, 4)
    plain = f"{segment}0000{tail}"
    written = [
        f"{segment} 0000 {tail}",
        f"{segment}-0000-{tail}",
        f"+86 {plain}",
        plain.translate(_FULL_WIDTH),
    ]
    return chance.choice([plain] * 3 + written)


def _card(chance: random.Random) -> str:
    first = f"62{_digits(chance, chance.choice([13, 16]))}"
    number = first + next(digit for digit in "0123456789" if _luhn(first + digit))
    in_fours = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    return chance.choice([number, number, in_fours])


def _luhn(number: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number)))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def _name(chance: random.Random) -> str:
    given = "".join(chance.choice(_GIVEN) for _ in range(chance.choice([1, 2, 2])))
    return chance.choice(_SURNAMES) + given


# --- look-alikes ------------------------------------------------------------------------------------------
def _moment(chance: random.Random) -> datetime:
    start = datetime(_DAY.year, _DAY.month, _DAY.day, 9, tzinfo=UTC)
    return start + timedelta(seconds=chance.randrange(30_000_000))


def _wrong_check_digit(chance: random.Random) -> str:
    number = _id_number(chance).replace(" ", "").upper()
    others = [one for one in "0123456789X" if one != number[-1]]
    return number[:-1] + chance.choice(others)


def _impossible_date(chance: random.Random) -> str:
    day = chance.choice(["19901301", "19850230", "20150431", "18701224", "19990900"])
    first = f"{chance.choice(_AREAS)}{day}{_digits(chance, 3)}"
    return first + personal.check_digit(first)


def _order_number(chance: random.Random) -> str:
    moment = _moment(chance)
    return chance.choice(
        [f"{moment:%Y%m%d%H%M%S}{_digits(chance, 4)}", f"440100{moment:%Y%m%d}{_digits(chance, 6)}"]
    )


def _key(chance: random.Random) -> str:
    """Return a database key: eighteen or nineteen digits that count upwards."""
    return str(chance.randrange(6 * 10**17, 7 * 10**18))


def _serial_eleven(chance: random.Random) -> str:
    return f"1{chance.choice('35789')}{_digits(chance, 9)}"


def _timestamp(chance: random.Random) -> str:
    moment = _moment(chance)
    return chance.choice(
        [
            f"{moment.timestamp() * 1000:.0f}",
            f"{moment.timestamp():.0f}",
            f"{moment:%Y%m%d%H%M%S}",
            f"{moment:%Y%m%d%H%M%S%f}"[:17],
        ]
    )


def _hash(chance: random.Random) -> str:
    long = "".join(chance.choice("0123456789abcdef") for _ in range(chance.choice([32, 40])))
    return chance.choice([long, f"{long[:8]}-{long[8:12]}-{long[12:16]}-{long[16:20]}-{long[20:32]}"])


def _filing(chance: random.Random) -> str:
    return chance.choice(
        [
            f"粤ICP备{_digits(chance, 8)}号-{chance.randrange(1, 9)}",
            f"粤公网安备 4401{_digits(chance, 10)}号",
            f"粤府办〔{chance.randrange(2010, 2020)}〕{chance.randrange(1, 200)}号",
        ]
    )


def _hotline(chance: random.Random) -> str:
    return chance.choice(["12345", "020-12345", "0755-12345", "400-000-0000", "12345转6", "110、119、120"])


def _credit_code(chance: random.Random) -> str:
    return f"1{chance.choice('12')}44{_digits(chance, 4)}MB{_digits(chance, 8)}"


def _item_code(chance: random.Random) -> str:
    return f"1144000000{_digits(chance, 6)}4{chance.randrange(10)}{_digits(chance, 14)}"


def _figure(chance: random.Random) -> str:
    return chance.choice(
        [
            f"{chance.randrange(10**9, 10**10) / 100:,.2f} 元",
            f"113.{_digits(chance, 11)},23.{_digits(chance, 11)}",
            f"0.1{chance.choice('35')}{_digits(chance, 9)}",
        ]
    )


def _other_card(chance: random.Random) -> str:
    number = f"62{_digits(chance, 17)}"
    while _luhn(number):
        number = f"62{_digits(chance, 17)}"
    return number


def _masked(chance: random.Random) -> str:
    return chance.choice(
        [f"9{'*' * 16}{chance.choice('0123456789X')}", f"139****{_digits(chance, 4)}", "62** **** **** 1234"]
    )


def _label_word(chance: random.Random) -> str:
    words = [
        "请输入",
        "不能为空",
        "证件号码",
        "联系电话",
        "查询条件",
        "必填",
        "*大友",
        "李*",
        "(必填)",
        "及金额",
    ]
    return chance.choice(words)


_Kinds = dict[str, tuple[Callable[[random.Random], str], tuple[str, ...]]]
_PERSONS: _Kinds = {
    "身份证号": (_id_number, ("身份证号:{}", "证件号码 {}", "{}", "idCard={}", "参保人 {} 已缴费")),
    "手机号": (_mobile, ("手机号:{}", "联系电话 {}", "mobile={}", "请致电:{}", "tel: {}", "王女士 {}")),
    "银行卡号": (_card, ("银行卡号:{}", "社保卡金融账户 {}", "cardNo={}", "工行 {}")),
    "姓名": (_name, ("姓名:{}", "参保人:{}", "申请人 {}", "姓名 {}")),
}
_LOOK_ALIKES: _Kinds = {
    "校验码不对": (_wrong_check_digit, ("业务编号:{}", "{}", "id={}")),
    "日期不存在": (_impossible_date, ("业务编号:{}", "{}", "id={}")),
    "订单号": (_order_number, ("订单号:{}", "受理号 {}", "orderId={}", "{}")),
    "十一位流水号": (_serial_eleven, ("流水号:{}", "受理编号 {}", "serialNo={}", "第 {} 号")),
    "数据库主键": (_key, ("id={}", "{}", "记录 {}")),
    "时间戳": (_timestamp, ("更新时间 {}", "timestamp={}", "v={}", "{}")),
    "散列值": (_hash, ("md5={}", "app.{}.js", "token: {}", "{}")),
    "备案号": (_filing, ("{}", "备案:{}")),
    "热线": (_hotline, ("咨询热线:{}", "电话 {}", "{}")),
    "信用代码": (_credit_code, ("统一社会信用代码:{}", "{}")),
    "事项编码": (_item_code, ("事项编码:{}", "itemCode={}", "{}")),
    "金额与坐标": (_figure, ("缴费 {}", "{}", "point={}")),
    "不合卡号": (_other_card, ("编号:{}", "{}", "no={}")),
    "已脱敏": (_masked, ("证件号码:{}", "手机号 {}", "银行卡号 {}")),
    "姓名栏": (_label_word, ("姓名:{}", "姓名 {}", "申请人:{}")),
}


# --- places -----------------------------------------------------------------------------------------------
def _page(body: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="zh-CN"><head><title>办件查询</title></head><body>{body}</body></html>'
    )


def _in_cells(words: str) -> str:
    label, colon, value = words.partition(":")
    if not colon:
        return f"<p>{escape(words)}</p>"
    return f"<dl><dt>{escape(label)}</dt><dd>{escape(value)}</dd></dl>"


def _in_hidden_field(words: str) -> str:
    # A field has its label as the name: idCard=… becomes name="idCard".
    name, equals, value = words.partition("=")
    named = (name, value) if equals else ("content", words)
    return f'<input type="hidden" name="{escape(named[0])}" value="{escape(named[1])}">'


def _in_link(words: str) -> str:
    name, equals, value = words.partition("=")
    query = f"{quote(name)}={quote(value)}" if equals else f"q={quote(words)}"
    return f'<a href="detail.html?{query}">详情</a>'


_PLACES: dict[str, Callable[[str], str]] = {
    "可见文字": lambda words: f"<p>{escape(words)}</p>",
    "表格": _in_cells,
    "注释": lambda words: f"<!-- {words} -->",
    "隐藏域": _in_hidden_field,
    "属性": lambda words: f'<div data-row="{escape(words)}">办件</div>',
    "脚本": lambda words: f"<script>var row = {json.dumps(words, ensure_ascii=False)};</script>",
    "网址": _in_link,
    "本地存储": lambda words: words,
}
# Names are told by the label before them, which only texts and addresses with a telling key have.
_NEVER = {("姓名", "网址"), ("姓名", "本地存储"), ("姓名栏", "网址"), ("姓名栏", "本地存储")}


def _verdict(sample: Sample) -> Verdict:
    written = _PLACES[sample.place](sample.words)
    if sample.place == "本地存储":
        # The value stays in the browser; the gatherer keeps what kinds of numbers are in it.
        return _stored(written)
    html = _page(written)
    entry = Fetch(requested_url=_URL, final_url=_URL, status=200, body=html)
    declaration = Declaration(name="办件查询", url=_URL, body_name="某市政务服务管理局", hotline="12345")
    artifact = Artifact(declaration, "2016-12-01T02:00:00+00:00", StaticPart(entry=entry))
    rules = (url_personal_data, masking) if sample.place == "网址" else (masking,)
    said = Counter(rule.judge(artifact, Profile.STANDARD).verdict for rule in rules)
    return next((one for one in (Verdict.FAIL, Verdict.NEEDS_REVIEW) if said[one]), Verdict.PASS)


def _stored(text: str) -> Verdict:
    hits = personal.find(f"row={text}")
    if any(hit.certain for hit in hits):
        return Verdict.FAIL
    return Verdict.NEEDS_REVIEW if hits else Verdict.PASS
