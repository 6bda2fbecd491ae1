using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Millrace.Api.Telemetry;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Hosting.Http;

namespace Millrace.Api.Tail;

/// <summary>Telemetry as it comes in, as server-sent events.</summary>
internal static class TailEndpoints
{
    public static void MapTail(this RouteGroupBuilder api) =>
        api.MapGet("/tail", Open).RequireAuthorization(ApiScopes.Read).WithTags("Telemetry").WithName("TailTelemetry")
            .WithSummary("Telemetry from now on, as server-sent events; of one device when named")
            .Produces<TelemetryItem>(contentType: "text/event-stream");

    private static IResult Open(TailHub hub, CancellationToken ct, string? device = null)
    {
        if (device is not null) Limits.Device(device);
        return TypedResults.ServerSentEvents(hub.FollowAsync(device, ct));
    }
}

/// <summary>Follows the telemetry topic for those who watch; one reader a partition for each.</summary>
internal sealed class TailHub(IEventLog log, IHostApplicationLifetime lifetime, IOptions<ApiOptions> options)
{
    private int _open;

    /// <summary>The first event, "open", says that what comes in from now on is seen; the others are
    /// "telemetry".</summary>
    public async IAsyncEnumerable<SseItem<object>> FollowAsync(
        string? device, [EnumeratorCancellation] CancellationToken ct)
    {
        if (Interlocked.Increment(ref _open) > options.Value.TailsMax)
        {
            Interlocked.Decrement(ref _open);
            throw ApiErrors.BadRequest.With(options.Value.TailsMax, "Too many live tails are open.").AsException();
        }

        // A server that stops waits for its answers, and this one has no end of its own.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct, lifetime.ApplicationStopping);
        ApiMetrics.Tails.Add(1);
        var readers = new List<IPartitionReader>();
        Task<RecordBatch>[] reads = [];
        try
        {
            foreach (var partition in Partitions(device))
                readers.Add(log.OpenReader(partition, (await log.RangeAsync(partition, ct)).Next));
            yield return new SseItem<object>(new { device }, "open");
            reads = [.. readers.Select(r => r.ReadAsync(ct: end.Token).AsTask())];
            while (true)
            {
                var ready = Array.IndexOf(reads, await Task.WhenAny(reads));
                if (end.IsCancellationRequested) yield break;
                foreach (var item in Items(await reads[ready], device))
                    yield return new SseItem<object>(item, "telemetry");
                reads[ready] = readers[ready].ReadAsync(ct: end.Token).AsTask();
            }
        }
        finally
        {
            // A reader may not go while it is being read.
            await end.CancelAsync();
            await ((Task)Task.WhenAll(reads)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var reader in readers) await reader.DisposeAsync();
            ApiMetrics.Tails.Add(-1);
            Interlocked.Decrement(ref _open);
        }
    }

    private IEnumerable<TopicPartition> Partitions(string? device)
    {
        var count = log.FindTopic(Topics.Telemetry)?.Partitions ?? 0;
        var only = device is null ? -1 : Partitioner.PartitionOf(Encoding.UTF8.GetBytes(device), count);
        return Enumerable.Range(0, count).Where(p => only < 0 || p == only)
            .Select(p => new TopicPartition(Topics.Telemetry, p));
    }

    private static List<TelemetryItem> Items(RecordBatch batch, string? device)
    {
        var items = new List<TelemetryItem>();
        foreach (var record in batch)
        {
            if (!TelemetryMessage.TryRead(batch.Partition.Partition, record, out var message)) continue;
            if (device is null || message!.DeviceId == device) items.Add(TelemetryItem.Of(message!));
        }

        return items;
    }
}
