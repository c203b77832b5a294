"""Our routing against Alertmanager's own: the same tree and labels lead to the same receivers."""

import random
import shutil
import subprocess

import pytest
import yaml

from alerts.config import read_config

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed"),
]
NAMES, VALUES = ("severity", "team", "env"), ("page", "ticket", "prod", "pro", "a.b", "axb", "")
PATTERNS = ("p.*", "page|ticket", "pro", "pro.?", "(?i)PROD", r"a\.b", "a.b", ".+", ".*", "", "[pt].*", "pr(o|x)d{0,1}")
RECEIVERS = [f"r{number}" for number in range(6)]


def matcher(dice):
    operator = dice.choice(["=", "!=", "=~", "!~"])
    value = dice.choice(PATTERNS if operator.endswith("~") else VALUES).replace("\\", "\\\\")
    return f'{dice.choice(NAMES)}{operator}"{value}"'


def route(dice, depth):
    """Return a random route, in the form of both files, with at most *depth* routes below one another."""
    found = {"matchers": [matcher(dice) for _ in range(dice.randint(1, 2))], "continue": dice.random() < 0.4}
    if dice.random() < 0.8:
        found["receiver"] = dice.choice(RECEIVERS)
    found["routes"] = [route(dice, depth - 1) for _ in range(dice.randint(0, 3))] if depth else []
    return found


def by_amtool(path, labels):
    command = ["amtool", "config", "routes", "test", f"--config.file={path}", *(f"{k}={v}" for k, v in labels.items())]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip().split(",")


@pytest.mark.parametrize("seed", range(15))
def test_routes_lead_where_alertmanager_leads_them(seed, tmp_path):
    dice = random.Random(seed)
    tree = {"receiver": "r0", "routes": [route(dice, 2) for _ in range(3)]}
    theirs = tmp_path / "alertmanager.yml"
    theirs.write_text(yaml.safe_dump({"route": tree, "receivers": [{"name": name} for name in RECEIVERS]}))
    receivers = [{"name": name, "webhook_configs": [{"url": f"https://{name}.example"}]} for name in RECEIVERS]
    ours = read_config(yaml.safe_dump({"route": tree, "receivers": receivers}), "alerts.yaml").route
    for _ in range(12):
        labels = {name: dice.choice([value for value in VALUES if value]) for name in NAMES if dice.random() < 0.8}
        assert [found.receiver for found in ours.routes_of(labels)] == by_amtool(theirs, labels), labels
