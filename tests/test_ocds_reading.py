"""The fast reading of notices: the same facts as the careful way, or none at all."""

from __future__ import annotations

import copy
import gzip
import inspect
import json
import pickle
import random
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_notices import mutate, tell

from goodcommission import read_documents
from goodcommission.description.facts import COMPLETE, GIVEN, dictionary, gather
from goodcommission.description.ocds import derivations, mapping
from goodcommission.description.ocds.reading import STATED, Reader
from goodcommission.exceptions import DescriptionError

HERE = Path(__file__).parent
FIXTURES = HERE / "fixtures" / "ocds"
EXAMPLES = HERE.parent / "examples" / "ocds"

LINES = gzip.decompress((FIXTURES / "uk-notices.jsonl.gz").read_bytes()).decode().splitlines()
FILES = [path.read_text("utf-8") for path in (*sorted(FIXTURES.glob("*.json")), *sorted(EXAMPLES.glob("*.json")))]
EVERYTHING = Reader(STATED)


def _releases(text: str, **options: Any) -> list[Any]:
    raw = json.loads(text, **options)
    return list(raw.get("releases", [raw]))


RELEASES = [release for text in (*LINES, *FILES) for release in _releases(text)]


def slowly(release: Any) -> dict[str, Any]:
    (document,) = read_documents(release)
    return dict(gather(document, "GBP").values)


def quickly_or_not(release: Any) -> bool:
    """Hold the fast reading against the careful one; say whether there was one."""
    before = copy.deepcopy(release)
    found = EVERYTHING.read(release)
    assert repr(release) == repr(before), "reading changed the notice"
    if found is None:
        return False
    assert found == slowly(release)
    types = {name: type(value) for name, value in found.items()}
    assert types == {name: type(value) for name, value in slowly(release).items()}
    return True


def base(name: str) -> str:
    return name.removesuffix(GIVEN).removesuffix(COMPLETE)


def release(**sections: Any) -> dict[str, Any]:
    plain = {"ocid": "ocds-h6vhtk-000001", "id": "1", "date": "2026-03-02T10:00:00Z", "tag": ["tender"]}
    return {**plain, "tender": {"id": "t"}, **sections}


def test_every_real_notice_is_read_fast_and_as_the_careful_way_reads_it() -> None:
    assert len(RELEASES) >= 134
    for one in RELEASES:
        assert quickly_or_not(one)


def test_numbers_are_the_same_as_those_of_the_text_itself() -> None:
    for text in (*LINES, *FILES):
        for fast, exact in zip(_releases(text), _releases(text, parse_float=Decimal), strict=True):
            assert EVERYTHING.read(fast) == slowly(exact)


def test_only_what_is_wanted_is_read() -> None:
    wanted = frozenset({"value.total", "award.criteria", "timeline.contract_notice", "lots.items"})
    reader = Reader(wanted)
    seen = set()
    for one in RELEASES:
        found = reader.read(one)
        assert found == {name: value for name, value in slowly(one).items() if base(name) in wanted | {"kind", "stage"}}
        seen |= set(found)
    assert {"value.total", "award.criteria.complete", "lots.items", "lots.items.complete", "kind", "stage"} <= seen


def test_a_reader_can_be_sent_to_another_process() -> None:
    reader = Reader(frozenset({"value.total", "process.route"}))
    sent = pickle.loads(pickle.dumps(reader))
    assert all(sent.read(one) == reader.read(one) for one in RELEASES)


def test_each_fact_alone_is_what_it_is_among_all() -> None:
    """No fact depends on others having been read before it."""
    readers = {name: Reader(frozenset({name})) for name in mapping.STATEMENTS}
    for one in RELEASES[::7]:
        whole = slowly(one)
        for name, reader in readers.items():
            expected = {key: value for key, value in whole.items() if base(key) in (name, "kind", "stage")}
            assert reader.read(one) == expected, name


def test_what_can_be_stated_is_in_the_dictionary_and_is_all_that_ever_is() -> None:
    assert {base(name) for name in STATED} == set(mapping.STATEMENTS)
    for name in mapping.STATEMENTS:
        assert (name + GIVEN in STATED) == dictionary()[name].may_be_none
    assert Reader.facts == STATED and {"award.criteria.complete", "lots.items.complete"} <= STATED
    for one in RELEASES:
        assert slowly(one).keys() <= STATED


def test_the_table_names_only_parts_that_there_are() -> None:
    text = Path(mapping.__file__).with_name("mapping.py").read_text("utf-8")
    parts = re.findall(r'derived\("([\w.]+)"', text)
    assert len(parts) > 50
    for part in parts:
        name, _, member = part.partition(".")
        there = vars(derivations.Reading)[name]
        assert inspect.isdatadescriptor(there) or (callable(there) and not member)
        assert not member or hasattr(derivations.Term(), member)


DEEP: dict[str, Any] = {}
for _ in range(62):
    DEEP = {"a": DEEP}
HISTORY = [{"releaseID": "1", "releaseDate": "2", "releaseTag": [], "value": "x"}]


@pytest.mark.parametrize(
    "unusual",
    [
        [],
        None,
        "text",
        {},
        {"tag": ["tender"], "tender": {}},
        release(ocid=5),
        release(ocid=" "),
        release(kind="tender"),
        {"releases": [release()]},
        release(releases=[release()]),
        release(records=[]),
        {"ocid": "ocds-h6vhtk-1", "compiledRelease": release()},
        release(versionedRelease={}),
        release(tender={"title": HISTORY}),
        release(extra=DEEP),
        release(extra=[[1]]),
        # What contradicts itself, so that validation leaves a part of it out.
        release(tender={"value": {"amount": 5000, "amountGross": 4000, "currency": "GBP"}}),
        release(
            tender={
                "value": {"amount": 5000, "currency": "GBP"},
                "minValue": {"amount": 6000, "currency": "GBP"},
            }
        ),
        release(tender={"enquiryPeriod": {"endDate": "2026-03-01"}}),
        release(bids={"statistics": [{"measure": "bids", "value": 1}, {"measure": "smeBids", "value": 2}]}),
    ],
)
def test_what_is_unusual_is_left_to_the_careful_way(unusual: Any) -> None:
    assert EVERYTHING.read(unusual) is None


def test_what_contradicts_itself_is_no_hindrance_where_it_is_not_wanted() -> None:
    whole, least = ({"amount": amount, "currency": "GBP"} for amount in (5000, 6000))
    one = release(tender={"value": whole, "minValue": least})
    found = Reader(frozenset({"value.total"})).read(one)
    assert found == {"kind": "tender", "stage": "published", "value.total": 5000.0}
    assert "value.minimum" not in slowly(one) and slowly(one)["value.total"] == 5000.0


def test_an_amount_in_another_currency_is_absent() -> None:
    one = release(tender={"value": {"amount": 5000, "currency": "EUR"}})
    assert quickly_or_not(one) and "value.total" not in (EVERYTHING.read(one) or {})


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, len(RELEASES) - 1), st.integers(0, 2))
def test_odd_and_telling_notices_are_read_the_same_way_or_not_at_all(seed: int, pick: int, way: int) -> None:
    random_ = random.Random(seed)
    one: Any = RELEASES[pick] if random_.random() < 0.7 else release()
    if way:
        one = tell(one, random_)
    if way != 1:
        one = mutate(one, random_)
    try:
        slowly(one)
    except DescriptionError:
        assert EVERYTHING.read(one) is None
    else:
        quickly_or_not(one)
