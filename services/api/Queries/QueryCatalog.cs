using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Models.Scoring;
using Millrace.Saql;
using Millrace.Saql.Extensions;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.Queries;

namespace Millrace.Api.Queries;

/// <summary>Changes the stored queries, and tells those who run them.</summary>
internal sealed partial class QueryCatalog(
    IQueryStore store, ICheckpointStore checkpoints, IEventLog log, QueryInputs inputs, QueryExtensions extensions,
    ModelScorers models, ControlNotices control, AuditTrail audit, TimeProvider time)
{
    /// <summary>
    /// Compiles and keeps the query; a change of text or options is a new version, but for where its rows are kept,
    /// and how much it may keep.
    /// </summary>
    public async Task<QueryConfig> ApplyAsync(QueryRequest request, CancellationToken ct)
    {
        var (name, plan) = await CheckAsync(request, ct);
        var known = await store.FindAsync(name, ct);
        await RefuseClashesAsync(name, plan, ct);
        var options = request.Options(known);
        if (options.ArchiveOutputs) RefuseArchive(plan);
        if (known is not null && known.Text == request.Text && known.Options == options)
        {
            if (known.State != QueryState.Running) await SetStateAsync(name, QueryState.Running, ct);
            return known with { State = QueryState.Running };
        }

        var now = time.GetUtcNow();
        var query = new QueryConfig
        {
            Name = name,
            Version = known is not null && request.IsSameVersion(known, options)
                ? known.Version
                : await store.LastVersionAsync(name, ct) + 1,
            Text = request.Text!,
            Options = options,
            Outputs = plan.Outputs,
            CreatedAt = known?.CreatedAt ?? now,
            UpdatedAt = now,
        };
        // Who reads them finds them from now on, whoever is started first.
        var hub = log.FindTopic(Topics.Telemetry)!.Partitions;
        foreach (var output in plan.Outputs)
            await log.EnsureTopicAsync(new TopicSpec(Topics.Output(output), hub), ct);
        if (!await store.SaveAsync(query, known?.Version ?? 0, ct))
            throw ApiErrors.QueryConflict.With(name).AsException();
        if (options.ArchiveOutputs) await HoldAsync(plan, ct);
        await control.SendAsync(ControlKinds.Query, name, ct);
        await audit.AddAsync("query.apply", name, $"version {query.Version}", ct);
        return query;
    }

    public async Task<IResult> SetStateAsync(string name, QueryState state, CancellationToken ct)
    {
        if (!await store.SetStateAsync(name, state, ct: ct)) throw ApiErrors.NotFound.With(name).AsException();
        await control.SendAsync(ControlKinds.Query, name, ct);
        await audit.AddAsync($"query.{state.ToString().ToLowerInvariant()}", name, null, ct);
        return Results.NoContent();
    }

    public async Task<IResult> DeleteAsync(string name, CancellationToken ct)
    {
        // Of whichever version it is when it goes: what that has left is removed, and nothing of one applied since.
        QueryConfig query;
        do query = await store.FindAsync(name, ct) ?? throw ApiErrors.NotFound.With(name).AsException();
        while (!await store.DeleteAsync(name, query.Version, ct));
        await control.SendAsync(ControlKinds.Query, name, ct);
        for (var version = 1; version <= query.Version; version++) await checkpoints.DeleteAsync(name, version, ct);
        await log.ForgetGroupAsync(ConsumerGroups.OfQuery(name), ct);
        await audit.AddAsync("query.delete", name, null, ct);
        return Results.NoContent();
    }

    /// <summary>What is wrong with the text, by what can be read now.</summary>
    public async Task<CompileResult> CompileAsync(QueryRequest request, CancellationToken ct)
    {
        if (request.Text is null) throw ApiErrors.BadRequest.With(null, "text is missing.").AsException();
        var options = CompileOptions.Hub(extensions, inputs.Names);
        if (CompileOptions.MayScore(request.Text))
            options = options with { KnownModels = await models.CallableAsync(ct) };
        return SaqlCompiler.Compile(request.Text, options);
    }

    /// <summary>What a text that was applied does and hardly means.</summary>
    public IReadOnlyList<SaqlDiagnostic> WarningsOf(string text)
    {
        var result = SaqlCompiler.Compile(text, CompileOptions.Hub(extensions));
        return result.Plan is null ? [] : result.Diagnostics;
    }

    private async Task<(string Name, QueryPlan Plan)> CheckAsync(QueryRequest request, CancellationToken ct)
    {
        if (request.Name is null || !NamePattern().IsMatch(request.Name))
        {
            throw ApiErrors.BadRequest.With(request.Name,
                "name has 1 to 64 letters, digits, - or _, and begins with a letter.").AsException();
        }

        var result = await CompileAsync(request, ct);
        if (result.Plan is null) throw new QueryInvalidException(result.Diagnostics);
        var unsafeName = result.Plan.Outputs.FirstOrDefault(o => !NamePattern().IsMatch(o));
        if (unsafeName is not null)
        {
            throw ApiErrors.BadRequest.With(unsafeName,
                "The name after INTO has 1 to 64 letters, digits, - or _, and begins with a letter.").AsException();
        }

        return (request.Name, result.Plan);
    }

    /// <summary>Statements name the table of an output by its name, and do not tell names apart by case.</summary>
    private void RefuseArchive(QueryPlan plan)
    {
        foreach (var output in plan.Outputs.Where(output => output != Topics.Alerts))
        {
            if (ArchiveNames.IsReserved(output)) throw ApiErrors.ArchiveNameTaken.With(output).AsException();
            var topic = Topics.Output(output);
            if (log.Topics.FirstOrDefault(other => other != topic
                && other.Equals(topic, StringComparison.OrdinalIgnoreCase)) is { } other)
                throw ApiErrors.ArchiveNameTaken.With(output, $"There is a topic {other}.").AsException();
        }
    }

    /// <summary>The log keeps the outputs' records from now on, until the archiver has them.</summary>
    private async Task HoldAsync(QueryPlan plan, CancellationToken ct)
    {
        foreach (var output in plan.Outputs.Where(output => output != Topics.Alerts))
        {
            var group = ConsumerGroups.OfArchive(output);
            for (var number = 0; number < log.FindTopic(Topics.Output(output))!.Partitions; number++)
            {
                var partition = new TopicPartition(Topics.Output(output), number);
                if (await log.CommittedAsync(group, partition, ct) is not null) continue;
                await log.CommitAsync(group, partition, (await log.RangeAsync(partition, ct)).First, ct: ct);
            }
        }
    }

    private async Task RefuseClashesAsync(string name, QueryPlan plan, CancellationToken ct)
    {
        var others = new List<QueryPlan>();
        foreach (var other in await store.ListAsync(ct))
        {
            if (other.Name == name) continue;
            var otherPlan = SaqlCompiler.Compile(other.Text, CompileOptions.Hub(extensions)).Plan;
            if (otherPlan is not null) others.Add(otherPlan);

            // Alerts are everybody's: each row names its query.
            var taken = (otherPlan?.Outputs ?? other.Outputs)
                .Intersect(plan.Outputs, StringComparer.OrdinalIgnoreCase)
                .FirstOrDefault(o => o != Topics.Alerts);
            if (taken is not null)
                throw ApiErrors.OutputTaken.With(taken, $"Query {other.Name} writes it.").AsException();
        }

        if (QueryLoops.Find(plan, others) is { } loop) throw ApiErrors.QueryLoop.With(loop).AsException();
    }

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
    private static partial Regex NamePattern();
}

/// <summary>A query text that does not compile; answered with all its diagnostics.</summary>
internal sealed class QueryInvalidException(IReadOnlyList<SaqlDiagnostic> diagnostics) : Exception
{
    public IReadOnlyList<SaqlDiagnostic> Diagnostics { get; } = diagnostics;
}
