using Millrace.Saql;
using Millrace.Stores.Checkpoints;

namespace Millrace.StreamProcessor.Tests;

public partial class OwnerTests
{
    private const string Hot = "SELECT v INTO alerts FROM telemetry WHERE v > 80";

    /// <summary>As when it takes longer than its limit now, or another release answers it otherwise.</summary>
    [Test]
    public async Task A_row_that_is_not_made_again_holds_up_checkpoints_until_all_it_may_be_made_of_is_answered()
    {
        var config = await QueryAsync(Hot);
        await FillAsync(new Random(21), 400);
        var place = (await PlacesAsync(config))[0];
        var source = place.Sources[0].Partition;
        await using (var killed = await TakeOverAsync(place))
            await killed.ProcessAsync(await BatchAsync(source), default);
        var stood = (await _hub.RowsAsync("alerts")).Count;
        using var unmade = new CounterReader("millrace.query.rows.unmade");
        using var known = new CounterReader("millrace.query.rows.known");

        var otherwise = place with { Plan = SaqlCompiler.Compile(Hot.Replace("80", "90")).Plan! };
        await using var next = await TakeOverAsync(otherwise);
        await using var reader = _hub.Log.OpenReader(source, 0);
        await next.ProcessAsync(await reader.ReadAsync(1), default);
        await next.TickAsync(default);
        Assert.That(next.IsCatchingUp, Is.True, "there are records to come that may make it");
        var end = (await _hub.Log.RangeAsync(source)).Next;
        while (reader.Position < end) await next.ProcessAsync(await reader.ReadAsync(), default);
        await next.TickAsync(default);
        Assert.That(next.IsCatchingUp, Is.False);
        await next.SaveAsync(default);

        Assert.That((await _hub.Get<ICheckpointStore>().FindAsync(place.Key))!.Inputs.Single().Offset, Is.EqualTo(end));
        Assert.That(unmade.Total, Is.Positive.And.EqualTo(stood - known.Total));
        Assert.That(await _hub.RowsAsync("alerts"), Has.Count.EqualTo(stood), "none is written again");
    }
}
