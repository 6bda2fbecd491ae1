using Millrace.Saql;
using Millrace.Stores.Identities;
using Millrace.StreamProcessor.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

public partial class OwnerTests
{
    /// <summary>
    /// A snapshot begins to count where a checkpoint says so: whoever reads records again after a crash joins them with
    /// what counted there, whatever the source has by then.
    /// </summary>
    [Test]
    public async Task An_owner_joins_with_the_snapshot_of_its_checkpoint_until_it_has_made_another_durable()
    {
        var identities = _hub.Get<IIdentityStore>();
        var device = new DeviceIdentity
        {
            DeviceId = "d0",
            GenerationId = "1",
            TagsJson = """{"s":1}""",
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        };
        Assert.That(await identities.CreateAsync(device), Is.True);
        var config = await QueryAsync(
            "SELECT t.v, d.tags.s INTO scores FROM telemetry t JOIN devices d ON t.IoTHub.ConnectionDeviceId = d.id");
        var plan = SaqlCompiler.Compile(config.Text, new CompileOptions(References: ["devices"])).Plan!;
        var place = (await _hub.Get<QueryPlaces>().ResolveAsync(config, plan, default))[0];

        await using (var first = await TakeOverAsync(place)) await ReadAsync(first, place);
        Assert.That(await identities.UpdateAsync(device with { TagsJson = """{"s":10}""" }, 1), Is.True);
        int last;
        await using (var second = await TakeOverAsync(place))
        {
            await AppendAsync(1);
            await ReadAsync(second, place);
            Assert.That(await ScoreAsync(1), Is.EqualTo("1"), "it did not look yet");

            last = await UntilMetAsync(second, place, "10", from: 2);
        }

        Assert.That(await identities.UpdateAsync(device with { TagsJson = """{"s":3}""" }, 2), Is.True);
        await using var third = await TakeOverAsync(place);
        await AppendAsync(last + 1);
        await ReadAsync(third, place);
        Assert.That(await ScoreAsync(last + 1), Is.EqualTo("10"), "what the checkpoint says");
        await UntilMetAsync(third, place, "3", from: last + 2);
    }

    /// <summary>Ticks until rows meet the entry; gives the last value that was sent.</summary>
    private async Task<int> UntilMetAsync(QueryOwner owner, QueryPlace place, string score, int from)
    {
        var v = from - 1;
        await Eventually.TrueAsync(async () =>
        {
            await owner.TickAsync(default);
            await AppendAsync(++v);
            await ReadAsync(owner, place);
            return await ScoreAsync(v) == score;
        }, $"{score} counts");
        return v;
    }
}
