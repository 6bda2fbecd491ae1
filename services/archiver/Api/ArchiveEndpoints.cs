using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Archiver.Upkeep;
using Millrace.Archiver.Verification;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.EventLog;
using Millrace.Hosting.Http;
using Millrace.Primitives;
using Millrace.Stores.Audit;

namespace Millrace.Archiver.Api;

/// <summary>
/// What one asks of the archive and does to it, in processes that work on it. Long work is done a piece at a time; who
/// asks again until nothing is left can tell how far it is.
/// </summary>
public static class ArchiveEndpoints
{
    private const int HistoryMax = 1_000;
    private const int WaitSecondsMax = 60;
    private const int OperationLengthMax = 100;

    /// <summary>The endpoints below /api/v1/archive.</summary>
    public static IEndpointRouteBuilder MapMillraceArchive(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/v1/archive").WithTags("Archive");
        MapReading(group.MapGroup("").RequireAuthorization(ApiScopes.Read));
        MapUpkeep(group.MapGroup("").RequireAuthorization(ApiScopes.Operate));
        group.MapPost("/erase", EraseAsync).RequireAuthorization(ApiScopes.Administer)
            .WithName("EraseDevice").WithSummary("Take all rows of a device out of the archive").Produces<Erased>()
            .Produces<GoesOn>(202);
        return endpoints;
    }

    private static void MapReading(RouteGroupBuilder group)
    {
        group.MapGet("", InfoAsync).WithName("ShowArchive").WithSummary("The archive's table and its positions")
            .Produces<ArchiveInfo>();
        group.MapGet("/history", HistoryAsync).WithName("ShowArchiveHistory")
            .WithSummary("What was done to the table, newest first").Produces<ArchiveHistory>();
        group.MapGet("/erasures/{deviceId}", ProveAsync)
            .WithName("ProveErasure").WithSummary("Look whether a device's rows are gone").Produces<DeviceProof>()
            .Produces<GoesOn>(202);
        group.MapPost("/verify", VerifyAsync).WithName("VerifyArchive")
            .WithSummary("Compare a stretch of a log partition with the archive").Produces<Verification.Verification>();
    }

    private static void MapUpkeep(RouteGroupBuilder group)
    {
        group.MapPost("/compact", CompactAsync)
            .WithName("CompactArchive").WithSummary("Merge small files of one hour").Produces<Compaction>();
        group.MapPost("/vacuum", VacuumAsync).WithName("VacuumArchive")
            .WithSummary("Delete files that are no part of the table any more").Produces<VacuumAnswer>();
    }

    private static async Task<ArchiveInfo> InfoAsync(ArchiveTables tables, IEventLog log, CancellationToken ct)
    {
        var archive = tables.Telemetry;
        var snapshot = await archive.Table.RefreshAsync(ct);
        var partitions = await PartitionsAsync(archive, snapshot, log, ct);
        var outputs = new List<ArchiveOutput>();
        foreach (var output in await tables.OutputsAsync(ct))
        {
            if (await output.Table.RefreshAsync(ct) is not { } at) continue;
            outputs.Add(new ArchiveOutput(output.Name, at.Version, at.Files.Count, RowsOf(at), BytesOf(at),
                RetentionRecord.KeptFrom(at, output.Table.Root), await PartitionsAsync(output, at, log, ct)));
        }

        return snapshot is null
            ? new ArchiveInfo(-1, 0, 0, 0, null, partitions, outputs)
            : new ArchiveInfo(snapshot.Version, snapshot.Files.Count, RowsOf(snapshot), BytesOf(snapshot),
                RetentionRecord.KeptFrom(snapshot, archive.Table.Root), partitions, outputs);
    }

    private static async Task<List<ArchivePartition>> PartitionsAsync(
        ArchiveTable archive, DeltaSnapshot? snapshot, IEventLog log, CancellationToken ct)
    {
        var partitions = new List<ArchivePartition>();
        for (var number = 0; number < PartitionsOf(archive, log); number++)
        {
            var source = new TopicPartition(archive.TopicIn(log)!, number);
            var range = await log.RangeAsync(source, ct);
            partitions.Add(new ArchivePartition(
                number, range.First, range.Next, snapshot?.PositionOf($"{source}") ?? 0));
        }

        return partitions;
    }

    private static int PartitionsOf(ArchiveTable archive, IEventLog log) =>
        archive.TopicIn(log) is { } topic ? log.FindTopic(topic)?.Partitions ?? 0 : 0;

    private static long RowsOf(DeltaSnapshot table) => table.Files.Values.Sum(file => file.Stats?.Records ?? 0);

    private static long BytesOf(DeltaSnapshot table) => table.Files.Values.Sum(file => file.Bytes);

    /// <summary>One merge, of the first table that has something to merge.</summary>
    private static async Task<Compaction> CompactAsync(
        CompactRequest request, ArchiveTables tables, Compactor compactor, CancellationToken ct)
    {
        var all = await tables.AllAsync(ct);
        var result = await compactor.RunOnceAsync(tables.Telemetry, request.All, ct);
        foreach (var archive in all.Skip(1))
        {
            if (result.Done) return result;
            result = await compactor.RunOnceAsync(archive, request.All, ct);
        }

        return result;
    }

    private static Task<IResult> ProveAsync(
        string deviceId, DeviceProver prover, LongAnswers answers, TimeProvider time, CancellationToken ct,
        string? operation = null, int wait = 0)
    {
        var device = Device(deviceId);
        return AnswerAsync(answers, $"prove/{device}", operation, wait, time,
            async stop => await prover.ProveAsync(device, stop), ct);
    }

    /// <summary>What came of the work; where the caller gave it a name, it goes on behind the wait.</summary>
    private static async Task<IResult> AnswerAsync<T>(
        LongAnswers answers, string what, string? operation, int wait, TimeProvider time,
        Func<CancellationToken, Task<T>> work, CancellationToken ct)
        where T : class
    {
        if (operation is null) return Results.Ok(await work(ct));
        if (operation.Length is 0 or > OperationLengthMax || wait is < 0 or > WaitSecondsMax)
        {
            throw ArchiverErrors.RequestInvalid.With(operation,
                $"An operation has up to {OperationLengthMax} characters, and wait is from 0 to {WaitSecondsMax}.")
                .AsException();
        }

        var answer = await answers.AskAsync(
            $"{what}/{operation}", TimeSpan.FromSeconds(wait), time, async stop => await work(stop), ct);
        return answer is T done
            ? Results.Ok(done)
            : Results.Json(new GoesOn(operation), statusCode: StatusCodes.Status202Accepted);
    }

    private static async Task<ArchiveHistory> HistoryAsync(
        ArchiveTables tables, CancellationToken ct, int? limit = null, string? table = null)
    {
        if (limit is < 1 or > HistoryMax)
            throw ArchiverErrors.RequestInvalid.With(limit, $"limit is from 1 to {HistoryMax}.").AsException();
        var items = new List<ArchiveVersion>();
        var archive = await tables.NamedAsync(table, ct);
        await foreach (var version in archive.Table.HistoryAsync(ct))
        {
            items.Add(new ArchiveVersion(version.Version, version.At, version.Operation, version.FilesAdded,
                version.FilesRemoved, version.RowsAdded, version.Details));
            if (items.Count >= (limit ?? 20)) break;
        }

        return new ArchiveHistory(items);
    }

    private static async Task<VacuumAnswer> VacuumAsync(
        VacuumRequest request, ArchiveTables tables, TableVacuum vacuum, CancellationToken ct)
    {
        var answer = new VacuumAnswer(0, 0, 0);
        var archives = await tables.AllAsync(ct);
        foreach (var table in archives.Select(archive => archive.Table).Concat(await tables.JobsAsync(ct)))
        {
            var done = await vacuum.RunAsync(table, request.DryRun, ct);
            answer = new VacuumAnswer(
                answer.Files + done.Files, answer.Bytes + done.Bytes, answer.Waiting + done.Waiting);
        }

        return answer;
    }

    private static Task<IResult> EraseAsync(
        EraseRequest request, DeviceErasure erasure, IAuditStore audit, LongAnswers answers, HttpContext context,
        TimeProvider time, CancellationToken ct)
    {
        var (device, actor) = (Device(request.DeviceId), context.User.Identity?.Name ?? "platform");
        return AnswerAsync(answers, $"erase/{device}", request.Operation, request.Wait, time, async stop =>
        {
            var erased = await erasure.RunAsync(device, stop);
            await audit.AddAsync(new AuditEntry(time.GetUtcNow(), actor, "archive.erase", erased.DeviceHash,
                $"{erased.Rows} rows, {erased.JobRows} of results, {erased.DeadLetters} dead letters"), stop);
            return erased;
        }, ct);
    }

    private static async Task<Verification.Verification> VerifyAsync(
        VerifyRequest request, ArchiveTables tables, ArchiveVerifier verifier, IEventLog log, CancellationToken ct)
    {
        var archive = await tables.NamedAsync(request.Table, ct);
        var partitions = PartitionsOf(archive, log);
        if (request.Partition < 0 || request.Partition >= partitions)
        {
            throw ArchiverErrors.RequestInvalid
                .With(request.Partition, $"partition is from 0 to {partitions - 1}.").AsException();
        }

        return await verifier.RunAsync(archive, request.Partition, request.From, ct);
    }

    private static string Device(string id) => DeviceId.TryParse(id, out _)
        ? id
        : throw ArchiverErrors.RequestInvalid.With(id, "It is no device id.").AsException();
}
