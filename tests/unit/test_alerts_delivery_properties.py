"""Whatever receivers answer and whenever the process dies: at least once or given up, in order, one at a time."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery_queue import DeliveryQueue
from alerts.errors import ChannelError
from tests.unit.deliveries import parcel

DAY_S = 86_400.0
GROUPS = ("a", "b", "c")
ERRORS = {
    "fails": ChannelError("503", permanent=False),
    "asks for time": ChannelError("429", permanent=False, retry_after_s=90),
    "refuses": ChannelError("400", permanent=True),
}
STEPS = st.one_of(
    st.tuples(st.just("decide"), st.sampled_from(GROUPS)),
    st.tuples(st.just("pass"), st.sampled_from([0.1, 3.0, 40.0, 4000.0, DAY_S])),
    st.tuples(st.just("send"), st.none()),
    st.tuples(st.just("answer"), st.tuples(st.integers(0, 7), st.sampled_from(["takes", *ERRORS]))),
    st.tuples(st.just("unheard"), st.integers(0, 7)),
    st.tuples(st.just("restart"), st.none()),
)


@dataclass
class Life:
    """A queue, the store it is filled from, and everything that a receiver saw."""

    now_s: float = 0.0
    decided: dict[str, list] = field(default_factory=lambda: {group: [] for group in GROUPS})
    settled: dict[str, str] = field(default_factory=dict)
    sent: list = field(default_factory=list)
    sending: list = field(default_factory=list)
    queue: DeliveryQueue = field(default_factory=lambda: DeliveryQueue("hook"))

    def decide(self, group):
        item = parcel(group, len(self.decided[group]) + 1)
        self.decided[group].append((item, self.now_s + DAY_S))
        assert self.queue.add(item, self.now_s, self.now_s + DAY_S)

    def elapse(self, seconds):
        self.now_s += seconds

    def send(self, _=None):
        item = self.queue.take(self.now_s)
        if item is None:
            return
        group, number = item.notification.group_key, item.notification.number
        assert group not in {other.notification.group_key for other in self.sending}, "one at a time"
        earlier = [before.notification.id for before, _ in self.decided[group][: number - 1]]
        assert all(name in self.settled for name in earlier), "in order"
        assert item.notification.id not in self.settled, "what is settled is not sent again"
        self.sending.append(item)
        self.sent.append(item.notification.id)

    def answer(self, which):
        place, outcome = which
        if self.sending:
            item = self.sending.pop(place % len(self.sending))
            self.settle(item, outcome)

    def settle(self, item, outcome):
        if outcome == "takes":
            self.queue.delivered(item, self.now_s)
            self.settled[item.notification.id] = "sent"
        elif not self.queue.failed(item, ERRORS[outcome], self.now_s):
            self.settled[item.notification.id] = "dead"

    def unheard(self, _place):
        """The receiver takes one and the process dies before it hears of it."""
        if self.sending:
            self.restart()

    def restart(self, _=None):
        self.sending.clear()
        self.queue = DeliveryQueue("hook")
        for waiting in self.decided.values():
            for item, deadline_s in waiting:
                if item.notification.id not in self.settled:
                    assert self.queue.add(item, self.now_s, deadline_s)


@given(st.lists(STEPS, max_size=60))
def test_each_notification_is_sent_or_given_up_in_order_and_one_at_a_time_in_its_group(steps):
    life = Life()
    actions = {"pass": life.elapse, "decide": life.decide, "send": life.send, "answer": life.answer}
    actions |= {"unheard": life.unheard, "restart": life.restart}
    for name, value in steps:
        actions[name](value)
    while len(life.queue):  # from now on the receiver takes everything
        while life.sending:
            life.settle(life.sending.pop(), "takes")
        at_s = life.queue.next_at_s()
        if at_s is not None:
            life.now_s = max(life.now_s, at_s)
            life.send()
    ids = [item.notification.id for waiting in life.decided.values() for item, _ in waiting]
    assert set(ids) == set(life.settled)
    assert set(ids) <= set(life.sent), "nothing is given up without an attempt"
