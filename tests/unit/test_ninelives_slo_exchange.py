"""`slo import` and `slo export` as a user runs them."""

import pytest
import yaml
from click.testing import CliRunner

from ninelives.cli import main
from slo.draft import drafts
from slo.openslo import read_openslo
from slo.openslo_writer import to_openslo

SLOTH = """\
version: prometheus/v1
service: shop
slos:
  - name: orders
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(orders_total{outcome="failed"}[{{.window}}]))
        total_query: sum(rate(orders_total[{{.window}}]))
"""
LOST = """\
  - name: codes
    objective: 99
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
"""


def run(*arguments):
    return CliRunner().invoke(main, ["slo", *(str(argument) for argument in arguments)])


@pytest.fixture
def sloth(tmp_path):
    path = tmp_path / "shop.yml"
    path.write_text(SLOTH, encoding="utf-8")
    return path


@pytest.fixture
def slos(tmp_path):
    folder = tmp_path / "slos"
    folder.mkdir()
    for draft in drafts("shop", ""):
        (folder / f"{draft.id}.yaml").write_text(to_openslo(draft), encoding="utf-8")
    return folder


def test_an_import_prints_the_documents_and_tells_what_to_look_at_beside_them(sloth):
    done = run("import", sloth, "--period", "7d")
    assert done.exit_code == 0
    document = yaml.safe_load(done.stdout)
    assert document["metadata"]["name"] == "shop-orders"
    assert document["spec"]["timeWindow"] == [{"duration": "7d", "isRolling": True}]
    warning, summary = done.stderr.splitlines()
    assert warning.startswith(f"{sloth}:7: warning: shop-orders: counts orders_total of service 'shop'")
    assert summary == "1 objective(s) imported, 0 not"


def test_an_import_that_loses_an_objective_says_so_and_fails(sloth, tmp_path):
    sloth.write_text(SLOTH + LOST, encoding="utf-8")
    done = run("import", sloth, "--output", tmp_path / "new" / "slos")
    assert (done.exit_code, done.stdout) == (1, "")
    (error,) = [line for line in done.stderr.splitlines() if ": error: " in line]
    assert error.startswith(f"{sloth}:14: error: shop-codes: not imported: error_query selects with")
    assert error.endswith("; the written file proposes it over spans")
    assert done.stderr.endswith("1 objective(s) imported, 1 not\n")
    written = (tmp_path / "new" / "slos" / "shop.yaml").read_text(encoding="utf-8")
    assert "# line 14: shop-codes: not imported" in written
    assert yaml.safe_load(written)["metadata"]["name"] == "shop-orders"


def test_an_import_overwrites_nothing(sloth, tmp_path):
    (tmp_path / "shop.yaml").write_text("mine", encoding="utf-8")
    done = run("import", sloth, "--output", tmp_path)
    assert done.exit_code == 1
    assert "shop.yaml is there already" in done.stderr
    assert (tmp_path / "shop.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("nowhere.yml",), "nowhere.yml cannot be read"),
        (("shop.yml", "--period", "a month"), "--period: 'a month' is not a duration"),
        (("shop.yml", "--period", "90s"), "--period: window 0:01:30 must be whole minutes"),
    ],
)
def test_an_import_refuses_misuse(sloth, arguments, reason, monkeypatch):
    monkeypatch.chdir(sloth.parent)
    done = run("import", *arguments)
    assert done.exit_code == 2
    assert reason in done.stderr


def test_an_export_reads_back_as_the_objectives_of_the_files(slos):
    done = run("export", "--slos", slos)
    assert (done.exit_code, done.stderr) == (0, "")
    found, problems = read_openslo(done.stdout, "x.yaml")
    assert problems == []
    assert [slo.id for slo in found] == ["shop-availability", "shop-latency"]


def test_an_export_takes_only_what_is_asked_for(slos):
    found, _ = read_openslo(run("export", "--slos", slos, "shop-latency").stdout, "x.yaml")
    assert [slo.id for slo in found] == ["shop-latency"]
    done = run("export", "--slos", slos, "cart")
    assert done.exit_code == 1
    assert "'cart' is not in the SLO files; known: shop-availability, shop-latency" in done.stderr


def test_an_export_for_prometheus_is_a_file_of_rules(slos):
    done = run("export", "--slos", slos, "--format", "prometheus")
    assert (done.exit_code, done.stderr) == (0, "")
    names = [group["name"] for group in yaml.safe_load(done.stdout)["groups"]]
    assert names == ["ninelives-slo-shop-availability", "ninelives-slo-shop-latency"]


def test_an_export_tells_what_is_called_otherwise_now(slos):
    path = slos / "shop-latency.yaml"
    draft = to_openslo(drafts("shop", "")[1])
    two = "  - {displayName: gold, target: 0.95}\n  - {displayName: iron, target: 0.9}\n"
    path.write_text(draft.replace("  - target: 0.95\n", two), encoding="utf-8")
    done = run("export", "--slos", slos, "shop-latency:gold")
    assert done.exit_code == 0
    told = "shop-latency:gold: has a document and a name of its own now: shop-latency-gold"
    assert told in done.stderr.splitlines()
    assert done.stdout.startswith(f"# {told}\n")


def test_an_export_of_broken_files_exports_the_rest_and_fails(slos):
    (slos / "broken.yaml").write_text("kind: SLO\n", encoding="utf-8")
    done = run("export", "--slos", slos)
    assert done.exit_code == 1
    assert "broken.yaml:1: error:" in done.stderr
    assert len(list(yaml.safe_load_all(done.stdout))) == 2


def test_an_export_without_files_says_where_it_looked(tmp_path):
    done = run("export", "--slos", tmp_path / "none")
    assert done.exit_code == 1
    assert f"there are no SLO files in {tmp_path / 'none'}" in done.stderr
