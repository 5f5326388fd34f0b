"""The report of an audit, and each form in which it is given."""
