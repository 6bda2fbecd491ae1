using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Hosting.Http;
using Millrace.Stores.DeadLetters;

namespace Millrace.Api.DeadLetters;

/// <summary>Records that a stage gave up, and their replay.</summary>
internal static class DeadLetterEndpoints
{
    public static void MapDeadLetters(this RouteGroupBuilder api)
    {
        var letters = api.MapGroup("/dead-letters").WithTags("Dead letters");
        letters.MapGet("/", ListAsync).RequireAuthorization(ApiScopes.Read).WithName("ListDeadLetters")
            .WithSummary("Dead letters, newest failure first").Produces<DeadLetterPage>();
        letters.MapGet("/{id}", ShowAsync).RequireAuthorization(ApiScopes.Read).WithName("ShowDeadLetter")
            .WithSummary("One dead letter with its original record").Produces<DeadLetterItem>();
        letters.MapPost("/{id}/replay", ReplayAsync).RequireAuthorization(ApiScopes.Operate)
            .WithName("ReplayDeadLetter").WithSummary("Have the stage that failed try the record again")
            .Produces<DeadLetterItem>(StatusCodes.Status202Accepted);
    }

    private static async Task<DeadLetterPage> ListAsync(
        IDeadLetterStore store, IOptions<ApiOptions> options, CancellationToken ct, string? stage = null,
        string? query = null, string? state = null, int? limit = null, string? continuation = null)
    {
        var filter = new DeadLetterFilter(Stage(stage), query,
            Limits.Choice<DeadLetterState>(state, nameof(state)), Limits.Page(limit, options.Value), continuation)
        {
            LookedAtMax = options.Value.PageLookedAtMax,
        };
        var page = await store.ListAsync(filter, ct);
        return new DeadLetterPage([.. page.Items.Select(DeadLetterItem.Of)], page.Continuation);
    }

    private static string? Stage(string? stage) => stage is null || DeadLetterStages.All.Contains(stage)
        ? stage
        : throw ApiErrors.BadRequest.With(stage,
            $"stage must be one of {string.Join(", ", DeadLetterStages.All)}.").AsException();

    private static async Task<DeadLetterItem> ShowAsync(string id, IDeadLetterStore store, CancellationToken ct) =>
        DeadLetterItem.Of(await FindAsync(id, store, ct));

    private static async Task<IResult> ReplayAsync(
        string id, IDeadLetterStore store, ControlNotices control, AuditTrail audit, CancellationToken ct)
    {
        var letter = await FindAsync(id, store, ct);
        if (!await store.SetStateAsync(id, DeadLetterState.Replaying, ct))
            throw ApiErrors.NotReplayable.With(id).AsException();
        await control.SendAsync(ControlKinds.DeadLetterReplay, id, ct);
        await audit.AddAsync("dead-letter.replay", id, null, ct);
        return Results.Accepted(value: DeadLetterItem.Of(letter with { State = DeadLetterState.Replaying }));
    }

    private static async Task<StoredDeadLetter> FindAsync(string id, IDeadLetterStore store, CancellationToken ct) =>
        await store.FindAsync(id, ct) ?? throw ApiErrors.NotFound.With(id).AsException();
}

internal sealed record DeadLetterPage(IReadOnlyList<DeadLetterItem> Items, string? Continuation);

internal sealed record DeadLetterItem(
    string Id, DeadLetterState State, int Replays, string Stage, string? Query, int QueryVersion, string Topic,
    int Partition, long Offset, int Element, string ErrorCode, string Reason, DateTimeOffset FirstFailedAt,
    DateTimeOffset LastFailedAt, string? Key, DateTimeOffset EnqueuedAt,
    IReadOnlyDictionary<string, string> Headers, string BodyBase64)
{
    public static DeadLetterItem Of(StoredDeadLetter stored)
    {
        var l = stored.Letter;
        var headers = new Dictionary<string, string>();
        foreach (var header in l.Headers) headers[header.Name] = Encoding.UTF8.GetString(header.Value);
        return new DeadLetterItem(stored.Id, stored.State, stored.Replays, l.Stage, l.Query, l.QueryVersion, l.Topic,
            l.Partition, l.Offset, l.Element, l.ErrorCode, l.Reason, l.FirstFailedAt, l.LastFailedAt,
            l.Key is null ? null : Encoding.UTF8.GetString(l.Key),
            RecordDefects.NearestTime(l.TimestampMs), headers, Convert.ToBase64String(l.Value));
    }
}
