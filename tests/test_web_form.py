"""The questions on the web, and what if: the same audit as the library, and nothing that comes back is trusted."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from fastapi.testclient import TestClient
from starlette.datastructures import FormData

from goodcommission import audit, load_packs, read_description
from goodcommission.description.facts import Fact, dictionary
from goodcommission.description.model import Kind
from goodcommission.description.writing import as_written
from goodcommission.exceptions import GoodCommissionError
from goodcommission.packs.loading import shipped_folder
from goodcommission.quick_check import AnswerError, QuickCheck
from goodcommission.report.wording import score_words
from goodcommission.web import what_if
from goodcommission.web.app import create_app
from goodcommission.web.fields import LEFT, Entry, entry_of, meaning
from goodcommission.web.forms import could_settle
from goodcommission.web.service import AuditOptions, Service

EXAMPLES = shipped_folder("examples")
PAGE = {"accept": "text/html"}
OF_KIND: dict[Kind, str] = {
    "tender": "tender.json",
    "contract": "contract.yaml",
    "grant_programme": "grant-programme.yaml",
    "decommissioning_plan": "decommissioning-plan.yaml",
}
HOSTILE = "<script>window.pwned=1</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with TestClient(create_app()) as client:
        yield client


def today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def hidden(text: str, name: str) -> str:
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)">', text)
    assert found, name
    return html.unescape(found.group(1))


def state(text: str) -> dict[str, str]:
    """What the page would send back of itself."""
    return {name: hidden(text, name) for name in ("so_far", "passed", "trail", "page", "shown")}


def held(raw: Mapping[str, Any], name: str) -> Any:
    here: Any = raw
    for part in name.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return LEFT
        here = here[part]
    return here


def entered(fact: Fact, value: Any) -> dict[str, Any]:
    """A value as a person enters it."""
    if value is LEFT or value is None:
        return {f"value:{fact.name}": "?"} if fact.type in ("bool", "enum") else {f"mark:{fact.name}": "unknown"}
    entry = entry_of(fact, value)
    if entry.none:
        return {f"mark:{fact.name}": "none"}
    sent: dict[str, Any] = {f"all:{fact.name}": entry.all} if entry.all else {}
    for number, row in enumerate(entry.rows):
        sent |= {f"cell:{fact.name}:{number}:{part}": text for part, text in row.items()}
    if entry.chosen:
        sent[f"value:{fact.name}"] = list(entry.chosen)
    elif entry.text:
        sent[f"value:{fact.name}"] = entry.text
    return sent


def asked(text: str) -> list[Fact]:
    return [dictionary()[name] for name in hidden(text, "shown").split()]


@pytest.mark.parametrize("kind", get_args(Kind))
def test_from_the_first_to_the_last_question_it_is_the_audit_of_the_library(client: Any, kind: Kind) -> None:
    document = read_description(EXAMPLES / OF_KIND[kind])
    known = as_written(document)
    known.pop("evidence", None)
    answer = client.post("/questions", data={"kind": kind, "title": known["title"]})
    titles = []
    for _ in range(200):
        assert answer.status_code == 200, re.findall(r'class="error"[^<]*<span[^<]*</span>([^<]*)', answer.text)
        facts = asked(answer.text)
        if not facts:
            break
        titles.append(re.search(r"<title>(.*?) –", answer.text).group(1))  # type: ignore[union-attr]
        sent = {name: value for fact in facts for name, value in entered(fact, held(known, fact.name)).items()}
        answer = client.post("/questions/ask", data={**state(answer.text), "do": "next", **sent})
    else:
        pytest.fail("it never ends")
    assert len(titles) >= 15
    saved = client.post("/questions/download/json", data=state(answer.text))
    ours = audit(read_description(saved.json()), as_of=today())
    # What is not asked can't matter: the whole example says the same of each rule.
    whole = audit(read_description(known), as_of=today())
    assert {one.rule.id: one.verdict for one in ours.results} == {one.rule.id: one.verdict for one in whole.results}
    assert (ours.score.score, ours.score.low, ours.score.high) == (
        whole.score.score,
        whole.score.low,
        whole.score.high,
    )
    shown = client.post("/questions/report", data=state(answer.text))
    assert shown.status_code == 200
    assert known["title"] in html.unescape(shown.text)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_question_may_be_left_out(client: Any, kind: Kind) -> None:
    answer = client.post("/questions", data={"kind": kind})
    for _ in range(200):
        if not asked(answer.text):
            break
        answer = client.post("/questions/ask", data={**state(answer.text), "do": "skip"})
    assert "Your answers" in answer.text
    assert json.loads(hidden(answer.text, "so_far")) == {"kind": kind}
    assert "those that you left out" in answer.text


def test_what_can_no_longer_matter_is_not_asked(client: Any) -> None:
    def left(description: Mapping[str, Any]) -> int:
        data = {"so_far": json.dumps(description), "passed": "", "trail": "", "page": "", "shown": ""}
        found: int = client.post("/questions/progress", data=data).json()["left"]
        return found

    value = {"total": {"amount": 900000, "currency": "GBP"}}
    wanted = left({"kind": "tender", "value": value, "subcontracting": {"position": "in_use"}})
    assert left({"kind": "tender", "value": value, "subcontracting": {"position": "none"}}) < wanted


def test_progress_counts_what_is_entered_and_leaves_out_what_is_wrong(client: Any) -> None:
    first = client.post("/questions", data={"kind": "tender"}).text
    data = state(first)
    right = client.post("/questions/progress", data={**data, "value:value.total": "300k"}).json()
    wrong = client.post("/questions/progress", data={**data, "value:value.total": "a lot"}).json()
    session = QuickCheck("tender", answers={}, as_of=today())
    assert wrong["rules"] == session.progress.rules
    session.answer("value.total", {"amount": 300000, "currency": "GBP"})
    assert (right["low"], right["high"], right["score"], right["grade"], right["decided"], right["rules"]) == (
        session.progress.low,
        session.progress.high,
        session.progress.score,
        session.progress.grade,
        session.progress.decided,
        session.progress.rules,
    )


def test_an_error_stands_at_its_field_and_keeps_what_was_entered(client: Any) -> None:
    first = client.post("/questions", data={"kind": "tender"}).text
    answer = client.post("/questions/ask", data={**state(first), "do": "next", "value:value.total": HOSTILE})
    assert answer.status_code == 422
    assert "<title>Error: Total value" in answer.text
    assert 'href="#f-value-total"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "A number is expected" in answer.text
    assert "<script>window" not in answer.text and "<img" not in answer.text
    assert html.escape(HOSTILE, quote=False)[:20] in answer.text
    both = {"value:value.total": "300k", "mark:value.total": "unknown"}
    answer = client.post("/questions/ask", data={**state(first), "do": "next", **both})
    assert answer.status_code == 422
    assert "not both" in answer.text


def test_one_goes_back_to_what_was_answered_and_changes_it(client: Any) -> None:
    first = client.post("/questions", data={"kind": "tender"}).text
    second = client.post("/questions/ask", data={**state(first), "do": "next", "value:value.total": "300k"}).text
    back = client.post("/questions/ask", data={**state(second), "do": "back"}).text
    assert hidden(back, "page") == hidden(first, "page")
    assert 'value="300,000"' in back
    assert ">Back<" not in back
    # An answer that is cleared is not stated any more.
    cleared = client.post("/questions/ask", data={**state(back), "do": "next"}).text
    assert "value" not in json.loads(hidden(cleared, "so_far"))
    changed = client.post("/questions/ask", data={**state(back), "do": "next", "value:value.total": "£20,000"}).text
    assert json.loads(hidden(changed, "so_far"))["value"]["total"]["amount"] == 20000


def test_rows_can_be_added_without_a_script_and_keep_what_they_hold(client: Any) -> None:
    data = {"so_far": '{"kind": "tender"}', "passed": "", "trail": "", "page": "21", "shown": "requirements.insurance"}
    row = {"cell:requirements.insurance:0:kind": "public_liability", "cell:requirements.insurance:0:cover": "5m"}
    blank = {"cell:requirements.insurance:1:kind": ""}
    more = client.post("/questions/ask", data={**data, **row, **blank, "do": "rows:requirements.insurance"}).text
    assert more.count("<legend>Number ") == 5
    assert '<option value="public_liability" selected>' in more
    sent = {**data, **row, "all:requirements.insurance": "yes", "do": "next"}
    after = json.loads(hidden(client.post("/questions/ask", data=sent).text, "so_far"))
    assert after["requirements"]["insurance"] == {
        "complete": True,
        "items": [{"kind": "public_liability", "cover": {"amount": 5000000, "currency": "GBP"}}],
    }
    row["cell:requirements.insurance:0:cover"] = "lots"
    wrong = client.post("/questions/ask", data={**data, **row, "do": "next"})
    assert wrong.status_code == 422
    assert "Number 1, " in wrong.text and "A number is expected" not in wrong.text


def test_two_dates_that_move_together_are_both_taken(client: Any) -> None:
    raw = {"kind": "tender", "timeline": {"tender_published": "2026-01-10", "bid_deadline": "2026-02-10"}}
    shown = "timeline.bid_deadline timeline.tender_published"
    data = {"so_far": json.dumps(raw), "passed": "", "trail": "", "page": "19", "shown": shown}
    for notice, deadline in (("1 March 2026", "1 April 2026"), ("1 December 2025", "20 December 2025")):
        dates = {"value:timeline.tender_published": notice, "value:timeline.bid_deadline": deadline}
        answer = client.post("/questions/ask", data={**data, "do": "next", **dates})
        assert answer.status_code == 200
    wrong = {"value:timeline.tender_published": "1 May 2026", "value:timeline.bid_deadline": "1 April 2026"}
    assert client.post("/questions/ask", data={**data, "do": "next", **wrong}).status_code == 422


@pytest.mark.parametrize(
    "so_far",
    [
        "",
        "{",
        "[]",
        "null",
        '"kind"',
        '{"kind": "auction"}',
        '{"kind": "tender", "x": 1}',
        "[" * 5000,
        "\ud800",
        HOSTILE,
    ],
)
@pytest.mark.parametrize("path", ["/questions/ask", "/questions/report", "/questions/download/json"])
def test_junk_in_what_travels_with_the_page_is_a_page_that_says_so(client: Any, path: str, so_far: str) -> None:
    body = {"so_far": so_far.encode("utf-8", "surrogatepass"), "page": "1", "shown": "value.total", "do": "next"}
    answer = client.post(path, data=body, headers=PAGE)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "What was answered so far can’t be read" in html.unescape(answer.text).replace("'", "’")
    assert "<script>window" not in answer.text


@pytest.mark.parametrize(
    "junk",
    [
        {"shown": "value.totals"},
        {"shown": HOSTILE},
        {"shown": " ".join(list(dictionary())[:200])},
        {"passed": "nothing"},
        {"page": "no-such-page", "do": "rows:x"},
        {"page": HOSTILE, "do": "next", "value:value.total": "lots"},
    ],
)
def test_other_junk_is_refused_as_well(client: Any, junk: dict[str, str]) -> None:
    data = {
        "so_far": '{"kind": "tender"}',
        "passed": "",
        "trail": "",
        "page": "1",
        "shown": "value.total",
        "do": "next",
    }
    answer = client.post("/questions/ask", data={**data, **junk}, headers=PAGE)
    assert answer.status_code == 422
    assert "<script>window" not in answer.text


def test_a_hostile_description_is_shown_as_text(client: Any) -> None:
    raw = {"kind": "tender", "title": HOSTILE, "lots": {"reasons_not_split": HOSTILE}}
    answer = client.post("/questions/open", data={"text": json.dumps(raw)}, headers=PAGE)
    assert answer.status_code == 200
    assert "<script>window" not in answer.text and "<img" not in answer.text
    assert json.loads(hidden(answer.text, "so_far")) == raw


def test_saved_files_are_opened_again(client: Any) -> None:
    raw = {"kind": "tender", "title": "Mentoring", "value": {"total": {"amount": 300000, "currency": "GBP"}}}
    data = {"so_far": json.dumps(raw), "passed": "", "trail": "", "page": "", "shown": ""}
    as_json = client.post("/questions/download/json", data=data)
    assert as_json.headers["content-disposition"] == 'attachment; filename="tender.json"'
    assert as_json.json() == raw
    as_yaml = client.post("/questions/download/yaml", data=data)
    assert as_yaml.headers["content-disposition"] == 'attachment; filename="tender.yaml"'
    assert yaml.safe_load(as_yaml.text) == raw
    for name, text in (("tender.json", as_json.content), ("tender.yaml", as_yaml.content)):
        again = client.post("/questions/open", files={"file": (name, text)})
        assert again.status_code == 200
        assert json.loads(hidden(again.text, "so_far")) == raw
        assert "value.total" not in hidden(again.text, "shown")
    notice = next((EXAMPLES / "ocds").glob("*.json"))
    assert client.post("/questions/open", files={"file": (notice.name, notice.read_bytes())}).status_code == 200
    wrong = client.post("/questions/open", files={"file": ("x.json", b'{"kind": "tender", "value": "lots"}')})
    assert wrong.status_code == 422
    assert "There is a problem" in wrong.text
    assert client.post("/questions/open", data={}).status_code == 422


def test_the_start_asks_for_the_kind_and_a_page_without_its_form_leads_there(client: Any) -> None:
    start = client.get("/questions")
    assert start.status_code == 200
    assert all(f'value="{kind}"' in start.text for kind in get_args(Kind))
    assert client.post("/questions", data={"kind": "auction"}).status_code == 422
    assert client.get("/questions/ask", follow_redirects=False).headers["location"] == "/questions"


def test_few_answers_settle_a_grade_only_where_some_do() -> None:
    known = as_written(read_description(EXAMPLES / "decommissioning-plan.yaml"))
    packs = load_packs()
    assert could_settle(QuickCheck("tender", packs, as_of=today())) is None
    said = could_settle(QuickCheck(known["kind"], packs, answers=known, as_of=today()))
    assert said is None or 1 <= said <= 5


@pytest.mark.parametrize("name", sorted(OF_KIND.values()))
def test_what_is_shown_in_a_field_means_what_was_stated(name: str) -> None:
    raw = as_written(read_description(EXAMPLES / name))
    stated = {fact: held(raw, fact) for fact in dictionary() if fact != "kind" and held(raw, fact) is not LEFT}
    assert len(stated) > 20
    for fact, value in stated.items():
        again = meaning(dictionary()[fact], entry_of(dictionary()[fact], value))
        one, other = (read_description(_nested(fact, said)).description for said in (value, again))
        assert one == other, fact


def test_a_value_that_is_not_stated_stands_in_no_field() -> None:
    for fact in dictionary().values():
        assert entry_of(fact, LEFT) == Entry(), fact.name
        assert meaning(fact, Entry()) is LEFT


def test_what_is_not_stated_can_be_tried_and_taken_back() -> None:
    used = Service((), 20)
    options = AuditOptions(today())
    tried_some = False
    for path in (EXAMPLES / name for name in sorted(OF_KIND.values())):
        document = read_description(path)
        report = used.audit(document, options)
        sent_as_it_is: dict[str, Any] = {}
        for field in what_if.fields(document, report):
            entry = field.entry
            sent_as_it_is[f"value:{field.name}"] = "?" if entry.unknown else entry.text
            sent_as_it_is |= {f"mark:{field.name}": "none"} if entry.none else {}
        for field in what_if.fields(document, report):
            held_now = held(as_written(document), field.name)
            assert field.entry == entry_of(field.fact, held_now)
            if field.fact.type != "bool":
                continue
            changed = not held_now if isinstance(held_now, bool) else True
            form = FormData({**sent_as_it_is, f"value:{field.name}": "yes" if changed else "no"})
            outcome = what_if.tried(used, document, report, options, form)
            assert outcome.changed == 1, field.name
            assert outcome.errors == (), field.name
            tried_some = True
    assert tried_some


def _nested(name: str, value: Any) -> dict[str, Any]:
    for part in reversed(name.split(".")):
        value = {part: value}
    return {"kind": "tender", **value}


@pytest.mark.parametrize(
    ("name", "entry", "value"),
    [
        ("payment.pbr_share", Entry(text="25"), 0.25),
        ("payment.pbr_share", Entry(text="0.5%"), 0.005),
        ("payment.pbr_share", Entry(text="1"), 0.01),
        ("payment.pbr_share", Entry(), LEFT),
        ("payment.pbr", Entry(unknown=True), None),
        ("timeline.bid_deadline", Entry(text="31/3/2026"), "2026-03-31"),
        ("subcontracting.position", Entry(text="none"), "none"),
        ("market.bid_support", Entry(none=True), []),
        ("lots.reasons_not_split", Entry(text="unknown"), "unknown"),
        ("notice.types", Entry(text="UK2\n\n UK4 ", all="no"), {"complete": False, "items": ["UK2", "UK4"]}),
    ],
)
def test_what_an_entry_means(name: str, entry: Entry, value: Any) -> None:
    assert meaning(dictionary()[name], entry) == value


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("payment.pbr_share", Entry(text="0.25")),
        ("payment.pbr_share", Entry(text="a quarter")),
        ("subcontracting.position", Entry(text="wan")),
        ("market.bid_support", Entry(chosen=("nothing at all",))),
        ("market.bid_support", Entry(none=True, unknown=True)),
        ("lots.count", Entry(none=True)),
    ],
)
def test_what_could_mean_two_things_is_asked_again(name: str, entry: Entry) -> None:
    with pytest.raises(AnswerError):
        meaning(dictionary()[name], entry)


# --- What if -------------------------------------------------------------------------------------------------------


def trial(text: str) -> dict[str, str]:
    """What the form of the trial sends as it stands."""
    start = text.index("data-what-if")
    part = text[start : text.index("</form>", start)]
    sent = {
        name: html.unescape(value)
        for name, value in re.findall(
            r'<input (?:class="amount" )?type="(?:hidden|text)"(?: id="[^"]*")? name="([^"]*)" value="([^"]*)"', part
        )
    }
    sent |= dict(re.findall(r'<input type="(?:radio|checkbox)" name="([^"]*)" value="([^"]*)" checked', part))
    for name, options in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', part, re.DOTALL):
        sent[name] = next(iter(re.findall(r'value="([^"]*)" selected', options)), "")
    texts = re.findall(r'<textarea name="(text|commissioner)"[^>]*>(.*?)</textarea>', part, re.DOTALL)
    assert texts
    return {**sent, **{name: html.unescape(text).removeprefix("\n") for name, text in texts}}


@pytest.mark.parametrize("name", [*sorted(OF_KIND.values()), "ocds"])
def test_what_if_without_a_change_moves_nothing(client: Any, name: str) -> None:
    path = EXAMPLES / name if name != "ocds" else min((EXAMPLES / "ocds").glob("*.json"))
    report = client.post("/check", files={"file": (path.name, path.read_bytes())})
    assert report.status_code == 200
    if "data-what-if" not in report.text:
        assert name == "ocds"
        return
    answer = client.post("/what-if/outcome", data=trial(report.text))
    assert answer.status_code == 200
    assert "Nothing is changed" in answer.text


def test_a_changed_value_gives_the_audit_of_the_changed_document(client: Any) -> None:
    path = EXAMPLES / "tender.json"
    report = client.post("/check", files={"file": (path.name, path.read_bytes())}).text
    sent = trial(report)
    assert sent["value:process.same_as_large_contracts"] == "yes"
    changed = {**sent, "value:process.same_as_large_contracts": "no"}
    outcome = client.post("/what-if/outcome", data=changed).text
    raw = as_written(read_description(path))
    raw["process"]["same_as_large_contracts"] = False
    after = audit(read_description(raw), as_of=today())
    assert f"<strong>{after.score.score:.0f} of 100" in outcome
    assert re.search(r"PP-02</a>[^<]*: not met → <strong>met</strong>", outcome, re.IGNORECASE)
    whole = client.post("/what-if", data={**changed, "try": "yes"})
    assert whole.status_code == 200
    assert "With your changes" in whole.text
    # The report itself stays that of the document.
    assert 'id="score"' in whole.text
    assert trial(whole.text)["text"] == sent["text"]
    as_it_is = client.post("/what-if", data={**changed, "as_it_is": "yes"}).text
    assert trial(as_it_is) == sent


@pytest.mark.parametrize(
    ("name", "packs"),
    [("tender.json", ["proportionate-procurement"]), ("ocds/sell2wales-child-outreach-service.json", [])],
)
def test_what_is_tried_is_asked_as_the_report_was(client: Any, name: str, packs: list[str], tmp_path: Path) -> None:
    profile = tmp_path / "ours.yaml"
    profile.write_text("commissioner:\n  territory: wales\n", "utf-8")
    day = "2026-03-02"
    report = client.post(
        "/check",
        files={
            "file": ((EXAMPLES / name).name, (EXAMPLES / name).read_bytes()),
            "profile": ("ours.yaml", profile.read_bytes()),
        },
        data={"pack": packs, "as_of": day, "tier": "medium"},
    ).text
    sent = trial(report)
    assert [sent[one] for one in ("pack", "as_of", "tier") if one in sent] == [*packs, day, "medium"]
    assert "wales" in sent["commissioner"]
    assert "Nothing is changed" in client.post("/what-if/outcome", data=sent).text
    field = next(one for one in sent if one.startswith("value:") and dictionary()[one[6:]].type == "money")
    outcome = client.post("/what-if/outcome", data={**sent, field: "1,234"}).text
    raw = as_written(read_description(EXAMPLES / name, commissioner=profile))
    assert "territory" not in raw["commissioner"]
    assert not any(one["pointer"] == "/commissioner/territory" for one in raw["evidence"])
    section, fact = field.removeprefix("value:").split(".")
    raw.setdefault(section, {})[fact] = {"amount": 1234, "currency": "GBP"}
    raw["evidence"] = [one for one in raw.get("evidence", ()) if one["pointer"] != f"/{section}/{fact}"]
    asked = {"as_of": dt.date.fromisoformat(day), "tier": "medium"}
    after = audit(read_description(raw, commissioner=profile), packs or None, **asked)
    assert score_words(after.score).lower() in html.unescape(outcome).lower()
    if packs:  # With all packs, and without the profile, it would be another.
        assert score_words(after.score) != score_words(audit(read_description(raw), **asked).score)


def test_what_cannot_be_tried_is_said(client: Any) -> None:
    path = EXAMPLES / "tender.json"
    sent = trial(client.post("/check", files={"file": (path.name, path.read_bytes())}).text)
    name = next(one for one in sent if one.startswith("value:") and dictionary()[one[6:]].type in ("int", "money"))
    outcome = client.post("/what-if/outcome", data={**sent, name: HOSTILE}).text
    assert "This can’t be tried" in outcome
    assert "<script>" not in outcome and "<img" not in outcome


@pytest.mark.parametrize(
    "junk",
    [{"text": "{"}, {"text": ""}, {"as_of": "someday"}, {"tier": "huge"}, {"text": '{"kind": "tender", "x": 1}'}],
)
def test_junk_that_comes_back_from_a_report_is_a_page_that_says_so(client: Any, junk: dict[str, str]) -> None:
    path = EXAMPLES / "tender.json"
    data = {"text": path.read_text("utf-8"), "name": path.name, "tier": "", "as_of": "2026-11-20", **junk}
    for address in ("/what-if", "/what-if/outcome"):
        answer = client.post(address, data=data, headers=PAGE)
        assert answer.status_code == 422
        assert answer.headers["content-type"].startswith("text/html")


def test_a_report_leads_on_to_more_questions(client: Any) -> None:
    path = EXAMPLES / "tender.json"
    report = client.post("/check", files={"file": (path.name, path.read_bytes())}).text
    assert 'formaction="/questions/open"' in report
    answer = client.post("/questions/open", data={"text": path.read_text("utf-8"), "name": path.name})
    assert answer.status_code == 200
    assert json.loads(hidden(answer.text, "so_far"))["kind"] == "tender"
    assert isinstance(AnswerError("x"), GoodCommissionError)
