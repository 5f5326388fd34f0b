"""The shapes in which OCDS comes (release, package, record, array), taken apart into one merged tree for each process.

Each value of such a tree keeps its JSON pointer into the file as it was given. Releases of one process are merged
by ocdsmerge, with merge rules of our own, so that nothing is ever fetched.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from goodcommission.description.entries import FirstFaults
from goodcommission.description.ocds.merge_rules import MERGE_RULES
from goodcommission.description.parsing import quoted
from goodcommission.description.types import LARGEST_INTEGER
from goodcommission.exceptions import DescriptionError, Fault

CONTRACTS_FINDER = "ocds-b5fd17"
SECTIONS = ("planning", "tender", "awards", "contracts", "bids", "buyer", "parties")
_VERSIONED = {"releaseID", "releaseDate", "releaseTag", "value"}
_NOT_OF_A_RELEASE = frozenset({"kind", "records", "releases", "compiledRelease", "versionedRelease"})
MOST_RELEASES = 5_000
"""In one file that is audited release by release; more are for the scanner."""
MOST_PROCESSES = 1_000
"""The same of contracting processes, each of which becomes a report."""
MOST_OF_A_PROCESS = 300
"""Releases of one process: each is merged with all before it, and those that were published have a dozen."""
_DEEPEST = 60
"""OCDS is a dozen levels deep; what lies deeper than this is no notice and would only exhaust the stack."""
_LEAST, _MOST = 1e-9, 1e18
"""Fractions between these are not extreme."""

_LONGEST_POINTER = 400
"""The same of its pointers, of which each value has one: those of notices have up to a hundred characters."""


class Leaf:
    """A single value of a notice and where it stands; as good as the value itself where lists are merged by id."""

    __slots__ = ("pointer", "rank", "value")

    def __init__(self, value: Any, pointer: str, rank: int) -> None:
        self.value = value
        self.pointer = pointer
        self.rank = rank
        """The number of the release: a higher one is newer."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leaf) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)

    def __str__(self) -> str:
        return str(self.value)


def raw(node: Any) -> Any:
    """A single value itself, whether it is traced or plain; None for anything else."""
    kind = type(node)
    if kind is str or node is None:
        return node
    if kind is Leaf:
        return node.value
    return None if isinstance(node, (dict, list)) else node


def is_id(value: Any) -> bool:
    """Whether a value can be the id of something."""
    return isinstance(value, str) or (type(value) is int and abs(value) <= LARGEST_INTEGER)


class Release:
    """What is kept of one release when it has been merged."""

    __slots__ = ("date", "id", "pointer", "tag_leaves", "tags")

    def __init__(self, tag_leaves: tuple[Any, ...], tags: tuple[str, ...], date: Any, own: Any, pointer: str) -> None:
        self.tag_leaves = tag_leaves
        """Its tags as nodes of the tree."""
        self.tags = tags
        """What kind of release it is, as published."""
        self.date = date
        self.id = own
        self.pointer = pointer


class Process:
    """All that a file says about one contracting process; its nodes are traced, or plain (see `untraced`)."""

    __slots__ = ("notes", "ocid", "publisher", "releases", "tree")

    def __init__(self, ocid: Any, tree: dict[str, Any], releases: list[Release], publisher: Any) -> None:
        self.ocid = ocid
        self.tree = tree
        self.releases = releases
        """Oldest first."""
        self.publisher = publisher
        self.notes: list[str] = []


@dataclass(slots=True)
class Found:
    """One release as it was found in the file."""

    raw: dict[str, Any]
    pointer: str
    ocid: str
    ocid_pointer: str
    publisher: Leaf | None
    linked: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    """Of a compiled release: the releases it was compiled from, embedded or linked."""


def is_ocds(raw: object) -> bool:
    """Whether a parsed JSON value is OCDS: a release, a record, a package of them, or an array of these.

    A description in our own format always has a ``kind``, which no OCDS object has at the top.
    """
    if isinstance(raw, list):
        return any(is_ocds(item) for item in raw if isinstance(item, dict)) and not any(
            isinstance(item, dict) and "kind" in item for item in raw
        )
    if not isinstance(raw, dict) or "kind" in raw:
        return False
    if "records" in raw or "releases" in raw or "compiledRelease" in raw or "versionedRelease" in raw:
        return True
    return "ocid" in raw or ("tag" in raw and any(section in raw for section in SECTIONS))


def releases(raw: object) -> Iterator[Found | Fault]:
    """The releases of an OCDS value one by one, and in its place whatever has the shape of OCDS but is not."""
    faults: list[Fault] = []
    for found in _find(raw, "", None, faults, {}):
        yield from faults
        faults.clear()
        yield found
    yield from faults


def processes(raw: object) -> tuple[Process, ...]:
    """Take a file apart into its processes, in the order in which they first appear.

    Raises:
        DescriptionError: Something in the file has the shape of OCDS but is not.
    """
    faults: list[Fault] = FirstFaults()
    notes: dict[str, list[str]] = {}
    found = list(islice(_find(raw, "", None, faults, notes), MOST_RELEASES + 1))
    if len(found) > MOST_RELEASES:
        raise DescriptionError(_too_many(f"more than {MOST_RELEASES:,} releases"))
    if not found and not faults:
        faults.append(Fault("There is no release in this OCDS file.", pointer=""))
    if faults:
        raise DescriptionError(*faults)
    groups: dict[str, list[Found]] = {}
    for one in found:
        groups.setdefault(one.ocid, []).append(one)
    if len(groups) > MOST_PROCESSES:
        raise DescriptionError(_too_many(f"{len(groups):,} contracting processes"))
    for ocid, group in groups.items():
        if len(group) > MOST_OF_A_PROCESS:
            message = f"there are {len(group):,} releases of {quoted(ocid)}, and at most {MOST_OF_A_PROCESS} are merged"
            raise DescriptionError(Fault(message, pointer="", suggestion="Give its compiled release."))
    return tuple(_process(group, notes.get(ocid, [])) for ocid, group in groups.items())


def _too_many(what: str) -> Fault:
    advice = "Audit them with goodcommission scan, or cut the file."
    message = f"there are {what} in this file, and {MOST_PROCESSES:,} processes can be read from one"
    return Fault(message, pointer="", suggestion=advice)


def untraced(release: dict[str, Any], *, is_plain: bool = False) -> Process | None:
    """The process of a single release as it is, without places and without a copy.

    Args:
        release: As it was parsed.
        is_plain: Whether `survey` has found it to be plain.

    Returns:
        None for whatever is not plainly one release that `processes` would take: only that can say what it is.
    """
    ocid = release.get("ocid")
    if not isinstance(ocid, str) or not ocid.strip() or not _NOT_OF_A_RELEASE.isdisjoint(release):
        return None
    if not is_plain and not survey(release).plain:
        return None
    publisher = release.get("publisher")
    name = publisher.get("name") if isinstance(publisher, dict) else None
    kept = _kept(release, "/")
    if not is_id(kept.id):
        kept.id = None
    tree = _without_default_suitability(release, ocid, kept.tags)
    return Process(ocid, tree, [kept], name if isinstance(name, str) else None)


class Survey(NamedTuple):
    """What there is in a JSON value."""

    plain: bool
    """Whether nothing lies too deep, no list stands in a list, and none is the history of a value (`_is_versioned`);
    if not, the rest is not known."""
    texts: int
    """How many names and texts there are."""
    fractions: bool
    """Whether any number was read as a fraction."""
    extreme: bool
    """Whether one of these is 0, as what is too small for a fraction becomes, or very small or large."""


_NOT_PLAIN = Survey(False, 0, False, False)


def survey(value: dict[str, Any]) -> Survey:
    """Look through an object once."""
    level = [value]
    texts, fractions, extreme = 0, False, False
    for _ in range(_DEEPEST // 2 - 1):  # each may be in a list
        below: list[dict[str, Any]] = []
        for section in level:
            texts += len(section)
            for member in section.values():
                kind = type(member)
                if kind is str:
                    texts += 1
                elif kind is dict:
                    below.append(member)
                elif kind is list:
                    for item in member:
                        kind = type(item)
                        if kind is dict:
                            if "releaseTag" in item:
                                return _NOT_PLAIN
                            below.append(item)
                        elif kind is str:
                            texts += 1
                        elif kind is list:
                            return _NOT_PLAIN
                        elif kind is float:
                            fractions = True
                            extreme = extreme or not _LEAST < abs(item) < _MOST
                elif kind is float:
                    fractions = True
                    extreme = extreme or not _LEAST < abs(member) < _MOST
        if not below:
            return Survey(True, texts, fractions, extreme)
        level = below
    return _NOT_PLAIN


def step(pointer: str, key: object) -> str:
    """The JSON pointer of a member."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def instant(value: object) -> dt.datetime | None:
    """A date and time of OCDS, with its offset (UTC where it has none); None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _find(
    raw: object, pointer: str, publisher: Leaf | None, faults: list[Fault], notes: dict[str, list[str]]
) -> Iterator[Found]:
    if isinstance(raw, list):
        if not raw:
            faults.append(Fault("This list of notices is empty.", pointer=pointer))
        for index, item in enumerate(raw):
            if isinstance(item, dict) and is_ocds(item):
                yield from _find(item, step(pointer, index), publisher, faults, notes)
            else:
                faults.append(Fault("An OCDS release or record is expected here.", pointer=step(pointer, index)))
        return
    if not isinstance(raw, dict):
        faults.append(Fault("An OCDS release, record or package is expected here.", pointer=pointer))
        return
    body = raw.get("publisher")
    if isinstance(body, dict) and isinstance(body.get("name"), str):
        publisher = Leaf(body["name"], step(step(pointer, "publisher"), "name"), 0)
    if "records" in raw:
        yield from _members(raw, "records", pointer, publisher, faults, notes)
    elif "ocid" not in raw and "releases" in raw:
        yield from _members(raw, "releases", pointer, publisher, faults, notes)
    elif "releases" in raw or "compiledRelease" in raw or "versionedRelease" in raw:
        yield from _record(raw, pointer, publisher, faults, notes)
    else:
        yield from _release(raw, pointer, publisher, faults, None)


def _members(
    package: dict[str, Any],
    name: str,
    pointer: str,
    publisher: Leaf | None,
    faults: list[Fault],
    notes: dict[str, list[str]],
) -> Iterator[Found]:
    members = package[name]
    if not isinstance(members, list) or not members:
        wrong = "is empty" if isinstance(members, list) else "is not a list"
        faults.append(Fault(f"The list of {name} of this OCDS package {wrong}.", pointer=step(pointer, name)))
        return
    for index, member in enumerate(members):
        place = step(step(pointer, name), index)
        if not isinstance(member, dict):
            faults.append(Fault(f"An object is expected in the list of {name}.", pointer=place))
        elif name == "records":
            yield from _record(member, place, publisher, faults, notes)
        else:
            yield from _release(member, place, publisher, faults, None)


def _record(
    record: dict[str, Any],
    pointer: str,
    publisher: Leaf | None,
    faults: list[Fault],
    notes: dict[str, list[str]],
) -> Iterator[Found]:
    ocid = record.get("ocid")
    given = record.get("releases")
    releases = [
        (release, step(step(pointer, "releases"), index))
        for index, release in enumerate(given if isinstance(given, list) else [])
        if isinstance(release, dict)
    ]
    compiled = record.get("compiledRelease")
    parent = (ocid, step(pointer, "ocid")) if isinstance(ocid, str) and ocid.strip() else None
    if isinstance(compiled, dict) and compiled:
        for one in _release(compiled, step(pointer, "compiledRelease"), publisher, faults, parent):
            one.linked = releases
            yield one
        return
    embedded = [one for one in releases if not _is_link(one[0])]
    if len(embedded) < len(releases) and embedded and parent:
        count = len(releases) - len(embedded)
        notes.setdefault(parent[0], []).append(
            f"{count} of the record's releases {'is' if count == 1 else 'are'} only linked by a web address and "
            "could not be read offline; what only they say is unknown."
        )
    if not embedded:
        if releases:
            message = "The releases of this record are only linked by a web address and cannot be read offline."
            advice = "Give the releases themselves, or a record with its compiledRelease."
        elif "versionedRelease" in record:
            message = "This record holds only the history of its values (versionedRelease)."
            advice = "Give its releases or its compiledRelease."
        else:
            message, advice = "This record holds no release.", None
        faults.append(Fault(message, pointer=pointer, suggestion=advice))
    for release, place in embedded:
        yield from _release(release, place, publisher, faults, parent)


def _is_link(release: dict[str, Any]) -> bool:
    return "url" in release and not any(section in release for section in SECTIONS)


def _release(
    release: dict[str, Any],
    pointer: str,
    publisher: Leaf | None,
    faults: list[Fault],
    parent: tuple[str, str] | None,
) -> Iterator[Found]:
    ocid, place = release.get("ocid"), step(pointer, "ocid")
    if not (isinstance(ocid, str) and ocid.strip()) and parent and "ocid" not in release:
        ocid, place = parent
    if not isinstance(ocid, str) or not ocid.strip():
        message = "This release has no ocid (a text that begins with ocds- is expected)."
        faults.append(Fault(message, pointer=place if "ocid" in release else pointer))
    elif _is_versioned(release):
        message = "This is a versioned release: the history of the values, not a notice."
        faults.append(Fault(message, pointer=pointer, suggestion="Give the releases or the compiled release."))
    else:
        yield Found(release, pointer, ocid, place, publisher)


def _is_versioned(value: dict[str, Any], depth: int = 3) -> bool:
    for member in value.values():
        if isinstance(member, dict) and depth and _is_versioned(member, depth - 1):
            return True
        if (
            isinstance(member, list)
            and member
            and all(isinstance(item, dict) and _VERSIONED.issubset(item) for item in member)
        ):
            return True
    return False


def _process(group: list[Found], notes: list[str]) -> Process:
    first = group[0]
    process = Process(Leaf(first.ocid, first.ocid_pointer, 0), {}, [], first.publisher)
    process.notes += notes
    moments = [instant(one.raw.get("date")) for one in group]
    if len(group) > 1 and not all(moments):
        process.notes.append("A release without a date was taken as older than those that have one.")
    oldest = dt.datetime.min.replace(tzinfo=dt.UTC)
    order = sorted(range(len(group)), key=lambda index: moments[index] or oldest)
    trees = []
    for rank, one in enumerate(group[index] for index in order):
        tree = _trace(one.raw, one.pointer, rank)
        for link, place in one.linked:
            stated = {key: link.get(key) for key in ("tag", "date", "id")}
            process.releases.append(_kept(_trace(stated, place, rank), place))
        process.releases.append(_kept(tree, one.pointer))
        trees.append(_without_default_suitability(tree, first.ocid, process.releases[-1].tags))
    process.releases.sort(key=lambda release: instant(raw(release.date)) or oldest)
    process.tree = trees[0] if len(trees) == 1 else _merge(trees, process)
    return process


def _trace(value: Any, pointer: str, rank: int, depth: int = 0) -> Any:
    """The same structure, with each single value carrying its place. Ids that are no ids are left out."""
    if depth > _DEEPEST or len(pointer) > _LONGEST_POINTER:
        return None
    if isinstance(value, dict):
        return {
            str(key): _trace(member, step(pointer, key), rank, depth + 1)
            for key, member in value.items()
            if key != "id" or is_id(member)
        }
    if isinstance(value, list):
        return [_trace(item, step(pointer, index), rank, depth + 1) for index, item in enumerate(value)]
    return None if value is None else Leaf(value, pointer, rank)


def _kept(tree: dict[str, Any], pointer: str) -> Release:
    tags = tree.get("tag")
    leaves = tuple([tag for tag in (tags if isinstance(tags, list) else (tags,)) if isinstance(raw(tag), str)])
    date, name = tree.get("date"), tree.get("id")
    return Release(
        leaves,
        tuple([raw(leaf) for leaf in leaves]),
        None if raw(date) is None else date,
        None if raw(name) is None else name,
        pointer,
    )


def _without_default_suitability(tree: dict[str, Any], ocid: str, tags: tuple[str, ...]) -> dict[str, Any]:
    """Contracts Finder writes "not suitable" for both on award notices where nobody touched the tick-boxes."""
    tender = tree.get("tender")
    if not ocid.startswith(CONTRACTS_FINDER) or "tender" in tags or not isinstance(tender, dict):
        return tree
    boxes = tender.get("suitability")
    if not isinstance(boxes, dict) or any(raw(boxes.get(name)) is not False for name in ("sme", "vcse")):
        return tree
    return {**tree, "tender": {key: value for key, value in tender.items() if key != "suitability"}}


def _merge(trees: list[dict[str, Any]], process: Process) -> dict[str, Any]:
    """Merge the releases of one process, oldest first."""
    import ocdsmerge  # only needed here, and slow to load

    _tell_apart(trees, process)
    # The order is ours: texts of different time zones do not sort by time, and a date may be missing.
    dated = [{**tree, "date": f"{rank:09d}"} for rank, tree in enumerate(trees)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            merged: dict[str, Any] = ocdsmerge.Merger(merge_rules=MERGE_RULES).create_compiled_release(dated)
    except (ocdsmerge.exceptions.OCDSMergeError, TypeError, AttributeError, KeyError):
        process.notes.append("The releases of this process contradict each other in form; only the newest was read.")
        return trees[-1]
    return merged


def _tell_apart(trees: list[dict[str, Any]], process: Process) -> None:
    """Give things that merely share an id different ones: award "1" of two notices, party "org-7" of two releases."""
    parties: dict[str, list[tuple[Any, Any]]] = {}
    awards: dict[str, list[tuple[Any, Any]]] = {}
    for rank, tree in enumerate(trees):
        moved = _rename(_records(tree.get("parties")), parties, _party_mark)
        if moved:
            tender = tree.get("tender")
            references = [tree.get("buyer"), tender.get("procuringEntity") if isinstance(tender, dict) else None]
            for award in _records(tree.get("awards")):
                references += _records(award.get("suppliers"))
            for reference in references:
                _follow(reference, "id", moved)
        if any(tag.endswith(("Update", "Amendment")) for tag in _kept(tree, "").tags):
            continue
        _replace_lots(trees, rank, process)
        moved = _rename(_records(tree.get("awards")), awards, _award_mark)
        for contract in _records(tree.get("contracts")):
            if _follow(contract, "awardID", moved) and isinstance(contract.get("id"), Leaf):
                contract["id"] = Leaf(f"{contract['id'].value}~{rank}", contract["id"].pointer, rank)
        if moved:
            process.notes.append("Awards of different notices share an id but not a supplier; they were kept apart.")


def _party_mark(party: dict[str, Any]) -> frozenset[str]:
    name = party.get("name")
    return frozenset({str(name.value).casefold()} if isinstance(name, Leaf) else ())


def _award_mark(award: dict[str, Any]) -> frozenset[str]:
    return frozenset().union(*map(_party_mark, _records(award.get("suppliers"))))


def _rename(
    items: list[dict[str, Any]],
    known: dict[str, list[tuple[Any, Any]]],
    mark: Callable[[dict[str, Any]], frozenset[str]],
) -> dict[str, str]:
    """Rename the items that are not the ones known under their ids; return the old names with the new ones."""
    moved: dict[str, str] = {}
    for item in items:
        leaf, names = item.get("id"), mark(item)
        if not isinstance(leaf, Leaf):
            continue
        seen = known.setdefault(str(leaf.value), [])
        for place, (name, others) in enumerate(seen):
            if not names or not others or names & others:
                seen[place] = (name, names | others)
                break
        else:
            name = f"{leaf.value}~{len(seen)}" if seen else leaf.value
            seen.append((name, names))
        if name != leaf.value:
            item["id"] = Leaf(name, leaf.pointer, leaf.rank)
            moved[str(leaf.value)] = name
    return moved


def _follow(reference: Any, name: str, moved: dict[str, str]) -> bool:
    leaf = reference.get(name) if isinstance(reference, dict) else None
    if not isinstance(leaf, Leaf) or not isinstance(leaf.value, str | int) or str(leaf.value) not in moved:
        return False
    reference[name] = Leaf(moved[str(leaf.value)], leaf.pointer, leaf.rank)
    return True


def _replace_lots(trees: list[dict[str, Any]], rank: int, process: Process) -> None:
    """Where a new notice numbers its lots anew, those of the earlier ones are not further lots."""

    def ids(tree: dict[str, Any]) -> set[str]:
        tender = tree.get("tender")
        lots = _records(tender.get("lots")) if isinstance(tender, dict) else []
        return {str(lot["id"]) for lot in lots if isinstance(lot.get("id"), Leaf)}

    now, before = ids(trees[rank]), set().union(*map(ids, trees[:rank]))
    if now and before and not now & before:
        for tree in trees[:rank]:
            if ids(tree):
                del tree["tender"]["lots"]
        process.notes.append("A later notice numbers its lots anew; the lots of the earlier ones were left out.")


def _records(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
