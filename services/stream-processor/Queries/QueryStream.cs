using Akka;
using Akka.Streams;
using Akka.Streams.Dsl;
using Millrace.Contracts;
using Millrace.Contracts.Tracing;
using Millrace.StreamProcessor.Sources;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// The stream of one place of a query: its partitions and a clock, merged, through its owner. What is there is answered
/// at once; rows leave before the next batch is taken.
/// </summary>
internal static class QueryStream
{
    /// <summary>Runs until the token is cancelled, then saves a checkpoint of what was answered.</summary>
    public static async Task RunAsync(
        QueryServices services, QueryPlace place, QueryProgress progress, CancellationToken stop)
    {
        await using var owner = await QueryOwner.TakeOverAsync(services, place, progress, stop);
        using var late = services.Late.Open(place);
        await using var last = new LastStep();
        var bytes = (int)services.Options.ReadBytesMax.Bytes;
        var source = Source.Empty<Step>();
        foreach (var (partition, offset) in owner.Positions)
        {
            var read = Source.FromGraph(new PartitionSourceStage(services.Log, partition, offset, bytes));
            source = source.Merge(read.Select(batch => new Step(batch)));
        }

        // One that comes while another waits is dropped.
        var ticks = Source.Tick(services.Options.TickInterval, services.Options.TickInterval, new Step(null))
            .Conflate((tick, _) => tick).MapMaterializedValue(_ => NotUsed.Instance);
        var (killSwitch, done) = source.Merge(ticks)
            .ViaMaterialized(KillSwitches.Single<Step>(), Keep.Right)
            .SelectAsync(1, step => last.Begin(StepAsync(step)))
            .ToMaterialized(Sink.Ignore<NotUsed>(), Keep.Both)
            .Run(services.Runtime.Materializer);
        using (stop.Register(killSwitch.Shutdown)) await done;
        await owner.SaveAsync(CancellationToken.None);

        async Task<NotUsed> StepAsync(Step step)
        {
            if (step.Batch is { } records) await ProcessAsync(services, place, owner, records);
            else await TickAsync(owner, late);
            return NotUsed.Instance;
        }
    }

    /// <summary>Rows that the records make at once are durable when it returns.</summary>
    private static async Task ProcessAsync(
        QueryServices services, QueryPlace place, QueryOwner owner, RecordBatch records)
    {
        var startedAt = services.Time.GetUtcNow();
        await owner.ProcessAsync(records, CancellationToken.None);
        if (MessageSpans.AreOn) MessageSpans.Passed($"query {place.Config.Name}", records, startedAt);
    }

    private static async Task TickAsync(QueryOwner owner, LateLetters.Desk late)
    {
        while (late.Take() is { } request)
        {
            try
            {
                request.Answered.SetResult(await owner.TakeLateAsync(request.Letter, CancellationToken.None));
            }
            catch
            {
                request.Answered.SetResult(LateAnswer.NotHere);
                throw;
            }
        }

        await owner.TickAsync(CancellationToken.None);
    }

    /// <summary>A batch to answer, or without one a look at the clock.</summary>
    private readonly record struct Step(RecordBatch? Batch);
}
