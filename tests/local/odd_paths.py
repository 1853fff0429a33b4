"""Folder names that another program's format could take for something else."""

from typing import Final

ODD_NAMES: Final = (
    "José's wíki",
    "w [x] 100%25 a+b",
    "w #a+b",
    "w ;c",
    "{a,b}, *?!",
    '$HOME `id` "q" ~',
    "back\\slash",
    "日本 🗾",
    " a space at both ends ",
)

# All at once; a comma or a brace is none of a volume's own problem.
ODDEST_NAME: Final = "José's wíki [x] {a,b} 100%25 a+b #c ;d"
