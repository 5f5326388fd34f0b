"""What the doors are given: the shipped examples, and what becomes of them when somebody means harm.

`mutated` is driven by a `random.Random` alone, so that hypothesis, atheris and a seed on the command line all use it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml
from fuzzing.doors import CONDITION_PACK, DOORS

from goodcommission.packs.loading import shipped_folder

CORPUS: Final = Path(__file__).with_name("corpus")
_MOST_SEED: Final = 150_000

TEXTS: Final = (
    "", " ", "\x00", "\x1b[31m", "\u202eabc", "\ufeff", "\ud800", "\U0010ffff", "\u2028", "a\nb\r\n\tc", "none", "null",
    "true", "yes", "NaN", "-", "?", "tbc", "{{ name }}", "{{", "{0}", "{x!r:>999}", "%s%n", "${x}", "<<x>>", "<script>",
    "]]>", "=cmd|' /C calc'!A0", "../../../etc/passwd", "/dev/stdin", "-", "a" * 5000, "\u0301" * 500, "((((a+)+)+)+)$",
    "1e999", "1_000", "0x1F", "010", "2026-02-30", "0000-00-00", "0001-01-01", "9999-12-31", "2026-11-21T23:59:60Z",
    "2026-11-21T10:00:00+99:00", "10000-01-01", "-0001-01-01", "P1Y", "12/31/2026", "£1,000,000", "100%", "GBP", "XXX",
    "gbp", "term.months", "value.total", "params.least", "PP-01", "PP-999", "procurement_act_2023", "tender", "contract",
    "decommissioning_plan", "grant_programme", "/value/total", "/lots/items/0", "~", "~2", "//", "#/", "*", "&a", "<<",
    "!!python/object:os.system", "planning", "planned", "active", "complete", "cancelled", "ocds-x-1", "https://x.y/z?q",
    "__class__", "constructor", "items", "complete", "kind", "évaluation", "日本語", "😀", "ß" * 300, "İ", "\x85", "\xa0",
)  # fmt: skip
WRITTEN: Final = (
    "1e999", "-1e999", "1e-999", "1E+99999999999", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "1" + "0" * 400, "0." + "0" * 400 + "1", "1e308", "1e15", "-0", "-0.0", "0.1", "1.0", "36", "-1", "2147483647", "NaN",
    "Infinity", "-Infinity", "1.", ".5", "01", "+1", "1,000", "true", "false", "null", "None", "1e1", "99999999999999999",
    "0.30000000000000004", "12345678901234567890.12345", "2.2250738585072014e-308", "5e-324", "100", "0", "1", "3652059",
    '"\\ud800"', '"\\u0000"', '"\\x"', "'a'", "// no", "*a", "&a [*a]", "!!binary aGk=", "{}", "[]", "{", "]",
)  # fmt: skip
PIECES: Final = (
    b"\xef\xbb\xbf", b"\x00", b"\xff", b"\xed\xa0\x80", b"\r", b"\n", b"\r\n", b"\t", b"---\n", b"...\n", b"&a ", b"*a",
    b"<<: *a\n", b"!!set ", b"? ", b": ", b"- ", b"|\n", b">-\n", b"{", b"}", b"[", b"]", b",", b":", b'"', b"'", b"#",
    b"\\", b"\\u", b"\\ud800", b"%YAML 9.9\n", b"{{ x }}", b"/*", b"\xc2\x85", b"\xe2\x80\xa8", b"1e999", b"NaN",
    b"[" * 70, b"{\"a\":" * 70, b"- " * 70, b"\xf4\x8f\xbf\xbf", b"\x1b[2J", b"\xe2\x80\xae",
)  # fmt: skip


class Written(str):
    """A value as it is to stand in the text, whatever it says."""


class Pairs(list[tuple[str, Any]]):
    """An object whose names may come twice."""


# --- Seeds -------------------------------------------------------------------------------------------------------


def _files(*patterns: str) -> tuple[bytes, ...]:
    examples = shipped_folder("examples")
    found = [path for pattern in patterns for path in sorted(examples.glob(pattern))]
    return tuple(data for path in found if len(data := path.read_bytes()) <= _MOST_SEED)


def _as_json(data: bytes) -> bytes:
    return json.dumps(yaml.safe_load(data), default=str, ensure_ascii=False).encode()


CONDITIONS: Final = (
    b"term.months >= 12", b"given(term.months)", b"lots.items.exists(one, one.title != '')", b"[1, 2].all(x, x > 0)",
    b"term.months / (term.months - 36) > 1", b"term.months % 0 == 1", b"'a'.matches('(a+)+$')", b"size('a') + 1 == 2",
    b"commissioner.name.contains('x') ? true : false", b"date('2026-01-01') < timeline.tender_published",
    b"term.months in [12, 24]", b"!(value.total > 1000.0) || false", b"has(term.months)", b"{'a': 1}['b'] == 1",
    b"9223372036854775807 + term.months > 0", b"double(term.months) / 0.0 > 1.0", b"term.months.map(x, x)",
    b"[[1]].exists(a, a.exists(b, b == term.months))", b"string(term.months) == '1'", b"int('x') > 0", b"true", b"null",
    b"timestamp('2026-01-01T00:00:00Z') < timestamp('x')", b"duration('1s') > duration('')", b"b'\\xff' == b''",
    b"competitive && annual_value >= params.medium_tier_from", b"least > params.least", b"'\\u0000' == ''",
)  # fmt: skip

_ANSWERS: Final = b"""answers:
  - question: Q-1
    answer: yes
    by: A. Reader, clerk
    on: 2026-11-01
    note: It is so.
    evidence: {document: Minutes, page: 3}
"""
_WAIVERS: Final = b"""waivers:
  - rule: PP-01
    document: "*"
    reason: It was agreed.
    owner: A. Reader
    granted: 2026-10-01
    expires: 2027-01-01
"""
_PROFILE: Final = b"""commissioner:
  name: Wexmoor County Council
  level: local
evidence:
  - {pointer: /commissioner/name, document: Website, url: "https://example.org"}
"""
_CONFIGURATION: Final = b"""rules = ["own"]
packs = ["proportionate-procurement"]
as_of = 2026-11-21
tier = "large"
require_evidence = true
[gates]
fail_under = 60
fail_on = "high"
never_fail = ["PP-01"]
[parameters.proportionate-procurement]
turnover_multiple = {value = 1.5, reason = "ours"}
[severities]
PP-05 = {severity = "off", reason = "ours"}
[[outputs]]
format = "json"
file = "a.json"
[[overrides]]
paths = ["*.yaml"]
tier = "small"
"""


@cache
def seeds(name: str) -> tuple[bytes, ...]:
    """Sound input of a door, and what was found there before."""
    kept = tuple(path.read_bytes() for path in sorted((CORPUS / name).glob("*")) if path.is_file())
    return (*_SEEDS[name](), *kept)


def _packs() -> tuple[bytes, ...]:
    text = (Path(__file__).parents[2] / "docs" / "own-pack.md").read_text("utf-8")
    rules = shipped_folder("rules")
    shipped = (rules / "nhs-provider-selection-regime.yaml", rules / "regimes.yaml", rules / "common.yaml")
    sample = re.search(r"```yaml north-council.yaml\n(.*?)```", text, re.DOTALL)
    assert sample is not None
    first = sample[1].replace("pack: north-council", "pack: stranger").encode()
    return (first, CONDITION_PACK.replace("@@", "term.months > 12").encode(), *(path.read_bytes() for path in shipped))


def _reports() -> tuple[bytes, ...]:
    from fuzzing.doors import DAY, saved

    import goodcommission

    whole = saved().to_json().encode()
    packs = goodcommission.load_packs(["scotland"])
    small = goodcommission.audit(
        {"kind": "tender", "value": {"total": {"amount": 1, "currency": "GBP"}}}, packs, as_of=DAY
    )
    return small.to_json().encode(), whole


def _baseline() -> tuple[bytes, ...]:
    from fuzzing.doors import DAY, saved

    from goodcommission.baselines import create

    return (create([saved()], DAY).to_json().encode(),)


def _requests() -> tuple[bytes, ...]:
    found = [b"#0,0,0,tier=small&pack=subcontracting\n" + _SEEDS["json"]()[0]]
    found += [b"#%d,1,%d\n" % (path, path) + _files("contract.yaml")[0] for path in range(9)]
    part = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="a.yaml"\r\n\r\n%s\r\n'
    document, commissioner = part % (b"document", _files("contract.yaml")[0]), part % (b"commissioner", _PROFILE)
    found.append(b"#0,3,0\n" + document + commissioner + b"--x--\r\n")
    found.append(b"#4,3,0\n" + part % (b"file", _files("contract.yaml")[0]) + b"--x--\r\n")
    found.append(b"#4,4,0\ntext=kind%3A+tender%0D%0A&name=a.yaml&tier=small&as_of=2026-11-20&packs=1")
    found.append(
        b"#6,4,0\ntext=kind%3A+tender%0D%0Avalue%3A+%7Btotal%3A+none%7D&name=a.yaml&term.months=12&fact=term.months"
    )
    return tuple(found)


def _lines() -> tuple[bytes, ...]:
    import gzip

    notices = gzip.decompress((Path(__file__).parents[1] / "fixtures" / "ocds" / "uk-notices.jsonl.gz").read_bytes())
    lines = [line for line in notices.splitlines(keepends=True) if len(line) < 8000]
    return b"".join(lines[:4]), b"".join(lines[40:43]), *_files("ocds/*.json")[:3]


_SEEDS: Final[dict[str, Callable[[], tuple[bytes, ...]]]] = {
    "json": lambda: (*_files("tender.json"), *map(_as_json, _files("*.yaml"))),
    "yaml": lambda: _files("*.yaml", "law/*.yaml"),
    "notices": lambda: _files("ocds/*.json"),
    "scan": _lines,
    "profile": lambda: (_PROFILE,),
    "case": lambda: _files("case/case.yaml"),
    "answers": lambda: (_ANSWERS,),
    "template": lambda: _files("templates/*.yaml"),
    "pack": _packs,
    "condition": lambda: CONDITIONS,
    "report": _reports,
    "verify": _reports,
    "baseline": _baseline,
    "waivers": lambda: (_WAIVERS,),
    "configuration": lambda: (_CONFIGURATION,),
    "api": _requests,
}
assert _SEEDS.keys() == DOORS.keys()


# --- Mutations ---------------------------------------------------------------------------------------------------

_JSON: Final = frozenset({"json", "notices", "scan", "report", "verify", "baseline"})
_YAML: Final = frozenset({"yaml", "profile", "case", "answers", "template", "pack", "waivers"})


def mutated(name: str, data: bytes, random: Random, most: int = 1_000_000) -> bytes:
    """The bytes with some changes; in a structured text most of them are made to its values."""
    if name == "condition":
        return _in_condition(data, random)[:4000]
    head = b""
    if name == "api" and data.startswith(b"#"):
        head, _, data = data.partition(b"\n")
        head = b"#%d,%d,%d" % (random.randrange(9), random.choice((0, 1, 1, 2, 3, 4)), random.randrange(7))
        head += (
            random.choice((b"", b",tier=small", b",pack=none", b",as_of=9999-12-31", b",target=1e999", b",%00=%ff"))
            + b"\n"
        )
    changed = None
    if (name in _JSON | _YAML or name == "api") and random.random() < 0.85:
        changed = _in_tree(name, data, random)
    if changed is not None:
        data = changed
    if changed is None or random.random() < 0.3:
        for _ in range(random.choice((1, 1, 2, 5))):
            data = _in_bytes(data, random)
    return (head + data)[:most]


def _in_tree(name: str, data: bytes, random: Random) -> bytes | None:
    lines = None
    try:
        if name == "scan" and b"\n" in data.strip():
            lines = data.split(b"\n")
            at = random.randrange(len(lines))
            tree = _tree(json.loads(lines[at]))
        elif name in _YAML:
            tree = _tree(_plain_yaml(data))
        else:
            tree = _tree(json.loads(data))
    except (ValueError, RecursionError, yaml.YAMLError):
        return None
    try:
        for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
            tree = _changed(tree, random)
        text = _block(tree, random) if name in _YAML and random.random() < 0.5 else _flow(tree)
    except (RecursionError, ArithmeticError, ValueError):  # too deep or too large to be written by us
        return None
    made = text.encode("utf-8", "surrogatepass")
    if lines is not None:
        lines[at] = made.replace(b"\n", b" ")
        made = b"\n".join(lines)
    return made


class _Loader(yaml.CSafeLoader):
    """Dates stay as they are written."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, found) for tag, found in some if not tag.endswith((":timestamp", ":merge"))]
    for first, some in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _plain_yaml(data: bytes) -> Any:
    return yaml.load(data, Loader=_Loader)


def _tree(value: Any) -> Any:
    if isinstance(value, dict):
        return Pairs((str(key), _tree(child)) for key, child in value.items())
    if isinstance(value, list):
        return [_tree(child) for child in value]
    return value


def _nodes(tree: Any) -> list[tuple[Any, int]]:
    """The places in a tree: each as its holder and its number there."""
    found: list[tuple[Any, int]] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            for number in range(len(node)):
                found.append((node, number))
                pending.append(node[number][1] if isinstance(node, Pairs) else node[number])
    return found


def _get(holder: Any, number: int) -> Any:
    return holder[number][1] if isinstance(holder, Pairs) else holder[number]


def _put(holder: Any, number: int, value: Any) -> None:
    holder[number] = (holder[number][0], value) if isinstance(holder, Pairs) else value


def _changed(tree: Any, random: Random) -> Any:
    nodes = _nodes(tree)
    if not nodes or random.random() < 0.01:
        return _hostile(random)
    holder, number = random.choice(nodes)
    value = _get(holder, number)
    kind = random.randrange(14)
    if kind == 0:
        del holder[number]
    elif kind == 1:
        holder.insert(random.randrange(len(holder) + 1), holder[number])
    elif kind in (2, 3, 4):
        _put(holder, number, _hostile(random))
    elif kind == 5:  # from elsewhere
        other, at = random.choice(nodes)
        _put(holder, number, _copied(_get(other, at)))
    elif kind == 6:  # to elsewhere
        others = [one for one in nodes if isinstance(one[0], Pairs)]
        if others:
            other, _ = random.choice(others)
            other.append((random.choice(("x", _name(nodes, random))), _copied(value)))
    elif kind == 7 and isinstance(holder, Pairs):
        holder[number] = (random.choice((random.choice(TEXTS), _name(nodes, random))), value)
    elif kind == 8:
        _put(
            holder,
            number,
            random.choice(([value], Pairs([("items", [value])]), Pairs([("complete", True), ("items", [value])]))),
        )
    elif kind == 9:
        _put(
            holder,
            number,
            [value] * random.choice((0, 2, 3, 50))
            if not isinstance(value, list) or not value
            else value * random.choice((2, 9)),
        )
    elif kind == 10:
        for _ in range(random.choice((10, 60, 70, 200))):
            value = [value] if random.random() < 0.5 else Pairs([("a", value)])
        _put(holder, number, value)
    elif kind == 11 and isinstance(value, str):
        _put(holder, number, _in_text(value, random))
    elif kind == 12 and isinstance(value, int | float) and not isinstance(value, bool):
        _put(
            holder,
            number,
            random.choice((-value, value + 1, value * 10**9, value / 7, str(value), Written(random.choice(WRITTEN)))),
        )
    else:
        random.shuffle(holder)
    return tree


def _name(nodes: list[tuple[Any, int]], random: Random) -> str:
    names = [holder[number][0] for holder, number in nodes if isinstance(holder, Pairs)]
    return random.choice(names) if names else "kind"


def _copied(value: Any) -> Any:
    if isinstance(value, Pairs):
        return Pairs((name, _copied(child)) for name, child in value)
    return [_copied(child) for child in value] if isinstance(value, list) else value


def _hostile(random: Random) -> Any:
    return random.choice(
        (
            None, True, False, 0, -1, 1, 36, 0.5, [], Pairs(), [None], [[]], Pairs([("", None)]),
            random.choice(TEXTS), random.choice(TEXTS), Written(random.choice(WRITTEN)), Written(random.choice(WRITTEN)),
            Pairs([("amount", Written(random.choice(WRITTEN))), ("currency", random.choice(("GBP", "EUR", "x")))]),
            f"{random.choice((1, 999, 1066, 1900, 2024, 2025, 2026, 9999)):04d}-{random.randrange(14):02d}-{random.randrange(33):02d}",
        )
    )  # fmt: skip


def _in_text(text: str, random: Random) -> str:
    at = random.randrange(len(text) + 1)
    return random.choice(
        (text[:at] + random.choice(TEXTS) + text[at:], text[at:], text[:at], text * 3, text.upper(), text[::-1])
    )


def _flow(tree: Any) -> str:
    if isinstance(tree, Pairs):
        return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{_flow(child)}" for name, child in tree) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(_flow, tree)) + "]"
    return str(tree) if isinstance(tree, Written) else json.dumps(tree, ensure_ascii=False, default=str)


def _block(tree: Any, random: Random, indent: int = 0) -> str:
    space = "  " * indent
    if isinstance(tree, Pairs) and tree:
        return "".join(f"\n{space}{_key(name)}: {_block(child, random, indent + 1)}" for name, child in tree)
    if isinstance(tree, list) and tree and not isinstance(tree, Pairs):
        return "".join(f"\n{space}- {_block(child, random, indent + 1).lstrip()}" for child in tree)
    if (
        isinstance(tree, str)
        and not isinstance(tree, Written)
        and random.random() < 0.3
        and tree.isprintable()
        and tree
    ):
        return tree
    return _flow(tree)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[a-z_A-Z][\w-]*", name) else json.dumps(name, ensure_ascii=False)


def _in_bytes(data: bytes, random: Random) -> bytes:
    at, to = sorted((random.randrange(len(data) + 1), random.randrange(len(data) + 1)))
    to = min(to, at + random.choice((1, 4, 30, 400)))
    kind = random.randrange(6)
    if kind == 0:
        return data[:at] + data[to:]
    if kind == 1:
        return data[:to] + data[at:to] * random.choice((1, 2, 20)) + data[to:]
    if kind == 2:
        return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
    if kind == 3:
        return data[:at]
    if kind == 4:
        return data[:at] + random.choice(TEXTS).encode("utf-8", "surrogatepass") + data[at:]
    return data[:at] + random.choice(PIECES) + data[at:]


_TOKENS: Final = (
    *(piece.decode() for piece in CONDITIONS), "(", ")", "[", "]", "{", "}", "&&", "||", "!", "?", ":", ",", ".", "+", "-",
    "*", "/", "%", "==", "!=", "<", ">=", " in ", "true", "false", "null", "0", "1", "-1", "9223372036854775807", "1e308",
    "0.0", "''", "'a'", "'\\n'", "r'\\d+'", "b''", "term.months", "value.total", "lots.items", "commissioner.name",
    "term.start", "as_of", "params.least", "competitive", ".size()", ".exists(x, x)", ".all(x, true)", ".map(x, x)",
    ".filter(x, true)", ".exists_one(x, x)", ".contains('a')", ".startsWith('')", ".matches('.*')", "given(", "size(",
    "has(", "date(", "int(", "double(", "string(", "type(", "dyn(", "x", "funding.mechanism", "'grant'", "timestamp(",
    "#", "//", "\n", "\x00", "\ud800", "é", "in", "if", "u", "1u", "0x7fffffffffffffff", "-9223372036854775808",
)  # fmt: skip


def _in_condition(data: bytes, random: Random) -> bytes:
    text = data.decode("utf-8", "replace")
    for _ in range(random.choice((1, 1, 2, 4, 10))):
        kind = random.randrange(5)
        at, to = sorted((random.randrange(len(text) + 1), random.randrange(len(text) + 1)))
        if kind == 0:
            text = text[:at] + random.choice(_TOKENS) + text[at:]
        elif kind == 1:
            text = text[:at] + text[to:]
        elif kind == 2:
            text = (
                f"({text}) {random.choice(('&&', '||', '+', '==', '<', 'in', '? true :'))} ({random.choice(_TOKENS)})"
            )
        elif kind == 3:
            wrap, times = (
                random.choice((("!(", ")"), ("(", ")"), ("[", "]"), ("[1,2].all(a, ", ")"), ("-(", ")"))),
                random.choice((1, 3, 40)),
            )
            text = wrap[0] * times + text + wrap[1] * times
        else:
            text = text[:at] + random.choice(_TOKENS) + text[to:]
    return text.encode("utf-8", "replace")
