using System.Globalization;
using System.Text;
using Millrace.Contracts;
using Millrace.Integration.Tests.Gateway;
using Millrace.Mqtt;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>What becomes of records whose publishes the broker refuses.</summary>
public class BridgeRefusalTests
{
    private static readonly (string, string)[] Alerts =
        [("Outputs:0:From", "alerts"), ("Outputs:0:Topic", "hub/{key}")];

    [Test]
    public async Task A_topic_that_the_broker_does_not_allow_holds_nothing_up_for_good()
    {
        await using var broker = new StrictBroker
        {
            Answer = (topic, _) => topic == "hub/bad" ? ReasonCode.NotAuthorized : ReasonCode.Success,
        };
        await using var host = await StartAsync(broker, ("RefusedTriesMax", "3"));

        await AppendAsync(host, [.. Enumerable.Range(0, 33).Select(n => new Row(n % 11 == 5 ? "bad" : "good", n))]);
        await CommittedAsync(host, 33);

        Assert.That(On(broker, "hub/good"), Is.EqualTo(Enumerable.Range(0, 33).Where(n => n % 11 != 5)), "once each");
        Assert.That(On(broker, "hub/bad"), Is.EqualTo(new[] { 5, 16, 27, 5, 16, 27, 5, 16, 27 }), "three tries");
        Assert.That(host.Meters["bridge.sent/plant"], Is.EqualTo(30));
        Assert.That(host.Meters["bridge.unsendable/plant"], Is.EqualTo(3));
        Assert.That(host.Meters["bridge.failures/plant"], Is.EqualTo(2), "each wait is told");
        var letters = await BridgeIntakeTests.LettersAsync(host);
        Assert.That(letters.Select(letter => letter.Offset), Is.EqualTo(new[] { 5, 16, 27 }));
        Assert.That(letters.Select(letter => (letter.ErrorCode, letter.Reason)).Distinct(),
            Is.EqualTo(new[] { ("GW-0106", "bridge plant: refused: NotAuthorized: hub/bad") }));

        // The topic had its tries: what comes for it later waits no more.
        await AppendAsync(host, new Row("bad", 33), new Row("good", 34));
        await CommittedAsync(host, 35);
        Assert.That(On(broker, "hub/bad").Count(), Is.EqualTo(10));
        Assert.That(host.Meters["bridge.failures/plant"], Is.EqualTo(2));
    }

    [Test]
    public async Task A_topic_that_is_allowed_before_its_tries_are_over_loses_nothing()
    {
        var isAllowed = false;
        await using var broker = new StrictBroker
        {
            Answer = (topic, _) => topic == "hub/bad" && !Volatile.Read(ref isAllowed)
                ? ReasonCode.NotAuthorized
                : ReasonCode.Success,
        };
        await using var host = await StartAsync(broker, ("RefusedTriesMax", "1000"));

        await AppendAsync(host, new Row("good", 0), new Row("bad", 1), new Row("good", 2));
        await Eventually.TrueAsync(() => On(broker, "hub/bad").Count() > 1, "it is tried again");
        await CommittedAsync(host, 1);
        Volatile.Write(ref isAllowed, true);

        await CommittedAsync(host, 3);
        Assert.That(On(broker, "hub/good"), Is.EqualTo(new[] { 0, 2 }), "what was taken is not sent again");
        Assert.That(host.Meters["bridge.sent/plant"], Is.EqualTo(3));
        Assert.That(host.Meters["bridge.unsendable/plant"], Is.Zero);
    }

    [Test]
    public async Task Where_all_go_to_one_topic_all_wait_until_it_is_allowed()
    {
        await using var broker = new StrictBroker { Answer = (_, _) => ReasonCode.NotAuthorized };
        await using var host = await StartAsync(broker, ("RefusedTriesMax", "1"), ("Outputs:0:Topic", "hub/alerts"));

        await AppendAsync(host, new Row("pump", 0), new Row("fan", 1));
        await Eventually.TrueAsync(() => host.Meters["bridge.failures/plant"] >= 2, "it is tried again");
        broker.Answer = (_, _) => ReasonCode.Success;

        await CommittedAsync(host, 2);
        Assert.That(host.Meters["bridge.sent/plant"], Is.EqualTo(2));
        Assert.That(host.Meters["bridge.unsendable/plant"], Is.Zero);
    }

    [TestCase(ReasonCode.TopicNameInvalid)]
    [TestCase(ReasonCode.PayloadFormatInvalid)]
    public async Task A_message_that_no_broker_would_take_is_tried_once(ReasonCode reason)
    {
        await using var broker = new StrictBroker
        {
            Answer = (topic, _) => topic == "hub/bad" ? reason : ReasonCode.Success,
        };
        await using var host = await StartAsync(broker);

        await AppendAsync(host, new Row("good", 0), new Row("bad", 1), new Row("good", 2));
        await CommittedAsync(host, 3);

        Assert.That(broker.Published, Has.Count.EqualTo(3));
        Assert.That(host.Meters["bridge.failures/plant"], Is.Zero);
        Assert.That((await BridgeIntakeTests.LettersAsync(host)).Single().Reason,
            Is.EqualTo($"bridge plant: refused: {reason}: hub/bad"));
    }

    [TestCase(ReasonCode.QuotaExceeded)]
    [TestCase(ReasonCode.UnspecifiedError)]
    [TestCase(ReasonCode.ImplementationSpecificError)]
    public async Task When_the_broker_takes_nothing_for_now_what_it_took_is_kept_and_the_rest_waits_in_order(
        ReasonCode reason)
    {
        var isFull = true;
        await using var broker = new StrictBroker
        {
            Answer = (_, body) =>
                Volatile.Read(ref isFull) && Numbers.Number(body) >= 4 ? reason : ReasonCode.Success,
        };
        await using var host = await StartAsync(broker, ("RefusedTriesMax", "1"));

        await AppendAsync(host, [.. Enumerable.Range(0, 10).Select(n => new Row("pump", n))]);
        await Eventually.TrueAsync(() => host.Meters["bridge.failures/plant"] >= 2, "it tries more than once");
        await CommittedAsync(host, 4);
        Volatile.Write(ref isFull, false);
        await CommittedAsync(host, 10);

        var numbers = On(broker, "hub/pump").ToList();
        Assert.That(numbers.Take(4), Is.EqualTo(Enumerable.Range(0, 4)));
        Assert.That(numbers.Skip(4), Has.All.GreaterThanOrEqualTo(4), "what it took is not sent again");
        Assert.That(numbers.TakeLast(6), Is.EqualTo(Enumerable.Range(4, 6)), "in order");
        Assert.That(host.Meters["bridge.unsendable/plant"], Is.Zero);
    }

    [Test]
    public async Task A_row_that_waits_is_not_fenced_off_by_the_owner_after_it_over_a_restart()
    {
        using var folder = new TemporaryFolder();
        await using var broker = new StrictBroker
        {
            Answer = (_, body) => Numbers.Number(body) == 1 ? ReasonCode.QuotaExceeded : ReasonCode.Success,
        };
        var settings = BridgeSettings.Of(broker.Port, more: Alerts);
        await using (var host = await GatewayHost.StartInAsync(folder.Path, settings))
        {
            await CommittedAsync(host, 0);
            await AppendAsync(host, new Row("pump", 0, 1), new Row("pump", 1, 1), new Row("pump", 2, 2),
                new Row("pump", 3, 1));
            await CommittedAsync(host, 1);
        }

        broker.Answer = (_, _) => ReasonCode.Success;
        var before = broker.Published.Count;
        await using (var host = await GatewayHost.StartInAsync(folder.Path, settings))
        {
            await CommittedAsync(host, 4);
            Assert.That(On(broker, "hub/pump").Skip(before), Is.EqualTo(new[] { 1, 2 }));
            Assert.That(host.Meters["bridge.fenced/plant"], Is.EqualTo(1), "the stale row alone");
        }
    }

    private static async Task<GatewayHost> StartAsync(StrictBroker broker, params (string, string)[] more)
    {
        var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port, more:
            [.. Alerts.Where(each => more.All(other => other.Item1 != each.Item1)), .. more]));
        await CommittedAsync(host, 0);
        return host;
    }

    /// <summary>One batch.</summary>
    private static async Task AppendAsync(GatewayHost host, params Row[] rows)
    {
        using var records = new RecordBatchBuilder();
        foreach (var row in rows)
        {
            records.Begin(0, Encoding.UTF8.GetBytes(row.Key));
            records.AddHeader(OutputHeaders.Query, "hot/1"u8);
            records.AddHeader(OutputHeaders.Epoch,
                Encoding.UTF8.GetBytes(row.Epoch.ToString(CultureInfo.InvariantCulture)));
            records.End(Encoding.UTF8.GetBytes($$"""{"n":{{row.Number}}}"""));
        }

        await host.Log.AppendAsync(new TopicPartition(Topics.Alerts, 0), records);
    }

    private static IEnumerable<int> On(StrictBroker broker, string topic) => broker.Published
        .Where(message => message.Topic == topic).Select(message => Numbers.Number(message.Body));

    private static Task CommittedAsync(GatewayHost host, long offset) => Eventually.TrueAsync(async () =>
        (await host.Log.CommittedAsync("bridge.plant", new TopicPartition(Topics.Alerts, 0)))?.NextOffset == offset,
        $"offset {offset} is committed");

    /// <param name="Epoch">Of its owner.</param>
    private sealed record Row(string Key, int Number, long Epoch = 1);
}
