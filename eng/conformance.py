"""What scripts/conformance does: the suites of Eclipse Paho, test by test, against an open broker."""
import argparse, contextlib, importlib, io, json, logging, os, socket, subprocess, sys, tempfile, time, unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REPOSITORY = "https://github.com/eclipse/paho.mqtt.testing"
NOSUBSCRIBE = "devices/another/nosubscribe"
KNOWN = {
    ("3.1.1", "test_dollar_topics"): "a publish to $... is refused, as 4.7.2 asks: the connection ends (3.3.5)",
    ("5.0", "test_dollar_topics"): "a publish to $... is refused; the suite reads no reason string (3.4.2.2.2)",
    ("5.0", "test_subscribe_failure"): "the suite takes 0x80 alone; the answer is 0x87, not authorized (3.9.3)",
}
OPEN_BROKER = {"Gateway": {"KeepAliveMax": "60s", "TopicSpaces": {
    "Enabled": True, "AllowAnonymous": True, "Spaces": [{
        "Name": "all", "Retain": True,
        "Publish": [{"Filter": "#", "Everyone": True}], "Subscribe": [{"Filter": "#", "Everyone": True}]}]}}}


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--only", default="")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--no-wait", action="store_true")
    options = parser.parse_args()
    sys.path.insert(0, os.path.join(folder_of(os.environ.get("PAHO_TESTING")), "interoperability"))
    with open_broker() as port:
        results = [result for _ in range(options.repeat)
                   for version, name in (("3.1.1", "client_test"), ("5.0", "client_test5"))
                   for result in run(version, name, port, options)]
    failed = sum(1 for result in results if result == "failed")
    known = sum(1 for result in results if result == "known")
    print(f"{len(results) - failed - known} passed, {failed} failed, {known} known deviations")
    return 0 if failed == 0 and results else 1


def folder_of(suite):
    folder = suite or os.path.join(ROOT, "artifacts", "paho.mqtt.testing")
    if not suite and not os.path.isdir(folder):
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", REPOSITORY, folder], check=True)
    if not os.path.isfile(os.path.join(folder, "interoperability", "client_test5.py")):
        sys.exit(f"{folder} does not hold the suite of {REPOSITORY}")
    return os.path.abspath(folder)


@contextlib.contextmanager
def open_broker():
    millrace = os.path.join(ROOT, "artifacts", "millrace")
    if not os.path.isfile(millrace):
        sys.exit("artifacts/millrace is missing: run `make build`")
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        config = os.path.join(data, "open.json")
        with open(config, "w") as file:
            json.dump(OPEN_BROKER, file)
        broker = subprocess.Popen(
            [millrace, "run", "--roles", "gateway", "--config", config, "--data", os.path.join(data, "broker"),
             "--set", f"Gateway:Mqtt:Port={port}", "--set", f"Http:Port={free_port()}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            wait_for(port, broker)
            yield port
        finally:
            broker.terminate()
            broker.communicate()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, broker):
    for _ in range(600):
        if broker.poll() is not None:
            sys.exit(f"the broker ended:\n{broker.stdout.read()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    sys.exit("the broker does not listen")


def run(version, name, port, options):
    """The result of each test: passed, failed or known."""
    suite = importlib.import_module(name)
    prepare(suite, port, options.no_wait)
    print(f"MQTT {version}", flush=True)
    cases = [case for case in unittest.TestLoader().loadTestsFromTestCase(suite.Test)
             if options.only in case.id().rsplit(".", 1)[1]]
    if not cases:
        return []
    with captured():
        suite.Test.setUpClass()
    return [run_case(version, case) for case in cases]


def run_case(version, case):
    name = case.id().rsplit(".", 1)[1]
    result, started = unittest.TestResult(), time.monotonic()
    with captured() as said:
        case.run(result)
    reason = KNOWN.get((version, name))
    outcome = "passed" if result.wasSuccessful() else "known" if reason else "failed"
    print(f"  {name:<34} {outcome:<7} {time.monotonic() - started:5.1f} s"
          + (f"  {reason}" if outcome == "known" else ""), flush=True)
    if outcome == "failed":
        for _, trace in result.failures + result.errors:
            print(indent(trace))
        print(indent(said.getvalue()))
    return outcome


def indent(text):
    return "\n".join("    " + line for line in text.strip().splitlines()[-15:])


@contextlib.contextmanager
def captured():
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        yield said


def prepare(suite, port, no_wait):
    """What the suite's own main does, and sets no differently by its options."""
    logging.disable(logging.CRITICAL)
    suite.host, suite.port, suite.topic_prefix = "127.0.0.1", port, "client_test5/"
    levels = ("TopicA", "TopicA/B", "Topic/C", "TopicA/C", "/TopicA")
    wild = ("TopicA/+", "+/C", "#", "/#", "/+", "+/+", "TopicA/#")

    def set_data():
        suite.topics, suite.wildtopics, suite.nosubscribe_topics = levels, wild, (NOSUBSCRIBE,)

    set_data()
    suite.setData = set_data
    if no_wait or hasattr(suite, "waits"):
        return
    suite.waits = True
    client = suite.mqtt_client.Client
    client.subscribe = waiting(client.subscribe, "subscribeds")
    client.unsubscribe = waiting(client.unsubscribe, "unsubscribeds")


def waiting(call, answers):
    def called(self, *arguments, **named):
        heard = getattr(self.callback, answers, None)
        before = len(heard) if heard is not None else 0
        result = call(self, *arguments, **named)
        for _ in range(200):
            if heard is None or len(heard) > before:
                break
            time.sleep(0.01)
        return result
    return called


if __name__ == "__main__":
    sys.exit(main())
