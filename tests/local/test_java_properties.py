import subprocess
from pathlib import Path

import pytest

from local.odd_paths import ODD_NAMES
from local_stack.java_properties import properties_text

_READER = """
import java.io.*;
import java.util.*;
public class Reader {
    public static void main(String[] arguments) throws IOException {
        Properties properties = new Properties();
        try (InputStream file = new FileInputStream(arguments[0])) { properties.load(file); }
        byte[] value = properties.getProperty("key").getBytes("UTF-8");
        System.out.write(value, 0, value.length);
        System.out.flush();
    }
}
"""


def test_java_reads_each_value_back(tmp_path: Path) -> None:
    source, file = tmp_path / "Reader.java", tmp_path / "values.properties"
    source.write_text(_READER)
    value = "\n".join([" first", *ODD_NAMES, "tab\there", "key=value:other", ""])
    file.write_text(properties_text({"before": 1, "key": value, "after": tmp_path}), encoding="ascii")
    read = subprocess.run(["java", str(source), str(file)], capture_output=True, check=True, text=True)
    assert read.stdout == value


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("127.0.0.1:2181", r"key=127.0.0.1\:2181"),
        ("José", r"key=Jos\u00e9"),
        ("🗾", r"key=\ud83d\uddfe"),
        (" a  b", r"key=\ a  b"),
        (r"a\b", r"key=a\\b"),
    ],
)
def test_what_is_special_is_escaped(value: str, line: str) -> None:
    assert properties_text({"key": value}) == f"{line}\n"
