"""The version of goodcommission."""

VERSION = "0.1.0"
