using Millrace.Models.Registry;
using Millrace.StreamProcessor.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

public partial class OwnerTests
{
    /// <summary>
    /// A version begins to count where a checkpoint says so. Owners that come after a crash read records again, and
    /// answer them by the version that counted there, whatever was promoted since.
    /// </summary>
    [Test]
    public async Task An_owner_scores_with_the_version_of_its_checkpoint_until_it_has_made_another_durable()
    {
        var registry = _hub.Get<ModelRegistry>();
        foreach (var weight in new[] { 1f, 10f }) await registry.AddAsync(new ModelDraft("double", ModelKind.Score,
            ModelFormat.Onnx, [new ModelFeature("v"), new ModelFeature("none")], new Dictionary<string, double>(),
            "me", "test"), TinyOnnx.WeightedSum(weight, 1), default);
        await registry.PromoteAsync("double", 1, "me", default);
        var place = (await PlacesAsync(
            await QueryAsync("SELECT v, ML_SCORE('double', v, 0) AS s INTO scores FROM telemetry")))[0];

        await using (var first = await TakeOverAsync(place)) await ReadAsync(first, place);
        await registry.PromoteAsync("double", 2, "me", default);
        int last;
        await using (var second = await TakeOverAsync(place))
        {
            await AppendAsync(1);
            await ReadAsync(second, place);
            Assert.That(await ScoreAsync(1), Is.EqualTo("1.0"), "it did not look yet");

            last = await UntilAsync(second, place, version: 2, from: 2);
        }

        await registry.RollbackAsync("double", "me", default);
        await using var third = await TakeOverAsync(place);
        await AppendAsync(last + 1);
        await ReadAsync(third, place);
        Assert.That(await ScoreAsync(last + 1), Is.EqualTo($"{(last + 1) * 10}.0"), "what the checkpoint says");
        await UntilAsync(third, place, version: 1, from: last + 2);
    }

    /// <summary>Ticks until the version counts; gives the last value that was sent.</summary>
    private async Task<int> UntilAsync(QueryOwner owner, QueryPlace place, int version, int from)
    {
        var v = from - 1;
        await Eventually.TrueAsync(async () =>
        {
            await owner.TickAsync(default);
            await AppendAsync(++v);
            await ReadAsync(owner, place);
            return await ScoreAsync(v) == (version == 1 ? $"{v}.0" : $"{v * 10}.0");
        }, $"version {version} counts");
        return v;
    }

    private Task AppendAsync(int v) => _hub.AppendAsync(0, 1_767_225_600_000 + v, "d0", $$"""{"v":{{v}}}""");

    private async Task ReadAsync(QueryOwner owner, QueryPlace place)
    {
        var source = place.Sources[0].Partition;
        await using var reader = _hub.Log.OpenReader(source, owner.Positions[0].Offset);
        while (await reader.TryReadAsync(4_000) is { } batch) await owner.ProcessAsync(batch, default);
    }

    private async Task<string> ScoreAsync(int v)
    {
        var row = (await _hub.RowsAsync("scores")).Values.Single(one => one.StartsWith($$"""{"v":{{v}},"""));
        return row[(row.IndexOf("\"s\":", StringComparison.Ordinal) + 4)..^1];
    }
}
