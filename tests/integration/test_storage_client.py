"""What using the database costs a process."""

import subprocess
import sys

READ_AND_WRITE = """
import sys
from storage.client import Database
database = Database(sys.argv[1])
database.command("CREATE TABLE t (time DateTime64(9, 'UTC'), name String) ENGINE Memory")
database.insert("t", [[0, "a"]], ["time", "name"])
with database.client() as client:
    print(*client.query("SELECT name, time FROM t", tz_mode="aware").result_rows, "pandas" in sys.modules)
"""


def test_reading_and_writing_rows_load_no_pandas(tmp_path):
    """It is installed, for the dashboard; the client library would load it at the first insert."""
    command = [sys.executable, "-c", READ_AND_WRITE, f"chdb://{tmp_path / 'clickhouse'}"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert found.startswith("('a', datetime.datetime(1970, 1, 1, 0, 0, tzinfo=")
    assert found.endswith("False\n")
