"""What mutants of the library showed that no other test noticed (mutation/run.py)."""
