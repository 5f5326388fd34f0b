"""The public functions refuse what they can't use with an error of ours, whatever it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import goodcommission
from goodcommission import DescriptionError, EngineError, Fault, PackError, audit, load_packs

TENDER = {"kind": "tender", "stage": "published"}


def test_every_public_name_is_there() -> None:
    assert all(getattr(goodcommission, name) is not None for name in goodcommission.__all__)
    with pytest.raises(AttributeError, match="no attribute 'adit'"):
        goodcommission.adit  # noqa: B018


def test_an_unknown_engine_is_refused() -> None:
    unknown: Any = "fast"
    with pytest.raises(EngineError, match='there is no engine "fast"; there are auto, durable, reference'):
        audit(TENDER, engine=unknown)


def test_a_day_is_a_date() -> None:
    day: Any = "2026-11-20"
    with pytest.raises(DescriptionError, match="as_of is a day"):
        audit(TENDER, as_of=day)


def test_an_unknown_pack_is_refused_with_the_nearest() -> None:
    with pytest.raises(PackError, match="Did you mean subcontracting"):
        load_packs(["subcontractin"])


def test_a_report_says_with_which_code_it_was_made() -> None:
    one, other = audit(TENDER, engine="reference"), audit({"kind": "contract"}, engine="reference")
    assert one.engine.digest == other.engine.digest
    assert len(one.engine.digest) == len("sha256:") + 64


def test_a_fault_is_one_sentence_with_its_place_and_advice() -> None:
    fault = Fault("this is wrong.", "a.json", 3, 7, "/value", "Write it otherwise.")
    assert str(fault) == "a.json:3:7: this is wrong (at /value). Write it otherwise."
    assert str(Fault("this is wrong")) == "this is wrong"


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match="there is no such file"):
        audit(tmp_path / "none.json")


@pytest.mark.parametrize("placeholder", ["{{ months }}", "${months}", "<<months>>"])
def test_a_template_is_told_to_be_one(placeholder: str) -> None:
    with pytest.raises(DescriptionError, match="audit a template with --template"):
        audit({**TENDER, "term": {"months": placeholder}})


def test_a_release_without_its_ocid_is_told_what_it_lacks() -> None:
    with pytest.raises(DescriptionError, match="this OCDS release has no `ocid`"):
        audit({"id": "1", "date": "2026-01-01T00:00:00Z", "tag": ["tender"], "tender": {}})
