"""Mutation testing: change the library in one place at a time, and see whether a test notices.

    pip install mutmut==3.8.1
    python tests/mutation/run.py                      all modules; hours
    python tests/mutation/run.py scoring gating       these
    python tests/mutation/run.py --sample 100         a random sample of each module, with a confidence interval
    python tests/mutation/run.py --report             only the table of what is known so far

The changes are those of mutmut. They are not made by its command, which leaves out decorated functions and all that
stands outside functions (the weights of the score), and which forks after a run of the tests, so that verdicts that
were remembered before the change would hide it. Here each mutant is put into a process of its own, which is forked
when the library is loaded and has judged nothing; no mutant is ever written to a file. With --tests inf the library
is loaded anew as well, so that nothing that the unchanged one made helps them.

A mutant meets the fastest of the tests that reach its line, so many seconds of them as --tests says; with --tests inf
all of them, and then the other tests of the module's selection. --again is for the survivors of earlier runs.
Survivors are compared with survivors.yaml, in which each is explained: one that is not there makes this fail.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import hashlib
import importlib.machinery
import importlib.util
import itertools
import json
import math
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SURVIVORS = Path(__file__).with_name("survivors.yaml")
SEED = 7
FIRST = 1.5
"""Seconds of tests that a mutant meets at first: nine in ten are noticed by the fastest few."""
WALL = 900
NO_TESTS = 5
"""The status of pytest that was asked for tests that are not there."""

SELECTIONS: dict[str, tuple[str, ...]] = {
    "goodcommission.scoring": ("test_rescoring", "test_scoring"),
    "goodcommission.engine.verdicts": ("test_verdicts", "test_vignettes", "test_law"),
    "goodcommission.engine.patterns": ("test_patterns", "test_vignettes"),
    "goodcommission.waivers": ("test_waivers", "test_rescoring"),
    "goodcommission.gating": ("test_gates", "test_configuration"),
    "goodcommission.baselines": ("test_baselines",),
}
"""Each module, and the tests of which it is known which line each reaches.

Those that start processes of their own can't see a mutant."""
EVERYWHERE = ("goodcommission.scoring", "goodcommission.engine.verdicts", "goodcommission.engine.patterns")
"""Nearly each of their tests reaches nearly each of their lines: to trace them takes long and tells little."""
LATER: dict[str, tuple[str, ...]] = {
    "goodcommission.engine.verdicts": ("test_api", "test_evidence", "test_templates"),
    "goodcommission.engine.patterns": ("test_durable",),
    "goodcommission.waivers": ("test_case",),
    "goodcommission.baselines": ("test_own_pack",),
}
"""What the survivors of these meet as well: tests that take long, or reach nearly every line."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module."""

    module: str
    id: str
    place: str
    """The function or class that it is in."""
    lines: tuple[int, ...]
    """The lines of the source that the changed expression or statement takes up."""
    was: str
    now: str
    in_function: bool
    """Else it is changed while the module is imported."""
    code: str


def source_of(module: str) -> Path:
    return ROOT / (module.replace(".", "/") + ".py")


def mutants_of(module: str) -> list[Mutant]:
    """All mutants of a module, in the order of a shuffle that is always the same: each first part is a sample."""
    import libcst as cst
    from libcst.metadata import MetadataWrapper, PositionProvider
    from mutmut.mutation.file_mutation import MutationVisitor
    from mutmut.mutation.mutators import mutation_operators
    from mutmut.mutation.pragma_handling import IgnoredCode

    wrapper = MetadataWrapper(cst.parse_module(source_of(module).read_text()))
    tree = wrapper.module
    positions = wrapper.resolve(PositionProvider)
    visitor = MutationVisitor(mutation_operators, IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    places: list[tuple[int, int, str]] = []
    functions: list[tuple[int, int]] = []

    class Places(cst.CSTVisitor):
        def __init__(self) -> None:
            super().__init__()
            self.names: list[str] = []

        def _enter(self, node: Any) -> None:
            self.names.append(node.name.value)
            at = positions[node]
            places.append((at.start.line, at.end.line, ".".join(self.names)))

        def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
            self._enter(node)
            functions.append(places[-1][:2])

        def visit_ClassDef(self, node: cst.ClassDef) -> None:
            self._enter(node)

        def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
            self.names.pop()

        def leave_ClassDef(self, original_node: cst.ClassDef) -> None:
            self.names.pop()

        def visit_Subscript(self, node: cst.Subscript) -> None:
            if isinstance(node.value, cst.Name) and node.value.value in ("Literal", "Mapping", "tuple"):
                inside(node)

    typed: set[int] = set()

    def inside(node: Any) -> None:
        typed.add(id(node))
        for child in node.children:
            inside(child)

    tree.visit(Places())
    text = tree.code
    starts = [0, *itertools.accumulate(len(line) for line in text.splitlines(keepends=True))]
    found: list[Mutant] = []
    met: Counter[tuple[str, str, str]] = Counter()
    for mutation in visitor.mutations:
        node, changed = mutation.original_node, mutation.mutated_node
        if id(node) in typed:
            continue  # what a type may be is mypy's matter
        if isinstance(node, cst.SimpleString) and not changed.value.strip("rfbu\"'").startswith("XX"):
            continue  # upper and lower case ask the same question a second and a third time
        at = positions[node]
        first, last = starts[at.start.line - 1] + at.start.column, starts[at.end.line - 1] + at.end.column
        code = text[:first] + tree.code_for_node(changed) + text[last:]
        if text[first:last] != tree.code_for_node(node):
            code = tree.deep_replace(node, changed).code
        place = min(
            ((end - start, name) for start, end, name in places if start <= at.start.line <= end), default=(0, "")
        )
        head, tail = starts[at.start.line - 1], len(text) - starts[min(at.end.line, len(starts) - 1)]
        was, now = (" ".join(part[head : len(part) - tail].split()) for part in (text, code))
        if was == now:
            continue
        met[place[1], was, now] += 1
        key = (module, place[1], was, now, str(met[place[1], was, now]))
        digest = hashlib.sha256("\0".join(key).encode()).hexdigest()[:10]
        in_function = any(start <= at.start.line <= end for start, end in functions)
        lines = tuple(range(at.start.line, at.end.line + 1))
        found.append(Mutant(module, digest, place[1], lines, was, now, in_function, code))
    random.Random(SEED).shuffle(found)
    return found


class _Mutated:
    """Imports one module from changed source."""

    def __init__(self, module: str, code: CodeType) -> None:
        self.module, self.code = module, code

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self.module:
            return None
        return importlib.util.spec_from_loader(name, self, origin=str(source_of(name)))

    def create_module(self, spec: Any) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(source_of(self.module))
        exec(self.code, module.__dict__)


def _functions(owner: Any, module: str) -> Iterator[tuple[str, FunctionType]]:
    """The plain functions and methods of a module or class, by name."""
    for name, held in list(vars(owner).items()):
        value = getattr(held, "__func__", None) or getattr(held, "fget", None) or getattr(held, "__wrapped__", held)
        if isinstance(value, FunctionType):
            if value.__module__ == module:
                yield name, value
        elif isinstance(value, type) and value.__module__ == module and value is not owner:
            for inner, method in _functions(value, module):
                yield f"{name}.{inner}", method


def put_in(mutant: Mutant, *, cold: bool) -> None:
    """Put a mutant in place of what it changes: in the library as it is loaded, or before it is loaded (again)."""
    code = compile(mutant.code, str(source_of(mutant.module)), "exec", dont_inherit=True)
    if cold or not mutant.in_function:
        for name in [name for name in sys.modules if name.partition(".")[0] in ("goodcommission", "tests", "drawn")]:
            del sys.modules[name]
    loaded = sys.modules.get(mutant.module)
    if loaded is None:
        sys.meta_path.insert(0, _Mutated(mutant.module, code))
        return
    changed = ModuleType(mutant.module)
    changed.__file__ = loaded.__file__
    sys.modules[mutant.module] = changed
    exec(code, changed.__dict__)
    sys.modules[mutant.module] = loaded
    new = dict(_functions(changed, mutant.module))
    for name, function in _functions(loaded, mutant.module):
        function.__code__ = new[name].__code__
        function.__defaults__, function.__kwdefaults__ = new[name].__defaults__, new[name].__kwdefaults__


class _Asked:
    """A plugin of pytest: which tests run, in which order, which failed, and (when asked) which lines each reached."""

    def __init__(
        self, order: Sequence[str] | None = None, traced: str | None = None, further: tuple[str, ...] = ()
    ) -> None:
        self.order, self.traced, self.further = order, traced, further
        self.failed: str | None = None
        self.reached: dict[str, set[int]] = defaultdict(set)
        self.took: dict[str, float] = {}
        self.current = ""

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        if self.order is not None:
            rank = {name: index for index, name in enumerate(self.order)}
            asked = [one for one in items if one.nodeid in rank or one.nodeid.startswith(self.further)]
            items[:] = sorted(asked, key=lambda one: rank.get(one.nodeid, len(rank)))

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.took[report.nodeid] = self.took.get(report.nodeid, 0.0) + report.duration
        if report.failed and self.failed is None:
            self.failed = report.nodeid

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.current = nodeid

    def trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename != self.traced:
            return None
        self.reached[self.current].add(frame.f_lineno)
        return self._line

    def _line(self, frame: FrameType, event: str, arg: Any) -> Any:
        self.reached[self.current].add(frame.f_lineno)
        return self._line


def _pytest(files: Sequence[str], asked: _Asked, folder: Path) -> int:
    import pytest

    options = ["-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:unraisableexception"]
    options += ["-p", "_hypothesis_pytestplugin", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    options += ["-o", "addopts=--import-mode=importlib", f"--basetemp={folder / 'tmp'}", f"--rootdir={ROOT}"]
    return int(pytest.main([*options, *files], plugins=[asked]))


def _forked(work: Any, cpu: float) -> tuple[Any, int | None]:
    """Do work in a process of its own: what it says, and the signal that ended it if one did."""
    folder = Path(tempfile.mkdtemp(prefix="mutant."))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(reading)
        try:
            seconds = math.ceil(cpu)
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            said = json.dumps(work(folder)).encode()
            while said:
                said = said[os.write(writing, said) :]
        finally:
            os._exit(0)
    os.close(writing)
    said = b""
    with os.fdopen(reading, "rb") as stream:
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
        signal.alarm(WALL)
        said = stream.read()
    _, status = os.waitpid(child, 0)
    signal.alarm(0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
    return (json.loads(said) if said else None), (os.WTERMSIG(status) if os.WIFSIGNALED(status) else None)


def preload(files: Sequence[str]) -> None:
    """Import what takes long, and read the packs; no verdict is made, so that none is remembered."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "browser")]
    os.chdir(ROOT)
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ["HYPOTHESIS_PROFILE"] = "mutation"
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import hypothesis

    hypothesis.settings.register_profile(
        "mutation",
        deadline=None,
        derandomize=True,
        database=None,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
        suppress_health_check=tuple(hypothesis.HealthCheck),
    )
    import goodcommission.baselines
    import goodcommission.cli
    import goodcommission.configuration
    import goodcommission.waivers

    goodcommission.load_packs()
    # The tests' own modules too; what they found out while they were imported is forgotten.
    shown = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    _pytest([*files, "--collect-only"], _Asked(), Path(tempfile.gettempdir()) / "mutant.collected")
    os.dup2(shown, 1)
    from goodcommission.engine.verdicts import CompiledRule

    for one in gc.get_objects():
        if isinstance(one, CompiledRule):
            one.memory.clear()
        elif hasattr(one, "cache_clear") and getattr(one, "__module__", "") in SELECTIONS:
            one.cache_clear()
    gc.collect()
    gc.freeze()


@dataclass(slots=True)
class Selection:
    """The tests of one module."""

    names: list[str]
    """The fastest first."""
    took: dict[str, float]
    reached: dict[int, set[str]]
    cpu: float

    def order(self, mutant: Mutant, seconds: float) -> list[str]:
        """Those that reach its lines, the fastest first, as far as the seconds go; without end, then all others."""
        near = set().union(*(self.reached.get(line, set()) for line in mutant.lines))
        first = [name for name in self.names if name in near] or self.names
        if seconds == math.inf:
            return [*first, *(name for name in self.names if name not in near)]
        spent = itertools.accumulate(self.took[name] for name in first)
        return [name for name, so_far in zip(first, spent, strict=True) if so_far <= seconds] or first[:1]


def test_files(module: str) -> list[str]:
    return [f"tests/{name}.py" for name in SELECTIONS[module]]


def files_of(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(name.partition("::")[0] for name in names))


def select(module: str) -> Selection:
    """Run the module's tests, unchanged: once for the lines that each reaches, once for the seconds that it takes."""
    path = str(source_of(module))
    files = test_files(module)

    def work(folder: Path) -> Any:
        # Lines first: what the first run of the tests makes the library remember, the second no longer reaches.
        timed, asked, status = _Asked(), _Asked(traced=path), 0
        if module not in EVERYWHERE:
            sys.settrace(asked.trace)
            status = _pytest(files, asked, folder)
            sys.settrace(None)
        started = time.process_time()
        status = status or _pytest(files, timed, folder)
        cpu = time.process_time() - started
        reached = {name: sorted(lines) for name, lines in asked.reached.items()}
        return [status, timed.failed or asked.failed, reached, timed.took, cpu]

    said, ended = _forked(work, 3600)
    if said is None or said[0] != 0:
        raise SystemExit(f"{module}: its tests do not pass unchanged ({said and said[1]}, signal {ended})")
    _, _, reached, took, cpu = said
    lines: dict[int, set[str]] = defaultdict(set)
    for name, of_test in reached.items():
        for line in of_test:
            lines[line].add(name)
    return Selection(sorted(took, key=lambda name: (took[name], name)), took, lines, cpu)


def try_one(mutant: Mutant, selection: Selection, budget: float) -> dict[str, Any]:
    """Whether a test notices."""
    cold = budget == math.inf
    order = selection.order(mutant, budget)
    further = tuple(f"tests/{name}.py" for name in LATER.get(mutant.module, ()) if cold)

    def work(folder: Path) -> Any:
        put_in(mutant, cold=cold)
        asked = _Asked(order, further=further)
        status = _pytest([*files_of(order), *further], asked, folder)
        return [status, asked.failed]

    started = time.monotonic()
    # What runs on for ever is stopped: by the seconds that it uses, as the machine may be busy.
    said, ended = _forked(work, 10 + 3 * (selection.cpu + 60 if cold else budget))
    by = None
    if said is None:
        outcome = "timeout" if ended in (signal.SIGXCPU, signal.SIGKILL) else "killed"
        by = f"signal {ended}"
    else:
        status, failed = said
        if status == NO_TESTS:
            raise SystemExit(f"{mutant.id}: no test was run, so that none could notice it")
        outcome = "survived" if status == 0 else "killed"
        by = failed or (None if status == 0 else f"status {status} of pytest")
    return {
        "module": mutant.module,
        "id": mutant.id,
        "place": mutant.place,
        "line": mutant.lines[0],
        "was": mutant.was,
        "now": mutant.now,
        "outcome": outcome,
        "by": by,
        "seconds": round(time.monotonic() - started, 2),
    }


def wilson(killed: int, tried: int, z: float = 1.96) -> tuple[float, float]:
    """The interval that holds the true share with 95 % confidence, where only a sample was tried."""
    if not tried:
        return 0.0, 1.0
    share = killed / tried
    middle = (share + z * z / (2 * tried)) / (1 + z * z / tried)
    half = z * math.sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried)) / (1 + z * z / tried)
    return middle - half, middle + half


def explained() -> dict[str, str]:
    """The survivors that are known, by id, with the reason why each is let be."""
    groups = yaml.safe_load(SURVIVORS.read_text("utf-8")) if SURVIVORS.exists() else []
    return {one["id"]: group["why"] for group in groups for one in group["mutants"]}


def report(results: dict[str, dict[str, Any]], all_of: dict[str, list[Mutant]], *, show: bool) -> int:
    """Print the table; 1 if a survivor is not explained."""
    known = explained()
    print(f"{'module':32} {'mutants':>8} {'tried':>6} {'killed':>7} {'timeout':>8} {'survived':>9} {'score':>7}")
    news = 0
    for module, mutants in all_of.items():
        tried = [results[one.id] for one in mutants if one.id in results]
        count = Counter(one["outcome"] for one in tried)
        noticed = count["killed"] + count["timeout"]
        share = f"{100 * noticed / len(tried):.1f}%" if tried else "-"
        note = ""
        if tried and len(tried) < len(mutants):
            low, high = wilson(noticed, len(tried))
            note = f"  (95 % interval: {100 * low:.1f} to {100 * high:.1f})"
        print(
            f"{module:32} {len(mutants):8} {len(tried):6} {count['killed']:7} {count['timeout']:8} "
            f"{count['survived']:9} {share:>7}{note}"
        )
        new = [one for one in tried if one["outcome"] == "survived" and one["id"] not in known]
        news += len(new)
        if show:
            for one in sorted(new, key=lambda one: one["line"]):
                print(f"  {one['id']} line {one['line']} in {one['place']}\n    - {one['was']}\n    + {one['now']}")
        tried_ids = {one["id"] for one in tried}
        for id in known:
            if id in tried_ids and results[id]["outcome"] != "survived":
                print(f"  {id} is in {SURVIVORS.name}, and a test notices it now: {results[id]['now']}")
    print(f"{news} survivors are not explained in {SURVIVORS.name}." if news else "Each survivor is explained.")
    return 1 if news else 0


def read_results(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_text().splitlines():
            yield json.loads(line)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="the last part of their names; without any: all")
    parser.add_argument("--sample", type=int, help="so many of each module, drawn with a fixed seed")
    parser.add_argument("--results", type=Path, default=ROOT / ".mutation.jsonl", help="kept, and added to")
    parser.add_argument("--report", action="store_true", help="only the table")
    parser.add_argument("--again", action="store_true", help="try the survivors that nobody has explained again")
    parser.add_argument("--tests", type=float, default=FIRST, help="seconds of tests for each; inf is all, loaded anew")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after so many")
    options = parser.parse_args()
    chosen = [m for m in SELECTIONS if not options.modules or m.rpartition(".")[2] in options.modules]
    if not chosen:
        parser.error(f"there are {', '.join(m.rpartition('.')[2] for m in SELECTIONS)}")
    all_of = {module: mutants_of(module) for module in chosen}
    results = {one["id"]: one for one in read_results(options.results)}
    if not options.report:
        preload(sorted({file for module in chosen for file in test_files(module)}))
        started, known = time.monotonic(), explained()
        todo: list[list[Mutant]] = []
        for mutants in all_of.values():
            part = mutants[: options.sample]
            todo.append(
                [
                    one
                    for one in part
                    if one.id not in results
                    or (options.again and results[one.id]["outcome"] == "survived" and one.id not in known)
                ]
            )
        selections = {module: select(module) for module, mine in zip(all_of, todo, strict=True) if mine}
        with options.results.open("a", encoding="utf-8") as out:
            for mutant in itertools.chain.from_iterable(itertools.zip_longest(*todo)):
                if mutant is None:
                    continue
                if time.monotonic() - started > options.seconds:
                    break
                one = results[mutant.id] = try_one(mutant, selections[mutant.module], options.tests)
                out.write(json.dumps(one) + "\n")
                out.flush()
    return report(results, all_of, show=True)


if __name__ == "__main__":
    sys.exit(main())
