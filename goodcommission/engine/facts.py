"""What conditions are asked with: the facts of a description, by the names that the engine knows them."""

from goodcommission.description.facts import (
    COMPLETE,
    EPOCH,
    GIVEN,
    Fact,
    Facts,
    FactType,
    date,
    days,
    dictionary,
    gather,
)

__all__ = ["COMPLETE", "EPOCH", "GIVEN", "Fact", "FactType", "Facts", "date", "days", "dictionary", "gather"]
