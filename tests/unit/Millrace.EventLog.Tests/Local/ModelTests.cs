using CsCheck;
using Millrace.TestKit;

namespace Millrace.EventLog.Tests.Local;

/// <summary>Any sequence of what one can do with a log, against a list in memory.</summary>
[Category("Samples")]
public class ModelTests
{
    private static readonly Gen<int> Partition = Gen.Int[0, 1];
    private static readonly Gen<string> Group = Gen.Int[0, 2].Select(number => $"group{number}");

    private static readonly Gen<Step> Steps = Gen.Frequency(
        (8, Gen.Select(Partition, Gen.Int[0, 120].Array[1, 5], Gen.Long[0, 50])
            .Select((partition, sizes, time) => (Step)new AppendStep(partition, sizes, time))),
        (4, Gen.Select(Partition, Gen.Double[0, 1], Gen.Int[1, 3_000])
            .Select((partition, place, bytes) => (Step)new ReadStep(partition, place, bytes))),
        (2, Gen.Select(Partition, Group, Gen.Long[0, 100])
            .Select((partition, group, offset) => (Step)new CommitStep(partition, group, offset))),
        (2, Gen.Select(Partition, Gen.Long[-5, 60])
            .Select((partition, time) => (Step)new OffsetAtStep(partition, time))),
        (1, Gen.Select(Partition, Gen.Double[0, 1]).Select((partition, place) => (Step)new TrimStep(partition, place))),
        (1, Group.Select(group => (Step)new ForgetStep(group))),
        (1, Gen.Bool.Select(powerLoss => (Step)new ReopenStep(powerLoss))));

    [Test]
    public void A_log_does_what_a_list_does() =>
        Steps.Array[1, 80].Sample(steps => RunAsync(steps).GetAwaiter().GetResult(), iter: Samples.Of(200));

    private static async Task RunAsync(Step[] steps)
    {
        var world = new World();
        await world.OpenAsync();
        foreach (var step in steps) await step.RunAsync(world);
        for (var partition = 0; partition < 2; partition++) await new ReadStep(partition, 0, 4_096).RunAsync(world);
        await world.Log.DisposeAsync();
    }
}
