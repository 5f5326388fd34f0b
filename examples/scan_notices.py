"""A scan of published notices and what it shows, cell by cell: run it whole, or step by step in a notebook.

    pip install 'goodcommission[scan]' altair vl-convert-python
    python examples/scan_notices.py                          # the notices of examples/ocds
    python examples/scan_notices.py notices/ charts/         # your own, and where the charts go

Editors that know ``# %%`` (VS Code, PyCharm, Spyder, Jupytext) show the parts as cells.
"""

# %% What is scanned, and where the charts go
from __future__ import annotations

import sys
from pathlib import Path

import altair as alt
import polars as pl

from goodcommission import load_packs
from goodcommission.scan import scan

notices_at = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "ocds"
charts_at = Path(sys.argv[2]) if len(sys.argv) > 2 else Path("charts")
charts_at.mkdir(parents=True, exist_ok=True)

VERDICTS = ["pass", "fail", "unknown", "not_yet_due", "not_applicable"]
COLOURS = ["#2e7d32", "#c62828", "#b0bec5", "#cfd8dc", "#eceff1"]  # what is not known is grey: no reproach
verdict_colour = alt.Color("verdict:N", title="verdict", scale=alt.Scale(domain=VERDICTS, range=COLOURS))

# %% One scan, two tables: a row a notice, and a row a notice and rule
looked_at = scan([notices_at], jobs=1)
notices, rules = looked_at.to_polars()
print(looked_at.counts)
print(notices.select("ocid", "buyer", "stage", "value", "passed", "failed", "unknown"))
for one in looked_at.errors[:5]:
    print("rejected:", one.file, one.line, one.reason)

# %% How much can be decided at all: the first question to any published data
verdicts = rules.with_columns(pl.col("pack", "verdict").cast(pl.String)).group_by("pack", "verdict").len()
verdicts = verdicts.with_columns(place=pl.col("verdict").replace_strict(VERDICTS, range(len(VERDICTS))))
shares = alt.Chart(verdicts, title="What the notices decide, by pack").mark_bar()
shares = shares.encode(
    x=alt.X("len:Q", stack="normalize", title="share of the answers", axis=alt.Axis(format="%")),
    y=alt.Y("pack:N", title=None),
    color=verdict_colour,
    order=alt.Order("place:Q"),
)
shares.save(charts_at / "decided.svg")

# %% What the answers wait for: the facts that are missing most often
missing = (
    rules.filter(pl.col("verdict") == "unknown")
    .select(pl.col("missing").cast(pl.String).str.split(" ").alias("fact"))
    .explode("fact")
    .filter(pl.col("fact") != "")
    .group_by("fact")
    .len()
    .top_k(15, by="len")
)
waiting = alt.Chart(missing, title="The facts that most answers wait for").mark_bar()
waiting = waiting.encode(x=alt.X("len:Q", title="answers"), y=alt.Y("fact:N", sort="-x", title=None))
waiting.save(charts_at / "missing.svg")

# %% Where practice can be seen: of the rules that notices decide, how many are met
packs = load_packs()
title_of = {rule.rule.id: f"{rule.rule.id} {rule.rule.title}" for rule in packs.rules}
decided = (
    rules.filter(pl.col("verdict").is_in(["pass", "fail"]))
    .group_by(pl.col("rule").cast(pl.String), pl.col("verdict").cast(pl.String))
    .len()
    .with_columns(pl.col("rule").replace(title_of))
)
met = alt.Chart(decided, title="Met and not met, where it can be told").mark_bar()
met = met.encode(
    x=alt.X("len:Q", title="notices"),
    y=alt.Y("rule:N", title=None, axis=alt.Axis(labelLimit=400)),
    color=verdict_colour,
)
met.save(charts_at / "met.svg")

# %% From a figure back to its notices: each row names its file, line and pointer
example = rules.filter(pl.col("verdict") == "fail").join(notices, on="notice").head(3)
for row in example.iter_rows(named=True):
    print(f"{row['rule']} is not met by {row['ocid']}, {row['file']}:{row['line']} {row['pointer']}: {row['values']}")
print("charts:", ", ".join(sorted(path.name for path in charts_at.glob("*.svg"))))
