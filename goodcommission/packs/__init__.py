"""Rule packs: their model, loading, compiling and checking."""
