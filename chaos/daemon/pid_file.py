import json
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, Field, ValidationError

# A start time is boot time plus ticks, and the kernel's boot time moves by up to a second when the clock is set.
CREATE_TIME_TOLERANCE_S = 1.5


class PidRecord(BaseModel):
    """What a supervisor writes about the child it runs; other fields are its own affair."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int = Field(gt=1)
    create_time: float


@dataclass(frozen=True, slots=True)
class PidFile:
    """A process named by pid and start time, so that a recycled pid is never mistaken for it."""

    path: Path

    def live(self) -> psutil.Process | None:
        """Return the process that the file names, None when there is none or when it is a zombie."""
        try:
            record = PidRecord.model_validate(json.loads(self.path.read_bytes()))
            process = psutil.Process(record.pid)
            same = abs(process.create_time() - record.create_time) <= CREATE_TIME_TOLERANCE_S
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, ValidationError, psutil.Error):
            return None
