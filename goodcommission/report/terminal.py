"""Text that is safe to show in any terminal: no character in it acts, and none is beyond the terminal's encoding."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# Characters that act on the terminal or on the order of the text instead of showing themselves.
_ACTING: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_PLAIN: Final[Mapping[str, str]] = {
    "█": "#",
    "▒": "=",
    "░": "-",
    "─": "-",
    "–": "-",
    "—": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "…": "...",
    "·": "-",
    "→": "->",
    "≥": ">=",
    "≤": "<=",
    "×": "x",
    "£": "GBP ",
    "€": "EUR ",
}


def neutral(text: str, most: int | None = None) -> str:
    """A text on one line, in which no character acts on the terminal or turns the writing direction.

    Args:
        text: Any text, such as a title from a notice.
        most: So many characters are kept.
    """
    if most is not None and len(text) > 4 * most:  # Not all of a megabyte is read for one line.
        start = visible(" ".join(text[: 4 * most].split()))
        if len(start) > most:
            return start[: most - 1].rstrip() + "…"
    shown = visible(" ".join(text.split()))
    return shown if most is None or len(shown) <= most else shown[: most - 1].rstrip() + "…"


def visible(text: str) -> str:
    """A text with its spaces as they are, in which each character that would act is shown by its number."""
    return _ACTING.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def degraded(text: str, encoding: str) -> str:
    """A text in the characters that an encoding has, with the nearest plain ones for the rest."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_in(character, encoding) for character in text)
    except LookupError:
        return degraded(text, "ascii")
    return text


def _in(character: str, encoding: str) -> str:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return _PLAIN.get(character, "?")
    return character
