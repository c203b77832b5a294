"""Puts together what alerts: rules beside the objectives, evidence, routes and channels, as alerts.yaml says now."""

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from alerts.alerting_file import AlertingFile
from alerts.courier import Courier
from alerts.group_message import Sign
from alerts.message import Links
from alerts.signing import LinkSigner
from evaluator.delivery_store import DeliveryStore
from evaluator.dispatcher import Dispatcher
from evaluator.evidence import EvidenceGatherer
from evaluator.evidence_queue import EvidenceQueue
from evaluator.evidence_store import EvidenceStore
from evaluator.ingest_losses import IngestLossSource
from evaluator.live_routing import LiveRouting
from evaluator.live_rules import ConfiguredSilence, ConfiguredThresholds
from evaluator.signals import SignalSource
from ninelives.access import seen_from_outside
from ninelives.link_secret import read_link_secret
from ninelives.settings import Settings
from storage.client import Database


@dataclass(frozen=True, slots=True)
class Alerting:
    """The parts of an evaluator that alert; `writer` names this start of this process among several evaluators."""

    writer: str
    file: AlertingFile
    links: Links
    sign: Sign
    thresholds: ConfiguredThresholds
    sources: tuple[SignalSource, ...]
    retired: Callable[[datetime], Mapping[tuple[str, str], str]]
    evidence: EvidenceQueue
    dispatcher: Dispatcher
    courier: Courier


def read_alerting(settings: Settings) -> AlertingFile:
    """Return alerts.yaml; that there is none is wrong only where the settings name it."""
    return AlertingFile(settings.alerts, settings.webhooks, required="alerts" in settings.model_fields_set)


def build_signer(settings: Settings) -> LinkSigner:
    """Return what signs the links of messages, and checks them.

    Raises:
        SettingsError: its secret cannot be read or made.
    """
    return LinkSigner(read_link_secret(settings.link_secret_path))


def public_api_url(settings: Settings) -> str:
    """Return where people reach what the API serves itself: the start of its links in messages and on pages."""
    return settings.external_url or f"http://{seen_from_outside(settings.api)}"


def build_alerting(settings: Settings, database: Database) -> Alerting:
    """Return the parts of an evaluator that alert.

    Raises:
        SettingsError: the secret of links cannot be read or made.
    """
    file, sign = read_alerting(settings), build_signer(settings).sign_at
    links = Links(settings.dashboard_url, public_api_url(settings))
    writer = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    thresholds, silence = ConfiguredThresholds(database, file.load), ConfiguredSilence(database, file.load)
    evidence = EvidenceStore(database, links)
    courier = Courier((), DeliveryStore(database))
    dispatcher = Dispatcher(
        database,
        courier,
        LiveRouting(file.load, courier),
        writer=writer,
        links=links,
        sign=sign,
        evidence=evidence.find,
        alone=database.address.embedded,
    )
    return Alerting(
        writer,
        file,
        links,
        sign,
        thresholds,
        (thresholds, silence, IngestLossSource(database)),
        silence.retired,
        EvidenceQueue(EvidenceGatherer(database), evidence.keep),
        dispatcher,
        courier,
    )
