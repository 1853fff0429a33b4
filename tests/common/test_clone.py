"""A clone by somebody whose git turns line ends into Windows' ones."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_scripts_keep_their_line_ends_in_a_clone_with_autocrlf(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(("git", "clone", "--quiet", "--config", "core.autocrlf=true", ROOT, clone), check=True)
    listed = subprocess.run(
        ("git", "-C", clone, "ls-files", "--eol"), check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert [line for line in listed if "w/crlf" in line or "w/mixed" in line] == []
    files = [clone / line.split("\t")[1] for line in listed]
    scripts = [file for file in files if file.read_bytes().startswith(b"#!") and b"bash" in _first(file)]
    assert len(scripts) > 5
    for script in scripts:
        subprocess.run(("bash", "-n", script), check=True)


def _first(file: Path) -> bytes:
    return file.read_bytes().partition(b"\n")[0]
