using System.Text.Json;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Saql;
using Millrace.Stores.Queries;

namespace Millrace.Api.Queries;

/// <summary>A query as it is applied. Durations are written 5s, 10m; sizes 64MiB.</summary>
internal sealed record QueryRequest(
    string? Text, string? Name = null, string? Late = null, string? OutOfOrder = null, EventOrderPolicy? Policy = null,
    RowErrorPolicy? OnError = null, bool? WarmOutputs = null, bool? ArchiveOutputs = null, string? StartFrom = null,
    string? StateBytesMax = null)
{
    /// <param name="known">The query of this name; one that replaces it begins where it stands.</param>
    public QueryOptions Options(QueryConfig? known)
    {
        var defaults = new QueryOptions();
        if (StartFrom is not (null or "now" or "earliest" or "last" or "state")
            && !DateTimeOffset.TryParse(StartFrom, out _))
        {
            throw ApiErrors.BadRequest.With(StartFrom, "startFrom is now, earliest, last, state or an ISO 8601 time.")
                .AsException();
        }

        var options = new QueryOptions
        {
            LateTolerance = Late is null ? defaults.LateTolerance : DurationText.Parse(Late),
            OutOfOrderTolerance = OutOfOrder is null ? defaults.OutOfOrderTolerance : DurationText.Parse(OutOfOrder),
            Policy = Policy ?? defaults.Policy,
            OnError = OnError ?? defaults.OnError,
            WarmOutputs = WarmOutputs ?? defaults.WarmOutputs,
            ArchiveOutputs = ArchiveOutputs ?? defaults.ArchiveOutputs,
            StateBytesMax = StateBytesMax is null ? null : ByteSize.Parse(StateBytesMax).Bytes,
            StartFrom = StartFrom ?? known?.Options.StartFrom ?? defaults.StartFrom,
        };
        var isChanged = known is not null && !IsSameVersion(known, options);
        return isChanged && StartFrom is null ? options with { StartFrom = "last" } : options;
    }

    /// <summary>
    /// Where rows are kept beside their topic, and how much the query may keep, change none of them, so they make no
    /// other version.
    /// </summary>
    public bool IsSameVersion(QueryConfig known, QueryOptions options) => known.Text == Text &&
        options == (known.Options with
        {
            WarmOutputs = options.WarmOutputs,
            ArchiveOutputs = options.ArchiveOutputs,
            StateBytesMax = options.StateBytesMax,
        });
}

internal sealed record QueryCheck(
    bool Valid, IReadOnlyList<SaqlDiagnostic> Diagnostics, IReadOnlyList<string> Inputs,
    IReadOnlyList<string> Outputs);

internal sealed record QueryList(IReadOnlyList<QueryItem> Items, string? Continuation = null);

internal sealed record QueryExplained(string Name, int Version, string Plan);

internal sealed record QueryItem(
    string Name, int Version, QueryState State, string Text, string Late, string OutOfOrder, EventOrderPolicy Policy,
    RowErrorPolicy OnError, bool WarmOutputs, bool ArchiveOutputs, string? StateBytesMax, string StartFrom,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, QueryStatus? Status)
{
    public static QueryItem Of(QueryConfig q, QueryStatus? status) => new(q.Name, q.Version, q.State, q.Text,
        DurationText.Format(q.Options.LateTolerance), DurationText.Format(q.Options.OutOfOrderTolerance),
        q.Options.Policy, q.Options.OnError, q.Options.WarmOutputs, q.Options.ArchiveOutputs,
        q.Options.StateBytesMax is { } bytes ? new ByteSize(bytes).ToString() : null, q.Options.StartFrom, q.CreatedAt,
        q.UpdatedAt,
        status is not null && status.Version == q.Version ? status : null);
}

internal sealed record OutputPage(IReadOnlyList<OutputItem> Items, string? Continuation);

internal sealed record OutputItem(string RowId, DateTimeOffset At, string Query, int QueryVersion, JsonElement Row)
{
    public static OutputItem Of(OutputRow row) =>
        new(row.RowId, row.At, row.Query, row.QueryVersion, JsonShown.Row(row.Json));
}
