"""A checkout that began to fail when payments was deployed: traces, logs and an alert about them."""

from datetime import UTC, datetime, timedelta

from alerts.burn_rate import signals_of
from alerts.decide import decide
from evaluator.evidence import EvidenceGatherer
from evaluator.minutes import MinuteCounter
from slo.openslo import read_openslo
from storage.standing import standings

MINUTE = timedelta(minutes=1)
OBJECTIVE = """
apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}
  annotations:
    ninelives/alert-policy: objective-breach
    ninelives/alert-windows: "10m/1m page"
    ninelives/runbook: https://runbooks.example/checkout
    ninelives/owner: team-checkout
spec:
  service: checkout
  indicator:
    metadata: {{name: {name}}}
    spec:
      ratioMetric:
        counter: false
        good: {{metricSource: {{type: spans, spec: {{{of}, good: {good}}}}}}}
        total: {{metricSource: {{type: spans, spec: {{{of}}}}}}}
  timeWindow: [{{duration: 30d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{displayName: a, target: 0.9}}]
"""
REQUESTS = "service: checkout, environment: prod, kind: server"


class EvidenceWorld:
    """Traffic of the ten minutes from `shop.base` on; the last three fail because of payments."""

    def __init__(self, database, store, otlp, shop):
        self.database, self.store, self.otlp, self.shop = database, store, otlp, shop
        self.end = shop.base + 10 * MINUTE
        self.now = self.end + timedelta(seconds=15)

    def fill(self):
        """Store the traffic and return the request of the newest failing trace."""
        for minute in range(7):
            for n in range(5):
                self.shop.checkout(at_ms=minute * 60_000 + n * 100, route="/cart")
        self.store(self.database, *self.shop.bodies(version="1"))
        for minute in range(7, 10):
            for n in range(4):
                newest = self.shop.checkout(at_ms=minute * 60_000 + n * 100, failing="payments")
            self.shop.checkout(at_ms=minute * 60_000, route="/cart")
        self.store(self.database, *self.shop.bodies(version="2"))
        return newest

    def log(self, *bodies, at, service="checkout", severity=9, **fields):
        named = {"time_unix_nano": self.otlp.ns(at), "severity_number": severity, **fields}
        records = [self.otlp.record(body, **named) for body in bodies]
        self.store(self.database, self.otlp.logs(*records, service=service), signal="logs")

    def slo(self, name="checkout-availability", *, good="not error", of=REQUESTS):
        (found,), problems = read_openslo(OBJECTIVE.format(name=name, good=good, of=of), "checkout.yaml")
        assert not problems
        return found

    def standing(self, slo):
        counter = MinuteCounter(self.database, raw_retention=timedelta(days=14))
        counter.update([slo], datetime.now(UTC))
        counter.backfiller.work(timedelta(seconds=30))
        (found,) = standings(self.database, [slo], self.now)
        return found

    def fired(self, standing):
        found = [decide(None, signal, self.now) for signal in signals_of(standing.slo, standing.evaluation)]
        (change,) = [change for change in found if change is not None]
        return change

    def gather(self, slo=None, **options):
        standing = self.standing(slo or self.slo())
        gatherer = EvidenceGatherer(self.database, **options)
        change = self.fired(standing)
        return gatherer.gather(change, standing.slo, standing.evaluation, standing.as_of, now=self.now)
