using CsCheck;
using Millrace.Mqtt.Session;
using Millrace.TestKit;

namespace Millrace.Mqtt.Tests.Session;

/// <summary>
/// What each QoS promises (MQTT 5 §4.3, §4.6), both ways, over a wire that loses what is on it each time that it
/// breaks, and a server that is closed or crashes at any point.
/// </summary>
[Category("Samples")]
public class DeliveryGuaranteeTests
{
    private const int Messages = 40;
    private const int StepsMax = 100_000;
    private const int StepsThatBreak = 3_000;

    [Test]
    public void Qos_2_arrives_exactly_once_and_qos_1_at_least_once_in_order(
        [Values(MqttVersion.V311, MqttVersion.V5)] MqttVersion version) =>
        Gen.Int.Sample(seed => Run(version, seed), iter: Samples.Of(150));

    private static void Run(MqttVersion version, int seed)
    {
        var random = new Random(seed);
        var window = random.Next(1, 6);
        var server = new ModelServer(new SessionLimits(1_000, window, 0, 0, uint.MaxValue, window, 0), random);
        var client = new ModelClient(version, window);
        var wire = new LossyWire(client, server);
        var sent = Enumerable.Range(0, Messages).Select(i => (Qos: random.Next(1, 3), Body: $"{i}")).ToList();
        foreach (var (qos, body) in sent)
        {
            client.Publish(qos, body);
            server.Send(qos, body);
        }

        var steps = 0;
        while (!client.IsDone || !server.IsDone)
        {
            Assert.That(++steps, Is.LessThan(StepsMax), $"seed {seed}: it does not end");
            wire.Step(random, breaks: steps < StepsThatBreak);
        }

        AssertPromise(sent, server.Log, $"seed {seed}, {wire.Breaks} breaks, up");
        AssertPromise(sent, client.Delivered, $"seed {seed}, {wire.Breaks} breaks, down");
    }

    private static void AssertPromise(List<(int Qos, string Body)> sent, List<string> got, string where)
    {
        var doubled = got.CountBy(body => body).Where(each => each.Value > 1).Select(each => each.Key);
        Assert.That(got.Distinct(), Is.EqualTo(sent.Select(each => each.Body)), $"{where}: order");
        Assert.That(doubled, Is.SubsetOf(sent.Where(each => each.Qos == 1).Select(each => each.Body)), where);
    }
}
