"""The composition root: commands, settings, supervision."""

import os

# whatever plugins of pydantic happen to be installed beside us would run at each model, and take half a second to load
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
