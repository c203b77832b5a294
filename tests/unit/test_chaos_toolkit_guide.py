from pathlib import Path

import pytest

from chaos.toolkit import actions, probes, tolerances

GUIDE = (Path(__file__).parents[2] / "docs" / "chaos-toolkit.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*actions.__all__, *probes.__all__, *tolerances.__all__])
def test_the_guide_names_what_the_extension_offers(name):
    """Users find it there before they find `chaos discover`."""
    assert f"`{name}" in GUIDE
