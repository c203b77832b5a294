from alerts.config import AlertingConfig, default_config, read_config
from alerts.route import Route
from evaluator.live_routing import LiveRouting


class Channel:
    def __init__(self, name):
        self.name = name


class Courier:
    """Notes the channels that it was given, one list a time."""

    def __init__(self):
        self.given = []

    def use(self, channels):
        self.given.append([channel.name for channel in channels])


def test_channels_follow_the_configuration_and_are_made_once_for_each():
    in_force = [default_config(["http://a", "http://b"])]
    courier = Courier()
    built = []

    def build(config):
        built.append(config)
        return {item.name: [Channel(name) for name in item.channel_names] for item in config.receivers}

    routing = LiveRouting(lambda: in_force[-1], courier, build)
    first = routing()
    assert routing() is first
    assert courier.given == [["default/webhook-1", "default/webhook-2"]]
    assert first.channels_of == {"default": ["default/webhook-1", "default/webhook-2"]}
    in_force.append(AlertingConfig(route=Route("nobody")))
    assert routing().route == Route("nobody")
    assert courier.given[1:] == [[]]
    assert built == in_force


def test_the_channels_of_the_settings_webhooks_can_be_made():
    courier = Courier()
    LiveRouting(lambda: default_config(["http://127.0.0.1:9/hook"]), courier)()
    assert courier.given == [["default/webhook-1"]]


def test_channels_are_made_anew_when_the_file_of_a_secret_changes_and_only_then(tmp_path):
    secret = tmp_path / "slack"
    text = f"{{route: {{receiver: a}}, receivers: [{{name: a, slack_configs: [{{api_url_file: {secret}}}]}}]}}"
    config = read_config(text, "alerts.yaml")
    addresses = []

    def build(found):
        (settings,) = found.receivers[0].slack_configs
        addresses.append(settings.secret_value("api_url") if secret.exists() else "")
        return {"a": [Channel("a/slack-1")]}

    routing = LiveRouting(lambda: config, Courier(), build)
    for written in ("", "https://old.example/x", "https://new.example/y"):
        if written:
            replacement = tmp_path / "written"
            replacement.write_text(written)
            replacement.rename(secret)
        routing()
        routing()
    assert addresses == ["", "https://old.example/x", "https://new.example/y"]
    secret.unlink()
    routing()
    assert len(addresses) == 4
