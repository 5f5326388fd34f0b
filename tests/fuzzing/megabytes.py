"""A megabyte of harm for each door, and what it costs: at most 2 s of one core and 500 MB, whatever it says.

``python tests/fuzzing/megabytes.py [--door NAME]`` measures all of them, each in a process of its own. The seconds are
those of the processor, so that a busy machine does not make a finding; the memory is that of the whole process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from fuzzing.doors import DOORS, sealed, warm

SIZE: Final = 1_000_000
MOST_SECONDS: Final = 2.0
MOST_OF_A_SCAN: Final = 6.0
"""A scan judges each notice and names each entry that is none: 70,000 notices of 14 bytes take 4 s, half a million numbers 3 s."""
MOST_BYTES: Final = 500_000_000
_CPU_LIMIT: Final = 12
_ALARM: Final = 300
"""Seconds on the wall, for what waits and works not."""
_AS_LIMIT: Final = 6_000_000_000
_THREADED: Final = ("scan", "api")
"""Their threads do not outlive a fork: they are begun in each process."""
_LONG: Final = "a" * SIZE


def _many(
    piece: str | Callable[[int], str], before: str = "", after: str = "", between: str = ",", size: int = SIZE
) -> bytes:
    """As many pieces as fit."""
    made, held, number = [], len(before) + len(after), 0
    while True:
        one = piece if isinstance(piece, str) else piece(number)
        held += len(one.encode()) + len(between)
        if held > size:
            return (before + between.join(made) + after).encode()
        made.append(one)
        number += 1


def _long(before: str, after: str, filler: str = "a") -> bytes:
    return (before + filler * ((SIZE - len(before) - len(after)) // len(filler.encode())) + after).encode()


# --- JSON and YAML as such ---------------------------------------------------------------------------------------

_TEXTS: Final[dict[str, Callable[[], bytes]]] = {
    "brackets": lambda: b"[" * SIZE,
    "braces": lambda: b'{"a":' * (SIZE // 5),
    "closed brackets": lambda: b"[" * (SIZE // 2) + b"]" * (SIZE // 2),
    "brackets of the depth allowed": lambda: _many("[" * 62 + "]" * 62, "[", "]"),
    "same name": lambda: _many('"a":1', "{", "}"),
    "same name on lines": lambda: _many('"a":1\n', "{", "}"),
    "same long name": lambda: _many(f'"{"a" * 5000}":1\n', "{", "}"),
    "same name in sections": lambda: _many('{"a":1,"a":2}\n', "[", "]"),
    "names": lambda: _many(lambda n: f'"a{n}":1', "{", "}"),
    "long names": lambda: _many(lambda n: f'"{n}{"b" * 1000}":1', "{", "}"),
    "names of middling length": lambda: _many(lambda n: f'"requirements{n:030}":1', "{", "}"),
    "a long name": lambda: _long('{"', '":1}'),
    "a long name of sections": lambda: _long('{"', '":{"a":1,"a":2,"b":1,"b":2}}'),
    "a long name of the same names": lambda: b'{"' + b"a" * 990_000 + b'":{' + b'"a":1,' * 1500 + b'"a":1}}',
    "a long name of many values": lambda: b'{"ocid":"o","' + b"a" * 20_000 + b'":[' + b"1," * 480_000 + b"1]}",
    "many long names of many values": lambda: (
        '{"ocid":"o",' + f'"{"a" * 990}":{{' * 50 + '"a":[' + "1," * 460_000 + "1]" + "}" * 51
    ).encode(),
    "a long text": lambda: _long('{"kind":"', '"}'),
    "a long text of control characters": lambda: b'{"kind":"' + b"\\u0001" * 160_000 + b'"}',
    "a long text not closed": lambda: _long('{"kind":"', ""),
    "a long number": lambda: _long('{"kind":', "}", "9"),
    "a long fraction": lambda: _long('{"kind":0.', "}", "9"),
    "a long exponent": lambda: _long('{"kind":1e', "}", "9"),
    "a long small exponent": lambda: _long('{"kind":1e-', "}", "9"),
    "a long word": lambda: _long('{"kind":', "}"),
    "numbers too large": lambda: _many("99999999999999999999", '{"kind":[', "]}"),
    "numbers too large on lines": lambda: _many("99999999999999999999\n", '{"kind":[', "]}"),
    "exponents": lambda: _many("1e999999", '{"kind":[', "]}"),
    "NaN": lambda: _many("NaN\n", '{"kind":[', "]}"),
    "half characters": lambda: _many('"\\ud800"', '{"kind":[', "]}"),
    "half characters in one text": lambda: b'{"kind":"' + b"\\ud800" * 160_000 + b'"}',
    "small numbers": lambda: _many("1", "[", "]"),
    "empty sections": lambda: _many("{}", "[", "]"),
    "empty texts": lambda: _many('""', "[", "]"),
    "space": lambda: b"{" + b" " * SIZE + b"}",
    "lines": lambda: b"{" + b"\n" * SIZE + b"}",
    "carriage returns": lambda: b"{" + b"\r" * SIZE + b"}",
    "carriage returns and the same name": lambda: _many('\r\n"a":1', "{", "}"),
    "commas": lambda: b"[" + b"," * SIZE,
    "quotes": lambda: b'"' * SIZE,
    "backslashes": lambda: b'{"a":"' + b"\\" * SIZE,
    "escapes": lambda: b'{"a":"' + b"\\n" * (SIZE // 2) + b'"}',
    "NUL": lambda: b"{      " + b"\x00" * SIZE,
    "no UTF-8": lambda: b"\xff" * SIZE,
    "no UTF-8 at the end": lambda: b'{"a": "' + b"a\n" * (SIZE // 2) + b"\xff",
    "wide characters": lambda: _long('{"kind":"', '"}', "😀"),
}
_YAML: Final[dict[str, Callable[[], bytes]]] = {
    "dashes": lambda: b"- " * (SIZE // 2),
    "dashes on lines": lambda: b"-\n" * (SIZE // 2),
    "question marks": lambda: b"? " * (SIZE // 2),
    "question marks on lines": lambda: b"?\n" * (SIZE // 2),
    "colons": lambda: b": " * (SIZE // 2),
    "indented": lambda: "\n".join(" " * n + f"a{n}:" for n in range(1380)).encode(),
    "anchors": lambda: _many(lambda n: f"- &a{n} b\n", between=""),
    "the same anchor": lambda: b"- &a b\n" * (SIZE // 7),
    "aliases": lambda: b"a: &a [x]\nb:\n" + b"- *a\n" * (SIZE // 5),
    "laughs": lambda: (
        b"a: &a [lol]\n" + _many(lambda n: f"a{n}: &a{n} [" + f"*a{n - 1 if n else ''}," * 9 + "]\n", between="")
    ),
    "merges": lambda: b"a: &a {x: 1}\nb:\n" + b"  <<: *a\n" * (SIZE // 9),
    "tags": lambda: b"- !!set x\n" * (SIZE // 10),
    "a long tag": lambda: _long("a: !", " x\n"),
    "a long anchor": lambda: _long("a: &", " x\n"),
    "documents": lambda: b"---\n" * (SIZE // 4),
    "directives": lambda: b"%YAML 1.1\n" * (SIZE // 10),
    "directives of tags": lambda: _many(lambda n: f"%TAG !a{n}! tag:x\n", between="", after="---\na: 1\n"),
    "a plain text of lines": lambda: b"a: b\n" + b" c\n" * (SIZE // 3),
    "a block": lambda: b"a: |\n" + b"  c\n" * (SIZE // 4),
    "a folded block": lambda: b"a: >\n" + b"  c\n\n" * (SIZE // 5),
    "a text in quotes of lines": lambda: b'a: "' + b"\n " * (SIZE // 2) + b'"',
    "comments": lambda: b"# c\n" * (SIZE // 4),
    "names on lines": lambda: _many(lambda n: f"a{n}: 1\n", between=""),
    "names without values": lambda: _many(lambda n: f"a{n}:\n", between=""),
    "the same name on lines": lambda: b"a: 1\n" * (SIZE // 5),
    "flow in a list": lambda: b"- [[[[[[[[[[]]]]]]]]]]\n" * (SIZE // 23),
    "flow names": lambda: b"{a, " * (SIZE // 4),
    "flow of pairs": lambda: _many("a: b", "[", "]"),
    "names of numbers": lambda: _many(lambda n: f"{n}: 1\n", between=""),
    "numbers of other bases": lambda: b"- 0xFFFFFFFFFFFFFFFFFFFF\n" * (SIZE // 25),
    "unclosed quotes": lambda: b"a: '" + b"x\n" * (SIZE // 2),
    "tabs": lambda: b"\t" * SIZE,
    "placeholders": lambda: b"- {{ a }}\n" * (SIZE // 10),
}


def _of_description(more: dict[str, Callable[[], bytes]]) -> dict[str, Callable[[], bytes]]:
    return {**_TEXTS, **more}


_KIND: Final = '{"kind":"tender",'
_DESCRIPTIONS: Final[dict[str, Callable[[], bytes]]] = {
    "unknown fields": lambda: _many(lambda n: f'"field{n}":1', _KIND, "}"),
    "unknown long fields": lambda: _many(lambda n: f'"{n}{"requirements" * 800}":1', _KIND, "}"),
    "unknown long sections": lambda: _long(_KIND + '"', '":{"a":1}}'),
    "lots": lambda: _many("{}", _KIND + '"lots":{"items":[', "]}}"),
    "lots with values": lambda: _many('{"value":{"amount":1,"currency":"GBP"}}', _KIND + '"lots":{"items":[', "]}}"),
    "lots that are wrong": lambda: _many("1", _KIND + '"lots":{"items":[', "]}}"),
    "lots with unknown fields": lambda: _many('{"x":1}', _KIND + '"lots":{"items":[', "]}}"),
    "lots that are null": lambda: _many("null", _KIND + '"lots":{"items":[', "]}}"),
    "insurance": lambda: _many('{"type":"x","amount":{"amount":1,"currency":"GBP"}}', _KIND + '"requirements":{"insurance":[', "]}}"),
    "insurance of one type": lambda: _many('{"type":"public_liability"}', _KIND + '"requirements":{"insurance":[', "]}}"),
    "criteria": lambda: _many(lambda n: f'{{"name":"c{n}","weight":0}}', _KIND + '"award":{"criteria":{"complete":true,"items":[', "]}}}"),
    "criteria of long weights": lambda: _many('{"name":"c","weight":1e-300}', _KIND + '"award":{"criteria":{"complete":true,"items":[', "]}}}"),
    "a long weight": lambda: _long(_KIND + '"award":{"criteria":{"complete":true,"items":[{"name":"c","weight":0.', "}]}}}", "3"),
    "evidence": lambda: _many(lambda n: '{"pointer":"/kind","document":"d"}', _KIND + '"evidence":[', "]}"),
    "evidence for nothing": lambda: _many(lambda n: f'{{"pointer":"/x{n}","document":"d"}}', _KIND + '"evidence":[', "]}"),
    "evidence for something deep": lambda: _long(_KIND + '"evidence":[{"document":"d","pointer":"', '"}]}', "/a"),
    "evidence that is wrong": lambda: _many("{}", _KIND + '"evidence":[', "]}"),
    "evidence with long texts": lambda: _many('{"pointer":"/kind","document":"' + "d" * 20000 + '"}', _KIND + '"evidence":[', "]}"),
    "evidence for lots": lambda: _many(lambda n: f'{{"pointer":"/lots/items/{n}","document":"d"}}', _KIND + '"lots":{"items":[' + ",".join(["{}"] * 20000) + ']},"evidence":[', "]}"),
    "a long title": lambda: _long(_KIND + '"title":"', '"}'),
    "a long title of spaces": lambda: _long(_KIND + '"title":"', '"}', " "),
    "a long title of brackets": lambda: _long(_KIND + '"title":"', '"}', "{{"),
    "a long title of line ends": lambda: b'{"kind":"tender","title":"' + b"\\n" * 490_000 + b'x"}',
    "a long title of accents": lambda: _long(_KIND + '"title":"x', '"}', "\u0301"),
    "a long name": lambda: _long(_KIND + '"commissioner":{"name":"', '"}}'),
    "a long date": lambda: _long(_KIND + '"timeline":{"tender_published":"', '"}}', "1"),
    "a long amount": lambda: _long(_KIND + '"value":{"total":{"amount":"', '","currency":"GBP"}}}', "1"),
    "a long amount in figures": lambda: _long(_KIND + '"value":{"total":{"amount":1.', ',"currency":"GBP"}}}', "1"),
    "a long currency": lambda: _long(_KIND + '"value":{"total":{"amount":1,"currency":"', '"}}}'),
    "a long reason": lambda: _long(_KIND + '"term":{"no_extension_reason":"', '"}}'),
    "listed reasons": lambda: _many('"r"', _KIND + '"lots":{"reasons_not_split":[', "]}}"),
    "documents": lambda: _many('"d"', '{"documents":[', "]}"),
}  # fmt: skip

# --- Notices -----------------------------------------------------------------------------------------------------

_RELEASE: Final = (
    '{"ocid":"ocds-a-1","id":"1","date":"2026-01-01T00:00:00Z","tag":["tender"],"tender":{"id":"t","title":"x",'
)
_NOTICES: Final[dict[str, Callable[[], bytes]]] = {
    "releases": lambda: _many(lambda n: f'{{"ocid":"o{n}"}}', '{"releases":[', "]}"),
    "releases of one process": lambda: _many(lambda n: f'{{"ocid":"o","id":"{n}","date":"2026-01-01T00:00:00Z","tag":["tender"]}}', '{"releases":[', "]}"),
    "releases of one process that differ": lambda: _many(lambda n: f'{{"ocid":"o","id":"{n}","date":"2026-01-01T00:00:{n % 60:02}Z","tag":["tender"],"tender":{{"id":"1","title":"{n}","lots":[{{"id":"{n}"}}]}}}}', '{"releases":[', "]}"),
    "releases with one id": lambda: _many('{"ocid":"o","id":"1","tag":["tender"]}', '{"releases":[', "]}"),
    "releases that are none": lambda: _many("1", '{"releases":[', "]}"),
    "records": lambda: _many(lambda n: f'{{"ocid":"o{n}"}}', '{"records":[', "]}"),
    "records with releases": lambda: _many(lambda n: f'{{"ocid":"o{n}","releases":[{{"ocid":"o{n}"}}]}}', '{"records":[', "]}"),
    "list of releases": lambda: _many(lambda n: f'{{"ocid":"o{n}"}}', "[", "]"),
    "lists in lists": lambda: _many("[" * 60 + '{"ocid":"o"}' + "]" * 60, "[", "]"),
    "packages in packages": lambda: ('{"releases":[' * 60 + '{"ocid":"o"}' + "]}" * 60).encode(),
    **{
        f"{what} of a tender": (lambda what=what, piece=piece: _many(piece, _RELEASE + f'"{what}":[', "]}}"))
        for what, piece in {
            "lots": lambda n: f'{{"id":"{n}","title":"l","value":{{"amount":1,"currency":"GBP"}}}}',
            "items": lambda n: f'{{"id":"{n}","classification":{{"scheme":"CPV","id":"{85000000 + n}"}},"relatedLot":"{n}"}}',
            "documents": lambda n: f'{{"id":"{n}","documentType":"x","title":"t","url":"u"}}',
            "milestones": lambda n: f'{{"id":"{n}","type":"x","dueDate":"2026-01-01T00:00:00Z"}}',
            "amendments": lambda n: f'{{"id":"{n}","date":"2026-01-01T00:00:00Z","rationale":"r"}}',
            "additionalProcurementCategories": lambda n: '"services"',
            "submissionMethod": lambda n: '"electronicSubmission"',
        }.items()
    },
    "lots with criteria": lambda: _many(lambda n: f'{{"id":"{n}","awardCriteria":{{"criteria":[{{"name":"a","type":"quality","numbers":[{{"number":50,"weight":"percentageExact"}}]}}]}}}}', _RELEASE + '"lots":[', "]}}"),
    "lots with one id": lambda: _many('{"id":"1","value":{"amount":1,"currency":"GBP"}}', _RELEASE + '"lots":[', "]}}"),
    "lots that are none": lambda: _many("1", _RELEASE + '"lots":[', "]}}"),
    "lots with dates": lambda: _many(lambda n: f'{{"id":"{n}","contractPeriod":{{"startDate":"2026-01-01T00:00:00+01:00","durationInDays":{n}}},"hasOptions":true,"renewal":{{"description":"x"}}}}', _RELEASE + '"lots":[', "]}}"),
    "items for lots": lambda: _many(lambda n: f'{{"id":"{n}","relatedLot":"{n % 5000}","additionalClassifications":[{{"scheme":"CPV","id":"85000000"}}],"deliveryAddresses":[{{"region":"UKC"}}]}}', _RELEASE + '"lots":[' + ",".join(f'{{"id":"{n}"}}' for n in range(5000)) + '],"items":[', "]}}"),
    "criteria": lambda: _many(lambda n: f'{{"type":"suitability","description":"minimum turnover of £{n}"}}', _RELEASE + '"selectionCriteria":{"criteria":[', "]}}}"),
    "a long title": lambda: _long(_RELEASE + '"description":"', '"}}'),
    "a long text of addresses": lambda: _long(_RELEASE + '"description":"', '"}}', "a."),
    "a long address": lambda: _long(_RELEASE + '"description":"', '@x"}}', "a.b"),
    "a long part after the sign": lambda: _long(_RELEASE + '"description":"a@', '"}}', "a-"),
    "signs": lambda: _long(_RELEASE + '"description":"', '"}}', "a@"),
    "signs and dots": lambda: _long(_RELEASE + '"description":"', '"}}', "@a."),
    "telephones": lambda: _long(_RELEASE + '"description":"', '"}}', "01 "),
    "telephone digits": lambda: _long(_RELEASE + '"description":"+44', '"}}', "0"),
    "telephone brackets": lambda: _long(_RELEASE + '"description":"', '"}}', "+44("),
    "spaces": lambda: _long(_RELEASE + '"description":"x', 'x"}}', " "),
    "control characters": lambda: (_RELEASE + '"description":"x' + "\\u0001" * 160_000 + 'x"}}').encode(),
    "numbers with separators": lambda: _long(_RELEASE + '"description":"', '"}}', "1,"),
    "sums of money": lambda: _long(_RELEASE + '"eligibilityCriteria":"', '"}}', "£1,000 "),
    "percentages": lambda: _long(_RELEASE + '"awardCriteriaDetails":"', '"}}', "10% "),
    "years and months": lambda: _long(_RELEASE + '"description":"', '"}}', "1 year 12 months "),
    "quality and price": lambda: _long(_RELEASE + '"awardCriteriaDetails":"', '"}}', "Quality 50 Price "),
    "a long date": lambda: _long('{"ocid":"o","date":"', '"}', "1"),
    "a long id": lambda: _long('{"ocid":"', '"}'),
    "parties": lambda: _many(lambda n: f'{{"id":"{n}","name":"P","roles":["buyer","tenderer","supplier"],"details":{{"scale":"sme","vcse":true}}}}', '{"ocid":"o","tag":["award"],"parties":[', "]}"),
    "parties with one id": lambda: _many('{"id":"1","roles":["tenderer"]}', '{"ocid":"o","parties":[', "]}"),
    "awards": lambda: _many(lambda n: f'{{"id":"{n}","status":"active","suppliers":[{{"id":"s{n}"}}],"relatedLots":["{n}"],"value":{{"amount":1,"currency":"GBP"}}}}', '{"ocid":"o","tag":["award"],"awards":[', "]}"),
    "awards and contracts": lambda: _many(lambda n: f'{{"id":"{n}","awardID":"{n % 4000}","status":"active","dateSigned":"2026-01-01","period":{{"startDate":"2026-01-01"}},"value":{{"amount":1,"currency":"GBP"}}}}', '{"ocid":"o","tag":["award"],"awards":[' + ",".join(f'{{"id":"{n}","suppliers":[{{"id":"s{n}"}}]}}' for n in range(8000)) + '],"contracts":[', "]}"),
    "suppliers and parties": lambda: _many(lambda n: f'{{"id":"s{n % 4000}"}}', '{"ocid":"o","tag":["award"],"parties":[' + ",".join(f'{{"id":"s{n}","details":{{"scale":"sme"}}}}' for n in range(8000)) + '],"awards":[{"id":"a","suppliers":[', "]}]}"),
    "bids": lambda: _many(lambda n: f'{{"id":"{n}","measure":"bids","value":1,"relatedLot":"{n}"}}', '{"ocid":"o","tag":["award"],"bids":{"statistics":[', "]}}"),
    "related processes": lambda: _many(lambda n: f'{{"id":"{n}","relationship":["framework"]}}', '{"ocid":"o","tag":["award"],"relatedProcesses":[', "]}"),
    "linked releases": lambda: _many(lambda n: f'{{"url":"u{n}","tag":["tender"]}}', '{"records":[{"ocid":"o","releases":[', "]}]}"),
    "tags": lambda: _many('"tender"', '{"ocid":"o","tag":[', "]}"),
    "versioned": lambda: _many(lambda n: f'{{"releaseID":"{n}","releaseDate":"2026-01-01","releaseTag":["x"],"value":"v"}}', '{"records":[{"ocid":"o","versionedRelease":{"ocid":"o","tender":{"title":[', "]}}}]}"),
}  # fmt: skip
_LINES: Final[dict[str, Callable[[], bytes]]] = {
    "lines of releases": lambda: _many(lambda n: f'{{"ocid":"o{n}"}}', between="\n"),
    "lines that are none": lambda: b"x\n" * (SIZE // 2),
    "lines that are no JSON": lambda: b'{"ocid":\n' * (SIZE // 9),
    "lines of numbers": lambda: b"1\n" * (SIZE // 2),
    "lines cut in two": lambda: b'{"ocid":"a"\n}\n' * (SIZE // 14),
    "lines of one process": lambda: b'{"ocid":"o","id":"1","tag":["tender"]}\n' * (SIZE // 39),
}

# --- What stands beside ------------------------------------------------------------------------------------------

_CASES: Final[dict[str, Callable[[], bytes]]] = {
    "documents that are not there": lambda: _many(lambda n: f"- x{n}.json\n", "case: c\ndocuments:\n", between=""),
    "one document": lambda: b"case: c\ndocuments:\n" + b"- tender.yaml\n" * (SIZE // 14),
    "documents that are wrong": lambda: b"case: c\ndocuments:\n" + b"- 1\n" * (SIZE // 4),
    "a long document": lambda: _long("case: c\ndocuments:\n- ", "\n"),
    "a deep document": lambda: _long("case: c\ndocuments:\n- ", "\n", "a/"),
    "a long way up": lambda: _long("case: c\ndocuments:\n- ", "x\n", "../"),
    "unknown fields": lambda: _many(lambda n: f"documentz{n}: 1\n", "case: c\ndocuments: [tender.yaml]\n", between=""),
    "a long case": lambda: _long("case: ", "\ndocuments: [tender.yaml]\n"),
    "a long title": lambda: _long("case: c\ntitle: ", "\ndocuments: [tender.yaml]\n"),
}
_ANSWER: Final = "- {question: q%s, answer: yes, by: a, on: 2026-01-01}\n"
_ANSWERS: Final[dict[str, Callable[[], bytes]]] = {
    "answers": lambda: _many(lambda n: _ANSWER % n, "answers:\n", between=""),
    "one answer": lambda: _many(_ANSWER % 1, "answers:\n", between=""),
    "answers that are wrong": lambda: b"answers:\n" + b"- 1\n" * (SIZE // 4),
    "answers with nothing": lambda: b"answers:\n" + b"- {}\n" * (SIZE // 5),
    "answers with unknown fields": lambda: _many(lambda n: f"- {{questionn{n}: 1}}\n", "answers:\n", between=""),
    "unknown fields": lambda: _many(lambda n: f"answerss{n}: 1\n", "answers: []\n", between=""),
    "an unknown long field": lambda: _long("answers: []\n", ": 1\n"),
    "a long question": lambda: _long("answers:\n- {answer: yes, by: a, on: 2026-01-01, question: ", "}\n"),
    "a long note": lambda: _long("answers:\n- {question: q, answer: yes, by: a, on: 2026-01-01, note: ", "}\n"),
    "a long day": lambda: _long("answers:\n- {question: q, answer: yes, by: a, on: '", "'}\n", "1"),
}
_TEMPLATES: Final[dict[str, Callable[[], bytes]]] = {
    "placeholders in lots": lambda: _many(lambda n: f'{{"value":{{"amount":"{{{{ p{n} }}}}","currency":"GBP"}}}}', '{"kind":"tender","lots":{"items":[', "]}}"),
    "one placeholder in lots": lambda: _many('{"value":{"amount":"{{ p }}","currency":"GBP"}}', '{"kind":"tender","lots":{"items":[', "]}}"),
    "placeholders where none can stand": lambda: _many(lambda n: f'"x{n}":"{{{{ p }}}}"', '{"kind":"tender",', "}"),
    "placeholders as entries": lambda: _many(lambda n: f'"{{{{ p{n} }}}}"', '{"kind":"tender","lots":{"items":[', "]}}"),
    "placeholders as reasons": lambda: _many(lambda n: f'"{{{{ p{n} }}}}"', '{"kind":"tender","requirements":{"insurance":[', "]}}"),
    "placeholders in a text": lambda: _long('{"kind":"tender","title":"', '"}', "{{ a }}"),
    "broken placeholders": lambda: _many(lambda n: f'"x{n}":"{{{{ p p }}}}"', '{"kind":"tender",', "}"),
    "opened placeholders": lambda: _long('{"kind":"tender","title":"{{', '"}', " "),
    "placeholders that nothing quotes": lambda: _many(lambda n: f"a{n}: {{{{ p }}}}\n", "kind: tender\n", between=""),
    "a placeholder that nothing quotes on each of many lines": lambda: b"kind: tender\n" + b"a: {{ p }}\n" * (SIZE // 11),
    "a long name": lambda: _long('{"kind":"tender","title":"{{ ', ' }}"}'),
}  # fmt: skip

# --- Packs -------------------------------------------------------------------------------------------------------

_PACK: Final = """\
pack: stranger
version: 1.0.0
title: t
about: a
extends: [proportionate-procurement]
sources:
  itself: {title: Itself, publisher: Nobody, year: 2020, kind: guidance}
"""
_RULE: Final = (
    "- {id: %s, title: t, asks: a, phase: procurement, applies_to: [tender, contract], severity: medium, strength: "
    'recommendation, kind: direct, require: %s, finding: f, why: w, remedy: r, sources: [{source: itself, section: "1"}]%s}\n'
)


def _pack(rules: Callable[[int], str] | str, before: str = "", size: int = SIZE) -> bytes:
    return _many(rules, _PACK + before + "rules:\n", between="", size=size)


def _one_rule(condition: str, more: str = "", before: str = "") -> bytes:
    return (_PACK + before + "rules:\n" + _RULE % ("HO-01", json.dumps(condition, ensure_ascii=False), more)).encode()


_PACKS: Final[dict[str, Callable[[], bytes]]] = {
    "rules": lambda: _pack(lambda n: _RULE % (f"HO-{n + 1:02}", '"term.months > 1"', "")),
    "rules with one id": lambda: _pack(_RULE % ("HO-01", '"term.months > 1"', "")),
    "rules that differ": lambda: _pack(lambda n: _RULE % (f"HO-{n + 1:02}", f'"term.months > {n}"', "")),
    "rules that do not compile": lambda: _pack(lambda n: _RULE % (f"HO-{n + 1:02}", '"term.monthz > 1"', "")),
    "rules with a syntax error": lambda: _pack(lambda n: _RULE % (f"HO-{n + 1:02}", '"term.months >"', "")),
    "some rules": lambda: _pack(lambda n: _RULE % (f"HO-{n + 1:02}", f'"term.months > {n} && lots.count > {n}"', ""), "", 180_000),
    "some rules that do not compile": lambda: _pack(lambda n: _RULE % (f"HO-{n + 1:02}", f'"term.monthz{n} > 1"', ""), "", 180_000),
    "some rules with one id": lambda: _pack(_RULE % ("HO-01", '"term.months > 1"', ""), "", 180_000),
    "some cases": lambda: _one_rule("term.months > 1", ", cases: [" + ",".join("{name: n%d, expect: pass, given: {term: {months: 2}}}" % n for n in range(900)) + "]"),
    "some cases that fail": lambda: _one_rule("term.months > 1", ", cases: [" + ",".join("{name: n%d, expect: fail, given: {term: {months: 2}}}" % n for n in range(900)) + "]"),
    "rules of long conditions": lambda: _pack(lambda n: _RULE % (f"HO-{n + 1:02}", '"' + " || ".join(f"term.months > {m}" for m in range(40)) + '"', "")),
    "some patterns": lambda: _many(lambda n: f"- {{id: X-{n + 900}, title: t, concludes: risk.r{n}, severity: high, phase: procurement, any_of: [{{rule: PP-01, verdict: fail}}], why: w, remedy: r, sources: [{{source: itself, section: '1'}}]}}\n", _PACK + "patterns:\n", between="", size=140_000),
    "a short chain of patterns": lambda: _many(lambda n: f"- {{id: X-{n + 900}, title: t, concludes: risk.r{n}, severity: high, phase: procurement, any_of: [{{pattern: X-{n + 901}}}], why: w, remedy: r, sources: [{{source: itself, section: '1'}}]}}\n", _PACK + "patterns:\n", between="", size=140_000),
    "some lets in a chain": lambda: _one_rule("l0 > 1", "", "let:\n" + "".join(f'  l{n}: {{is: "l{n + 1} + 1"}}\n' for n in range(200)) + '  l200: {is: "term.months"}\n'),
    "some lets that double": lambda: _one_rule("l0 > 1", "", "let:\n" + "".join(f'  l{n}: {{is: "l{n + 1} + l{n + 1}"}}\n' for n in range(12)) + '  l12: {is: "term.months"}\n'),
    "rules that are none": lambda: b"pack: stranger\nrules:\n" + b"- 1\n" * (SIZE // 4),
    "rules with nothing": lambda: b"pack: stranger\nrules:\n" + b"- {}\n" * (SIZE // 5),
    "rules with unknown fields": lambda: _many(lambda n: f"- {{titel{n}: 1}}\n", "pack: stranger\nrules:\n", between=""),
    "unknown fields": lambda: _many(lambda n: f"parameterz{n}: 1\n", _PACK, between=""),
    "unknown long fields": lambda: _many(lambda n: f"{n}{'parameters' * 300}: 1\n", _PACK, between=""),
    "cases": lambda: _one_rule("term.months > 1", ", cases: [" + ",".join("{name: n%d, expect: pass, given: {term: {months: 2}}}" % n for n in range(19000)) + "]"),
    "cases that fail": lambda: _one_rule("term.months > 1", ", cases: [" + ",".join("{name: n%d, expect: fail, given: {term: {months: 2}}}" % n for n in range(19000)) + "]"),
    "cases that are wrong": lambda: _one_rule("term.months > 1", ", cases: [" + ",".join("{name: n, expect: fail, given: {x: 1}}" for n in range(24000)) + "]"),
    "one large case": lambda: _one_rule("term.months > 1", ", cases: [{name: n, expect: pass, given: {lots: {items: [" + ",".join(["{}"] * 300_000) + "]}}}]"),
    "parameters": lambda: _pack("", "parameters:\n" + "".join(f"  p{n}: {{value: 1, unit: months, basis: guidance, why: w}}\n" for n in range(17000)), 0),
    "parameters without rules": lambda: _many(lambda n: f"  p{n}: {{value: 1, unit: months, basis: guidance, why: w}}\n", _PACK + "parameters:\n", between=""),
    "lets": lambda: _pack(_RULE % ("HO-01", '"l0 > 1"', ""), "let:\n" + "".join(f'  l{n}: {{is: "l{n + 1} + 1"}}\n' for n in range(20000)) + '  l20000: {is: "term.months"}\n', SIZE + 1000),
    "lets that double": lambda: _one_rule("l0 > 1", "", "let:\n" + "".join(f'  l{n}: {{is: "l{n + 1} + l{n + 1}"}}\n' for n in range(40)) + '  l40: {is: "term.months"}\n'),
    "lets in a chain": lambda: _one_rule("l0 > 1", "", "let:\n" + "".join(f'  l{n}: {{is: "l{n + 1} + 1"}}\n' for n in range(2000)) + '  l2000: {is: "term.months"}\n'),
    "lets in a circle": lambda: _one_rule("l0 > 1", "", "let:\n" + "".join(f'  l{n}: {{is: "l{(n + 1) % 20000} + 1"}}\n' for n in range(20000))),
    "sources": lambda: _many(lambda n: f"  s{n}: {{title: t, publisher: p, year: 2020, kind: guidance}}\n", _PACK, between=""),
    "changes": lambda: _many(lambda n: f"- {{rule: PP-{n:02}, severity: 'off', reason: r}}\n", _PACK + "changes:\n", between=""),
    "one change": lambda: _many("- {rule: PP-01, severity: 'off', reason: r}\n", _PACK + "changes:\n", between=""),
    "extends": lambda: _many("proportionate-procurement", "pack: stranger\nversion: 1.0.0\ntitle: t\nabout: a\nextends: [", "]\n"),
    "a sum": lambda: _one_rule("+".join(["term.months"] * 83_000) + " > 1"),
    "a sum of numbers": lambda: _one_rule("+".join(["1"] * 490_000) + " > 1"),
    "alternatives": lambda: _one_rule(" || ".join(["term.months > 1"] * 50_000)),
    "some alternatives": lambda: _one_rule(" || ".join(f"term.months > {n}" for n in range(300))),
    "alternatives of many facts": lambda: _one_rule(" || ".join(f"(lots.count > {n} && term.months < {n} && value.total > {n}.0)" for n in range(60))),
    "parentheses": lambda: _one_rule("(" * 490_000 + "true" + ")" * 490_000),
    "some parentheses": lambda: _one_rule("(" * 300 + "term.months > 1" + ")" * 300),
    "negations": lambda: _one_rule("!" * 980_000 + "true"),
    "choices": lambda: _one_rule("term.months > 1 ? true : " * 39_000 + "false"),
    "a long text": lambda: _one_rule("term.months > 1 || '" + "a" * 980_000 + "' == ''"),
    "a long list": lambda: _one_rule("term.months in [" + ",".join(["1"] * 480_000) + "]"),
    "a long name": lambda: _one_rule("a" * 980_000),
    "a long path": lambda: _one_rule(".".join(["a"] * 490_000)),
    "a long number": lambda: _one_rule("term.months > " + "9" * 980_000),
    "a condition that is no text": lambda: _one_rule("\x00" * 1000),
    "comprehensions": lambda: _one_rule("[1,2,3,4,5,6,7,8,9].all(a," * 12 + "a > 0" + ")" * 12),
    "wide comprehensions": lambda: _one_rule(("[" + ",".join(["1"] * 3000) + "].all(a,") * 3 + "a > 0" + ")" * 3),
    "a long finding": lambda: _one_rule("term.months > 1", ", cases: [], ", "").replace(b"finding: f", b"finding: " + b"f" * 980_000),
    "a finding of names": lambda: _one_rule("term.months > 1").replace(b"finding: f", b'finding: "' + b"{term.months} " * 70_000 + b'"'),
    "a finding of brackets": lambda: _one_rule("term.months > 1").replace(b"finding: f", b'finding: "' + b"{" * 980_000 + b'"'),
    "a finding of formulas": lambda: _one_rule("term.months > 1").replace(b"finding: f", b'finding: "' + b"{params.least} " * 65_000 + b'"'),
    "patterns": lambda: _many(lambda n: f"- {{id: X-{n:02}, title: t, concludes: risk.r{n}, severity: high, phase: procurement, any_of: [{{rule: PP-01, verdict: fail}}], why: w, remedy: r, sources: [{{source: itself, section: '1'}}]}}\n", _PACK + "patterns:\n", between=""),
    "a pattern of many members": lambda: (_PACK + "patterns:\n- {id: X-900, title: t, concludes: risk.r, severity: high, phase: procurement, any_of: [" + ",".join(["{rule: PP-01, verdict: fail}"] * 34_000) + "], why: w, remedy: r, sources: [{source: itself, section: '1'}]}\n").encode(),
    "a chain of patterns": lambda: _many(lambda n: f"- {{id: X-{n + 900}, title: t, concludes: risk.r{n}, severity: high, phase: procurement, any_of: [{{pattern: X-{n + 901}}}], why: w, remedy: r, sources: [{{source: itself, section: '1'}}]}}\n", _PACK + "patterns:\n", between=""),
    "tiers": lambda: _long("definitions: d\nversion: 1.0.0\ntitle: t\ntiers: {medium: '", "'}\n", "value.total > 1.0 || "),
}  # fmt: skip


# --- What goodcommission wrote -----------------------------------------------------------------------------------


@cache
def _raw() -> dict[str, Any]:
    from fuzzing.doors import saved

    raw: dict[str, Any] = json.loads(saved().to_json())
    return raw


def _report(change: Callable[[dict[str, Any]], object]) -> bytes:
    raw = json.loads(json.dumps(_raw()))
    change(raw)
    raw.pop("digest", None)
    return sealed(json.dumps(raw, ensure_ascii=False, indent=2)).encode()


def _fill(holder: Any, name: str, piece: Any, size: int = 900_000) -> None:
    holder[name] = [piece] * (size // len(json.dumps(piece, indent=2)))


def _small(change: Callable[[dict[str, Any]], object]) -> Callable[[], bytes]:
    """A report without most of its parts, so that there is room for one."""

    def made() -> bytes:
        def emptied(raw: dict[str, Any]) -> None:
            for name in ("results", "facts", "missing", "patterns", "logic", "parameters", "findings"):
                if name in raw:
                    raw[name] = raw[name][:1]
            change(raw)

        return _report(emptied)

    return made


_REPORTS: Final[dict[str, Callable[[], bytes]]] = {
    "as it is": lambda: _report(lambda raw: None),
    "reports that are none": lambda: _many("{}", "[", "]"),
    "reports of another version": lambda: _many('{"schema_version":"9"}', "[", "]"),
    "reports with nothing": lambda: _many('{"schema_version":"%s"}' % _raw()["schema_version"], "[", "]"),
    "unknown fields": lambda: _many(lambda n: f'"x{n}":1', '{"schema_version":"%s",' % _raw()["schema_version"], "}"),
    "results": _small(lambda raw: _fill(raw, "results", _raw()["results"][0])),
    "results that are none": _small(lambda raw: raw.update(results=[1] * 150_000)),
    "results with nothing": _small(lambda raw: raw.update(results=[{}] * 150_000)),
    "facts": _small(lambda raw: _fill(raw, "facts", _raw()["facts"][0])),
    "facts of one wrong kind": _small(lambda raw: _fill(raw, "facts", {**_raw()["facts"][0], "line": "5"})),
    "a long fact": _small(lambda raw: raw["facts"][0].update(name="a" * 900_000)),
    "a long value": _small(lambda raw: raw["facts"][0].update(value="a" * 900_000)),
    "a long list of values": _small(lambda raw: raw["facts"][0].update(value=["a"] * 90_000)),
    "facts of one title": _small(lambda raw: raw.update(facts=[{**_raw()["facts"][0], "name": f"a.b.c{n}"} for n in range(1800)])),
    "missing of other names": _small(lambda raw: raw.update(missing=[{**_raw()["missing"][0], "name": f"a.b.c{n}"} for n in range(1500)])),
    "missing": _small(lambda raw: _fill(raw, "missing", _raw()["missing"][0])),
    "patterns": _small(lambda raw: _fill(raw, "patterns", _raw()["patterns"][0])),
    "notes": _small(lambda raw: raw.update(notes=["n"] * 90_000)),
    "a long title": _small(lambda raw: raw["document"].update(title="t " * 450_000)),
    "a long name": _small(lambda raw: raw["document"].update(name="t" * 900_000)),
    "seals": lambda: b'"digest": "sha256:' + b'  "digest": "sha256:00"\n' * 40_000,
    "logic": _small(lambda raw: _fill(raw, "logic", _raw()["logic"][0])),
    "a long condition": _small(lambda raw: raw["logic"][0]["branches"][0].update(condition="(" * 450_000 + "true" + ")" * 450_000)),
    "a long sum": _small(lambda raw: raw["logic"][0]["branches"][0].update(condition=" + ".join(["1"] * 220_000) + " > 1")),
    "comprehensions": _small(lambda raw: raw["logic"][0]["branches"][0].update(condition="[1,2,3,4,5,6,7,8,9].all(a, " * 12 + "a > 0" + ")" * 12)),
    "lets that double": _small(lambda raw: raw["logic"][0].update(lets=[{"name": f"l{n}", "expression": f"l{n + 1} + l{n + 1}" if n < 60 else "1"} for n in range(61)])),
}  # fmt: skip
_KNOWN: Final = '{"document":"d","rule":"PP-01","fingerprint":"%s","first_seen":"2026-01-01"}'
_BASELINES: Final[dict[str, Callable[[], bytes]]] = {
    "findings": lambda: _many(lambda n: _KNOWN % f"{n:016x}", '{"baseline":1,"findings":[', "]}"),
    "one finding": lambda: _many(_KNOWN % ("0" * 16), '{"baseline":1,"findings":[', "]}"),
    "findings with nothing": lambda: _many("{}", '{"baseline":1,"findings":[', "]}"),
    "findings that are none": lambda: _many("1", '{"baseline":1,"findings":[', "]}"),
    "findings with unknown fields": lambda: _many(lambda n: f'{{"x{n}":1}}', '{"baseline":1,"findings":[', "]}"),
    "unknown fields": lambda: _many(lambda n: f'"x{n}":1', '{"baseline":1,', "}"),
    "a long rule": lambda: _long('{"baseline":1,"findings":[{"document":"d","fingerprint":"0000000000000000","first_seen":"2026-01-01","rule":"P-', '"}]}', "9"),
    "a rule of many figures": lambda: _long('{"baseline":1,"findings":[{"document":"d","fingerprint":"0000000000000000","first_seen":"2026-01-01","rule":"P-' + "9" * 5000 + '"}]}', "", " "),
}  # fmt: skip
_WAIVER: Final = '- {rule: PP-01, document: "%s", reason: r, owner: o, granted: 2026-10-01, expires: 2027-01-01}\n'
_WAIVERS: Final[dict[str, Callable[[], bytes]]] = {
    "waivers": lambda: _many(lambda n: _WAIVER % n, "waivers:\n", between=""),
    "waivers for all": lambda: _many(_WAIVER % "*", "waivers:\n", between=""),
    "waivers of unknown rules": lambda: _many(lambda n: (_WAIVER % "*").replace("PP-01", f"PP-{n}"), "waivers:\n", between=""),
    "waivers with nothing": lambda: b"waivers:\n" + b"- {}\n" * (SIZE // 5),
    "waivers that are none": lambda: b"waivers:\n" + b"- 1\n" * (SIZE // 4),
    "waivers with unknown fields": lambda: _many(lambda n: f"- {{ruled{n}: 1}}\n", "waivers:\n", between=""),
    "waivers that last": lambda: _many((_WAIVER % "*").replace("2027", "9999"), "waivers:\n", between=""),
    "unknown fields": lambda: _many(lambda n: f"waiverss{n}: 1\n", "waivers: []\n", between=""),
    "a long unknown field": lambda: _long("waivers: []\n", ": 1\n"),
    "a long pointer": lambda: _long('waivers:\n- {rule: PP-01, reason: r, owner: o, granted: 2026-10-01, expires: 2027-01-01, pointer: "', '"}\n', "/a"),
    "a long document of stars": lambda: _long('waivers:\n- {rule: PP-01, reason: r, owner: o, granted: 2026-10-01, expires: 2027-01-01, document: "', 'x"}\n', "*a"),
}  # fmt: skip
_CONFIGURATIONS: Final[dict[str, Callable[[], bytes]]] = {
    "settings": lambda: _many(lambda n: f"tierr{n} = 1\n", between=""),
    "one setting": lambda: b'tier = "large"\n' * (SIZE // 15),
    "tables": lambda: _many(lambda n: f"[t{n}]\n", between=""),
    "deep tables": lambda: _long("[", "a]\n", "a."),
    "dotted names": lambda: _long("", "a = 1\n", "a."),
    "brackets": lambda: _long("a = ", "", "["),
    "closed brackets": lambda: b"a = " + b"[" * 490_000 + b"]" * 490_000,
    "braces": lambda: _long("a = ", "", "{a="),
    "overrides": lambda: b'[[overrides]]\npaths = ["*"]\n' * (SIZE // 30),
    "overrides with nothing": lambda: b"[[overrides]]\n" * (SIZE // 14),
    "a long list": lambda: _many('"PP-01"', "packs = [", "]"),
    "a list that is wrong": lambda: _many("1", "packs = [", "]"),
    "a long text": lambda: _long('tier = "', '"\n'),
    "a long text of lines": lambda: _long('tier = """', '"""\n', "\n"),
    "a long number": lambda: _long("[gates]\nfail_under = ", "\n", "9"),
    "a long fraction": lambda: _long("[gates]\nfail_under = 1.", "\n", "9"),
    "a long name": lambda: _long("", " = 1\n"),
    "stars": lambda: _long('[[overrides]]\npaths = ["', 'x"]\ntier = "small"\n', "*a"),
    "two stars": lambda: _long('[[overrides]]\npaths = ["', 'x"]\ntier = "small"\n', "**/"),
    "many patterns": lambda: _many('"*a*b*c*"', "[[overrides]]\npaths = [", ']\ntier = "small"\n'),
    "parameters": lambda: _many(lambda n: f"p{n} = 1\n", "[parameters.proportionate-procurement]\n", between=""),
    "severities": lambda: _many(lambda n: f'PP-{n} = "low"\n', "[severities]\n", between=""),
    "bands": lambda: _many("{below = 1, is = 1}", '[parameters.proportionate-procurement]\nturnover_multiple = {reason = "r", bands = [', "]}\n"),
    "comments": lambda: b"# c\n" * (SIZE // 4),
    "quotes": lambda: b'"' * SIZE,
    "lines": lambda: b"\n" * SIZE,
    "carriage returns": lambda: b"\r\n" * (SIZE // 2),
}  # fmt: skip


def _requests(of: dict[str, Callable[[], bytes]], head: bytes) -> dict[str, Callable[[], bytes]]:
    return {f"{head.decode().strip()}{name}": (lambda one=one: head + one()[: SIZE - 100]) for name, one in of.items()}


_API: Final[dict[str, Callable[[], bytes]]] = {
    **_requests({name: _DESCRIPTIONS[name] for name in ("lots", "unknown fields", "evidence", "a long title", "lots that are wrong")}, b"#0,0,0\n"),
    **_requests({name: _DESCRIPTIONS[name] for name in ("lots with values", "evidence")}, b"#3,0,0\n"),
    **_requests({name: _NOTICES[name] for name in ("releases", "lots of a tender", "releases of one process that differ")}, b"#1,0,0\n"),
    **_requests({"releases": _NOTICES["releases"]}, b"#0,0,1\n"),
    **_requests({"lots of a tender": _NOTICES["lots of a tender"]}, b"#2,0,0\n"),
    "fields of a form": lambda: b"#4,4,0\n" + b"&".join([b"text=a"] * 130_000),
    "names of a form": lambda: b"#4,4,0\n" + _many(lambda n: f"t{n}=a", between="&"),
    "a field of a form": lambda: b"#4,4,0\ntext=" + b"a%0A" * 240_000,
    "parts": lambda: b"#4,3,0\n" + b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\na\r\n' * 13_000 + b"--x--\r\n",
    "heads of parts": lambda: b"#0,3,0\n--x\r\n" + b"A: b\r\n" * 160_000,
    "what-if": lambda: b"#5,4,0\ntext=kind%3A+tender&" + _many(lambda n: f"f{n}=1", between="&"),
}  # fmt: skip

INPUTS: Final[dict[str, dict[str, Callable[[], bytes]]]] = {
    "json": {**_TEXTS, **_DESCRIPTIONS},
    "yaml": {**_YAML, **_TEXTS, **_DESCRIPTIONS},
    "notices": {
        **_NOTICES,
        **{
            name: _TEXTS[name]
            for name in (
                "brackets",
                "same name",
                "numbers too large",
                "a long name of many values",
                "many long names of many values",
            )
        },
    },
    "scan": {**_NOTICES, **_LINES, **_TEXTS},
    "profile": {"unknown fields": lambda: _many(lambda n: f"  namee{n}: 1\n", "commissioner:\n", between="")},
    "case": _CASES,
    "answers": _ANSWERS,
    "template": {**_TEMPLATES, **_DESCRIPTIONS},
    "pack": {
        **_PACKS,
        **{name: _YAML[name] for name in ("dashes", "laughs", "names on lines", "names without values")},
    },
    "report": {**_REPORTS, **{name: _TEXTS[name] for name in ("brackets", "same name", "names", "small numbers")}},
    "verify": _REPORTS,
    "baseline": _BASELINES,
    "waivers": _WAIVERS,
    "configuration": _CONFIGURATIONS,
    "api": _API,
}


FOUND: Final[dict[str, tuple[str, ...]]] = {
    "json": ("same name in sections", "numbers too large"),
    "yaml": ("question marks on lines", "directives of tags", "evidence that is wrong"),
    "notices": ("releases", "releases of one process", "a long address", "suppliers and parties", "many long names of many values"),
    "case": ("a deep document",),
    "template": ("placeholders as entries", "broken placeholders"),
    "report": ("results with nothing", "a long list of values", "missing of other names"),
    "baseline": ("a rule of many figures",),
    "waivers": ("a long document of stars",),
    "configuration": ("settings", "deep tables", "closed brackets", "lines"),
}  # fmt: skip
"""What cost more than it may before it was mended."""


class Cost(NamedTuple):
    """What one input cost."""

    seconds: float
    bytes: int
    said: str
    """What went wrong; empty if nothing did."""
    most: float = MOST_SECONDS

    @property
    def fine(self) -> bool:
        """Whether it is within the promise."""
        return not self.said and self.seconds <= self.most and self.bytes <= MOST_BYTES


def cost(door: str, data: bytes) -> Cost:
    """What a door costs for this input, in a process of its own; the doors are to be warm."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        said = ""
        try:
            resource.setrlimit(resource.RLIMIT_AS, (_AS_LIMIT, _AS_LIMIT))
            resource.setrlimit(resource.RLIMIT_CPU, (_CPU_LIMIT, _CPU_LIMIT))
            signal.alarm(_ALARM)
            if door in _THREADED:
                warm([door])
            Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
            begun = time.process_time()
            try:
                DOORS[door](data)
            except BaseException as error:
                at = traceback.extract_tb(error.__traceback__)[-1]
                said = f"{type(error).__name__}: {str(error)[:200]} ({Path(at.filename).name}:{at.lineno})"
            spent = time.process_time() - begun
            os.write(write, json.dumps([spent, _peak(), said]).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    _, status, used = os.wait4(child, 0)
    if told:
        return Cost(*json.loads(told), most=MOST_OF_A_SCAN if door == "scan" else MOST_SECONDS)
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, f"its process ended with status {status}")


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def measured(inputs: dict[str, list[str]]) -> Iterator[tuple[str, str, Cost]]:
    """All inputs of some doors with their cost."""
    warm([door for door in inputs if door not in _THREADED])
    for door, names in inputs.items():
        for name in names:
            yield door, name, cost(door, INPUTS[door][name]())


def main() -> int:
    """Measure, and say which input costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--door", action="append", choices=list(INPUTS), help="By default all.")
    parser.add_argument(
        "--all", action="store_true", help="Show every input, not only those beyond a quarter of a limit."
    )
    parser.add_argument("--found", action="store_true", help="Only what cost too much before it was mended.")
    given = parser.parse_args()
    inputs = {door: list(FOUND.get(door, ()) if given.found else INPUTS[door]) for door in given.door or INPUTS}
    bad = total = 0
    for door, name, one in measured({door: names for door, names in inputs.items() if names}):
        total += 1
        bad += not one.fine
        if given.all or not one.fine or one.seconds > MOST_SECONDS / 4 or one.bytes > MOST_BYTES * 0.7:
            mark = "     " if one.fine else "FAIL "
            print(f"{mark}{door:<14} {one.seconds:6.2f} s {one.bytes / 1e6:6.0f} MB  {name}  {one.said}", flush=True)
    print(
        f"{total} inputs of up to 1 MB; {bad} beyond {MOST_SECONDS:g} s of a core or {MOST_BYTES / 1e6:.0f} MB, or with an error"
    )
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
