"""The lock file: packs that somebody has looked at are used, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from goodcommission import PackError, audit, load_packs
from goodcommission.cli import main
from goodcommission.packs.locking import NAME, Lock, LockedPack, differences, lock_of, read_lock

DOCUMENT = {"kind": "tender", "process": {"route": "open_tender"}, "term": {"months": 12}}


def pack(id: str = "north", version: str = "1.0.0", months: int = 24, rule: str = "NC-01") -> str:
    return f"""\
pack: {id}
version: {version}
title: North
sources: {{policy: {{title: Policy}}}}
rules:
  - id: {rule}
    title: Contracts are long
    asks: They are long.
    phase: procurement
    applies_to: [tender]
    severity: low
    strength: good-practice
    kind: direct
    require: term.months >= {months}
    finding: "{{term.months}} months."
    why: It is better.
    remedy: Longer.
    sources: [{{source: policy}}]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a document, a pack of one's own and a configuration that names it."""
    (tmp_path / "tender.json").write_text(json.dumps(DOCUMENT), "utf-8")
    (tmp_path / "north.yaml").write_text(pack(), "utf-8")
    (tmp_path / "goodcommission.toml").write_text('packs = ["north"]\nrules = ["north.yaml"]\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, status: int | None = 0) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert status is None or result.exit_code == status, result.output + result.stderr
    return result


def locked(text: str) -> dict[str, Any]:
    return {one["id"]: one for one in json.loads(text)["packs"]}


def test_the_lock_names_each_pack_with_its_version_digest_and_place(place: Path) -> None:
    (place / "goodcommission.toml").write_text('rules = ["north.yaml"]\n', "utf-8")
    said = run("packs", "lock").output
    found = locked((place / NAME).read_text("utf-8"))
    report = json.loads(run("audit", "tender.json", "--format", "json").output)
    for one in (*report["packs"], *report["laws"]):
        assert found[one["id"]]["digest"] == one["digest"]
        assert found[one["id"]]["version"] == one["version"]
    assert found["north"]["from"] == "north.yaml"
    assert {one["from"] for id, one in found.items() if id != "north"} == {"shipped"}
    assert {"common", "regimes"} <= found.keys(), "definitions decide as well"
    assert f"{NAME}: {len(found)} packs, locked" in said


def test_the_same_packs_give_the_same_bytes_from_wherever_it_is_called(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("packs", "lock")
    first = (place / NAME).read_bytes()
    (place / NAME).unlink()
    (place / "deeper").mkdir()
    monkeypatch.chdir(place / "deeper")
    run("packs", "lock")
    assert (place / NAME).read_bytes() == first
    assert run("packs", "lock", "--check").output.strip().endswith("as before")


def test_a_changed_pack_is_refused_with_what_was_expected_and_found_and_the_command(place: Path) -> None:
    run("packs", "lock")
    before = locked((place / NAME).read_text("utf-8"))["north"]["digest"]
    (place / "north.yaml").write_text(pack(months=6), "utf-8")
    for command in (("audit", "tender.json"), ("scan", "tender.json"), ("improve", "tender.json", "--target", "50")):
        said = run(*command, *(("--rules", "north.yaml") if command[0] == "scan" else ()), status=2).stderr
        found = re.findall("sha256:[0-9a-f]{64}", said)
        assert found[0] == before
        assert len(set(found)) == 2
        assert "north.yaml: this pack" in said and "(north 1.0.0)" in said
        assert "goodcommission packs lock accepts it" in said
    checked = run("packs", "lock", "--check", status=1)
    assert "changed: north 1.0.0, the version is the same (north.yaml)" in checked.output
    run("packs", "lock")
    run("audit", "tender.json")


def test_nothing_of_a_pack_that_is_not_locked_is_read_but_its_digest(place: Path) -> None:
    run("packs", "lock")
    (place / "north.yaml").write_text("pack: [not even a pack", "utf-8")
    said = run("audit", "tender.json", status=2).stderr
    assert "is not the one" in said and said.count("\n") == 1


def test_a_pack_that_is_not_in_the_lock_is_refused_and_all_are_named(place: Path) -> None:
    run("packs", "lock")
    for name in ("one", "two"):
        (place / f"{name}.yaml").write_text(pack(name, rule=f"{name.upper()}-01"), "utf-8")
    said = run("audit", "tender.json", "--rules", "one.yaml", "--rules", "two.yaml", status=2).stderr
    for name in ("one", "two"):
        assert f"{name}.yaml: this pack is not in {NAME}" in said
        assert f"goodcommission packs lock --rules {name}.yaml accepts it" in said


def test_a_shipped_pack_that_differs_is_refused(place: Path) -> None:
    run("packs", "lock")
    text = (place / NAME).read_text("utf-8")
    digest = locked(text)["common"]["digest"]
    (place / NAME).write_text(text.replace(digest, "sha256:" + "0" * 64), "utf-8")
    said = run("audit", "tender.json", status=2).stderr
    assert f'the pack "common" is not the one that {NAME} names' in said
    assert digest in said and "sha256:" + "0" * 64 in said
    with pytest.raises(PackError, match="common"):
        load_packs(["subcontracting"], lock=NAME)


def test_a_digest_counts_for_the_pack_that_it_names_and_no_other(place: Path) -> None:
    run("packs", "lock")
    text = (place / NAME).read_text("utf-8")
    (place / NAME).write_text(text.replace('"north"', '"south"'), "utf-8")
    assert "north.yaml" in run("audit", "tender.json", status=2).stderr


def test_a_locked_pack_may_be_moved(place: Path) -> None:
    run("packs", "lock")
    (place / "packs").mkdir()
    (place / "north.yaml").rename(place / "packs" / "north.yaml")
    (place / "goodcommission.toml").write_text('rules = ["packs"]\n', "utf-8")
    run("audit", "tender.json")
    assert "new: north" in run("packs", "lock", "--check", status=1).output


def test_packs_of_overrides_and_options_are_locked_too(place: Path) -> None:
    (place / "other.yaml").write_text(pack("other", rule="OT-01"), "utf-8")
    (place / "third.yaml").write_text(pack("third", rule="TH-01"), "utf-8")
    with (place / "goodcommission.toml").open("a") as file:
        file.write('[[overrides]]\npaths = ["grants/**"]\nrules = ["other.yaml"]\n')
    run("packs", "lock", "--rules", "third.yaml")
    assert {"north", "other", "third"} <= locked((place / NAME).read_text("utf-8")).keys()


def test_the_lock_is_found_without_a_configuration_and_passed_over_only_when_told(place: Path) -> None:
    (place / "goodcommission.toml").unlink()
    run("packs", "lock")
    (place / "below").mkdir()
    (place / "tender.json").rename(place / "below" / "tender.json")
    document = ("below/tender.json", "--rules", "north.yaml")
    assert "is not in goodcommission.lock" in run("audit", *document, status=2).stderr
    run("audit", *document, "--no-config")
    assert "is not in" in run("audit", *document, "--no-config", "--lock", NAME, status=2).stderr
    scan = ("scan", "below/tender.json", "--rules", "north.yaml")
    assert "is not in" in run(*scan, status=2).stderr
    assert "is not in" not in run(*scan, "--no-lock", status=None).stderr
    assert "together" in run(*scan, "--no-lock", "--lock", NAME, status=2).stderr


def test_the_configuration_may_name_another_lock_and_config_show_tells(place: Path) -> None:
    with (place / "goodcommission.toml").open("a") as file:
        file.write('lock = "packs.json"\n')
    assert "no such file" in run("audit", "tender.json", status=2).stderr
    run("packs", "lock", "--lock", "packs.json")
    run("audit", "tender.json")
    assert re.search(r"^lock +goodcommission.toml:3 +packs.json$", run("config", "show").output, re.MULTILINE)
    with (place / "goodcommission.toml").open("a") as file:
        file.write('[[overrides]]\npaths = ["grants/**"]\nlock = "none.json"\n')
    assert "can't differ by path" in run("audit", "tender.json", status=2).stderr


def test_a_saved_report_made_with_other_packs_passes_no_gate(place: Path) -> None:
    run("packs", "lock")
    run("audit", "tender.json", "--output", "report.json", "--format", "json")
    run("gate", "report.json", "--fail-on", "high")
    (place / "north.yaml").write_text(pack(version="2.0.0"), "utf-8")
    run("packs", "lock")
    said = run("gate", "report.json", "--fail-on", "high", status=2).stderr
    assert 'report.json: the pack "north" is not the one' in said and "version 2.0.0" in said
    run("gate", "report.json", "--fail-on", "high", "--no-config")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("<<<<<<< HEAD\n{}", "goodcommission.lock"),
        ("[]", "no lock file"),
        ('{"packs": []}', "no lock file"),
        ('{"goodcommission_lock": 2, "packs": []}', "another form"),
        ('{"goodcommission_lock": 1, "packs": {}}', "has the texts"),
        ('{"goodcommission_lock": 1, "packs": [{"id": "north"}]}', "has the texts"),
        (
            '{"goodcommission_lock": 1, "packs": [{"id": "a", "version": "1", "digest": "sha256:0", "from": ""}]}',
            "64 hexadecimal digits",
        ),
    ],
)
def test_a_lock_that_is_none_stops_everything_and_is_not_overwritten(place: Path, text: str, message: str) -> None:
    (place / NAME).write_text(text, "utf-8")
    for command in (("audit", "tender.json"), ("packs", "lock"), ("packs", "lock", "--check")):
        assert message in run(*command, status=2).stderr
    assert (place / NAME).read_text("utf-8") == text


def test_a_lock_that_is_a_link_to_nowhere_is_no_missing_lock(place: Path) -> None:
    (place / NAME).symlink_to("nowhere")
    assert "no such file" in run("audit", "tender.json", status=2).stderr


def test_check_says_where_there_is_no_lock(place: Path) -> None:
    assert "there is no lock file" in run("packs", "lock", "--check", status=1).stderr
    assert not (place / NAME).exists()


def test_from_python(place: Path) -> None:
    run("packs", "lock")
    packs = load_packs(["north"], rules=["north.yaml"], lock=NAME)
    assert audit(DOCUMENT, packs, tier="large").result("NC-01").verdict == "fail"
    (place / "north.yaml").write_text(pack(months=6), "utf-8")
    with pytest.raises(PackError, match="is not the one"):
        load_packs(rules=["north.yaml"], lock=NAME)
    assert load_packs(["north"], rules=["north.yaml"]).rules


def test_differences_name_what_is_new_gone_and_changed() -> None:
    def one(id: str, version: str, digit: str) -> LockedPack:
        return LockedPack(id, version, "sha256:" + digit * 64, f"{id}.yaml")

    before = Lock("x.lock", (one("a", "1.0.0", "1"), one("b", "1.0.0", "2")))
    after = Lock("x.lock", (one("b", "1.1.0", "3"), one("c", "1.0.0", "4")))
    assert [line.partition(" (")[0] for line in differences(before, after)] == [
        "gone: a 1.0.0",
        "changed: b 1.0.0 to 1.1.0",
        "new: c 1.0.0",
    ]
    assert differences(after, after) == ()


def test_what_is_written_can_be_read(place: Path) -> None:
    made = lock_of(["north.yaml"], NAME)
    (place / NAME).write_text(made.to_json(), "utf-8")
    assert read_lock(NAME) == made


def test_a_link_that_leads_out_of_a_folder_of_packs_is_refused(place: Path) -> None:
    folder = place / "theirs"
    folder.mkdir()
    (place / "secret.txt").write_text("password: hunter2\n", "utf-8")
    (folder / "pack.yaml").symlink_to(place / "secret.txt")
    said = run("audit", "tender.json", "--rules", "theirs", status=2).stderr
    assert "leads out of the folder" in said and "hunter2" not in said
    (folder / "pack.yaml").unlink()
    (folder / "real.yaml").write_text(pack("real", rule="RE-01"), "utf-8")
    (folder / "pack.yaml").symlink_to("real.yaml")
    assert "leads out" not in run("audit", "tender.json", "--rules", "theirs", status=None).stderr
