using System.Globalization;
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
    private const string DayFormat = "yyyy-MM-dd";

    /// <summary>As old as the time can be that a message gives itself.</summary>
    private static readonly TimeSpan ToleranceMax = TelemetryMessage.CreationPast;

    /// <param name="known">The query of this name; one that replaces it begins where it stands.</param>
    public QueryOptions Options(QueryConfig? known)
    {
        var defaults = new QueryOptions();
        if (StartFrom is not (null or "now" or "earliest" or "last" or "state") && !IsMoment(StartFrom))
        {
            throw ApiErrors.BadRequest.With(StartFrom, "startFrom is now, earliest, last, state or an ISO 8601 time.")
                .AsException();
        }

        var options = new QueryOptions
        {
            LateTolerance = Late is null ? defaults.LateTolerance : Tolerance(Late, "late"),
            OutOfOrderTolerance =
                OutOfOrder is null ? defaults.OutOfOrderTolerance : Tolerance(OutOfOrder, "outOfOrder"),
            Policy = Policy ?? defaults.Policy,
            OnError = OnError ?? defaults.OnError,
            WarmOutputs = WarmOutputs ?? defaults.WarmOutputs,
            ArchiveOutputs = ArchiveOutputs ?? defaults.ArchiveOutputs,
            StateBytesMax = StateBytesMax is null ? null : Size(StateBytesMax),
            StartFrom = StartFrom ?? known?.Options.StartFrom ?? defaults.StartFrom,
        };
        var isChanged = known is not null && !IsSameVersion(known, options);
        return isChanged && StartFrom is null ? options with { StartFrom = "last" } : options;
    }

    /// <summary>A day, or a moment of one: a time alone would be another each day.</summary>
    private static bool IsMoment(string text) => text.Length >= DayFormat.Length
        && DateOnly.TryParseExact(text.AsSpan(0, DayFormat.Length), DayFormat, CultureInfo.InvariantCulture,
            DateTimeStyles.None, out _)
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _);

    private static TimeSpan Tolerance(string text, string name) => DurationText.Parse(text) is var tolerance
        && tolerance <= ToleranceMax
            ? tolerance
            : throw ApiErrors.BadRequest.With(text, $"{name} is at most {DurationText.Format(ToleranceMax)}.")
                .AsException();

    private static long Size(string text) => ByteSize.Parse(text).Bytes is > 0 and var bytes
        ? bytes
        : throw ApiErrors.BadRequest.With(text, "stateBytesMax is more than 0.").AsException();

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

internal sealed record QueryExplained(
    string Name, int Version, string Plan, IReadOnlyList<SaqlDiagnostic> Warnings);

internal sealed record QueryItem(
    string Name, int Version, QueryState State, string Text, string Late, string OutOfOrder, EventOrderPolicy Policy,
    RowErrorPolicy OnError, bool WarmOutputs, bool ArchiveOutputs, string? StateBytesMax, string StartFrom,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, QueryStatus? Status)
{
    /// <summary>What the text does that is hardly meant; null in a list, for which no text is compiled.</summary>
    public IReadOnlyList<SaqlDiagnostic>? Warnings { get; init; }

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
