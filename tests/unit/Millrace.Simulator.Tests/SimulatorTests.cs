using System.Text.Json;
using CsCheck;
using Millrace.Primitives;
using Millrace.Simulator.Fleet;
using Millrace.Simulator.Scenarios;
using Millrace.TestKit;

namespace Millrace.Simulator.Tests;

public class SimulatorTests
{
    [TestCase("drones")]
    [TestCase("machines")]
    public void The_same_seed_gives_the_same_messages_and_another_seed_others(string scenario)
    {
        var first = Messages(scenario, seed: 7, device: 3);

        Assert.That(Messages(scenario, seed: 7, device: 3), Is.EqualTo(first));
        Assert.That(Messages(scenario, seed: 8, device: 3), Is.Not.EqualTo(first));
        Assert.That(Messages(scenario, seed: 7, device: 4), Is.Not.EqualTo(first));
    }

    [Test]
    public void Drones_send_flight_data_every_5_s_and_status_every_20_s()
    {
        var model = Scenario.Models("drones", 1)(0);
        var messages = Enumerable.Range(0, 5_000).Select(_ => model.Next()).ToList();
        var seconds = messages.Sum(m => m.After.TotalSeconds);

        Assert.That(seconds / messages.Count(m => m.Kind == "flight"), Is.EqualTo(5).Within(0.1));
        Assert.That(seconds / messages.Count(m => m.Kind == "status"), Is.EqualTo(20).Within(0.4));
        foreach (var flight in messages.Where(m => m.Kind == "flight"))
        {
            var body = JsonDocument.Parse(flight.Body).RootElement;
            Assert.That(body.GetProperty("battery").GetDouble(), Is.InRange(0, 100));
            Assert.That(body.GetProperty("altitude").GetDouble(), Is.InRange(0, 140));
        }
    }

    [Test]
    public void Machines_wear_out_stop_and_begin_again()
    {
        var model = Scenario.Models("machines", 1)(0);
        var running = Enumerable.Range(0, 20_000).Select(_ => model.Next())
            .Select(m => JsonDocument.Parse(m.Body).RootElement.GetProperty("running").GetBoolean()).ToList();

        Assert.That(running, Has.Some.True.And.Some.False);
        Assert.That(running[^1] || running[^40], Is.True, "a machine that stopped is mended");
    }

    [Test]
    public void Percentiles_are_within_a_hundredth_of_the_sorted_list()
    {
        Gen.Int[10, 10_000_000].Array[1, 500].Sample(micros =>
        {
            var histogram = new LatencyHistogram();
            foreach (var value in micros) histogram.Add(TimeSpan.FromMicroseconds(value));
            var sorted = micros.Order().ToArray();
            foreach (var share in new[] { 0.5, 0.9, 0.99, 1 })
            {
                var exact = sorted[(int)Math.Ceiling(share * sorted.Length) - 1] / 1_000.0;
                Assert.That(histogram.PercentileMs(share), Is.EqualTo(exact).Within(2).Percent);
            }
        });
    }

    [Test]
    public void A_scenario_file_gives_its_fields_at_its_interval()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.Sub("s.json"),
            """{"messages":[{"kind":"c","every":"5s","fields":{"t":{"min":18,"max":24},"r":["a","b"],"u":"C"}}]}""");
        var model = Scenario.Models(folder.Sub("s.json"), 1)(0);
        model.Next();
        for (var i = 0; i < 50; i++)
        {
            var message = model.Next();
            var body = JsonDocument.Parse(message.Body).RootElement;
            Assert.That(message.After, Is.EqualTo(TimeSpan.FromSeconds(5)).Within(TimeSpan.FromMilliseconds(1)));
            Assert.That(body.GetProperty("t").GetDouble(), Is.InRange(18, 24));
            Assert.That(body.GetProperty("r").GetString(), Is.AnyOf("a", "b"));
            Assert.That(body.GetProperty("u").GetString(), Is.EqualTo("C"));
        }
    }

    [TestCase("nothing-of-that-name", null, "SI-0001")]
    [TestCase("s.json", "{", "SI-0002")]
    [TestCase("s.json", """{"messages":[{"every":"often","fields":{}}]}""", "SI-0002")]
    [TestCase("s.json", """{"messages":[]}""", "SI-0002")]
    [TestCase("s.json", """{"messages":[{"every":"0s","fields":{}}]}""", "SI-0002")]
    [TestCase("s.json", """{"messages":[{"every":"1s","fields":{"t":{"from":1}}}]}""", "SI-0002")]
    [TestCase("s.json", """{"messages":[{"every":"1s","fields":{"t":{"min":"a","max":2}}}]}""", "SI-0002")]
    [TestCase("s.json", """{"messages":[{"every":"1s","fields":{"t":[]}}]}""", "SI-0002")]
    [TestCase("s.json", """{"messages":[{"every":"1s","fields":{"time":"now"}}]}""", "SI-0002")]
    public void A_scenario_that_is_none_is_told_by_its_code(string name, string? text, string code)
    {
        using var folder = new TemporaryFolder();
        if (text is not null) File.WriteAllText(folder.Sub(name), text);
        var error = Assert.Throws<MillraceException>(() => Scenario.Models(folder.Sub(name), 1));
        Assert.That(error!.Error.Code, Is.EqualTo(code));
    }

    private static List<string> Messages(string scenario, int seed, int device)
    {
        var model = Scenario.Models(scenario, seed)(device);
        return [.. Enumerable.Range(0, 100).Select(_ => model.Next()).Select(m =>
            $"{m.After} {Convert.ToHexString(m.Body)}")];
    }
}
