"""Reverts, by what they do to a page's size: a sign that is the same in every language, and no proof."""

from collections.abc import Iterable
from typing import TypedDict

from wiki_web.data.queries import MAX_SIZE


class Made(TypedDict):
    """One change of a title, `age_us` before the moment that is counted up to."""

    age_us: int
    revision_new: int | None
    length_old: int | None
    length_new: int | None
    editor: str | None


def reverts(changes: Iterable[Made]) -> int:
    """How many of a title's changes bring back a size that the page had before, and undo another's change.

    Changes are taken by their time, those of one time by their revision; those without a revision or without
    both sizes are passed over. A change is a revert if it changes the size to one that the page had before or
    after an earlier change, and of the changes since the page last had it one at least is by another editor.
    An editor whose name was removed is no other, and makes no revert.
    """
    found = 0
    undone_from: dict[int, int] = {}  # by size: the number of the first change since the page last had it
    newest = other = ("", -1)  # the newest change of a known editor, and the newest of any but that editor
    for number, (old, new, editor) in enumerate(_in_order(changes)):
        by_another = other if newest[0] == editor else newest
        if editor is not None and old != new and by_another[1] >= undone_from.get(new, number):
            found += 1
        undone_from[old] = number
        undone_from[new] = number + 1
        if editor is not None:
            newest, other = (editor, number), (other if newest[0] == editor else newest)
    return found


def _in_order(changes: Iterable[Made]) -> list[tuple[int, int, str | None]]:
    """Size before, size after and editor of each that can be compared, the oldest first."""
    comparable = []
    for made in changes:
        revision, old, new = made["revision_new"], made["length_old"], made["length_new"]
        if revision is None or old is None or new is None:
            continue
        if 0 <= old <= MAX_SIZE and 0 <= new <= MAX_SIZE:
            comparable.append((-made["age_us"], revision, old, new, made["editor"]))
    # To the last item, as the engines order lists freely.
    comparable.sort(key=lambda each: (*each[:4], each[4] or ""))
    return [(old, new, editor) for _, _, old, new, editor in comparable]
