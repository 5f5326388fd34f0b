"""The page for people who don't use a command line, and the HTTP API for the systems that do."""
