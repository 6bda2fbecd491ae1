using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.Hosting.Http;
using Millrace.ObjectStore;
using Millrace.Stores.Jobs;

namespace Millrace.ColdPath.Api;

/// <summary>Results of jobs that are kept by parts of the time, and what became of their runs.</summary>
internal sealed class PartEndpoints(
    JobCatalog catalog, JobRunner runner, JobLeases leases, PartRuns runs, RunHistory history, ArchiveReach reach,
    IObjectStore store, IOptions<ColdPathOptions> options)
{
    private const int HistoryDefault = 100;
    private const int HistoryMax = 10_000;
    private const int WaitSecondsMax = 60;
    private const string ResultsPrefix = ColdJobs.ResultsPrefix + "/";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/v1/cold").WithTags("Cold path").RequireAuthorization(ApiScopes.Read);
        group.MapGet("/jobs/{name}/parts", (string name, DateTimeOffset from, DateTimeOffset to, PartEndpoints parts) =>
                ColdProblems.Guard(() => Results.Ok(parts.List(name, from, to))))
            .WithName("listColdJobParts").WithSummary("The parts of the time that a run over a range makes")
            .Produces<ColdPartList>().ProducesProblem(400).ProducesProblem(404);
        group.MapPost("/jobs/{name}/parts/{part}/run",
                (string name, string part, ColdJobRunRequest? request, int? wait, HttpContext context,
                        PartEndpoints parts) =>
                    ColdProblems.GuardAsync(() =>
                        parts.RunAsync(name, part, request ?? new ColdJobRunRequest(), wait, context)))
            .RequireAuthorization(ApiScopes.Operate)
            .WithName("runColdJobPart").WithSummary("Make one part of a job's results anew")
            .Produces<JobRun>().Produces<JobRun>(202).ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
        group.MapGet("/jobs/{name}/parts/{part}/run",
                (string name, string part, int? wait, HttpContext context, PartEndpoints parts) =>
                    ColdProblems.GuardAsync(() => parts.FindAsync(name, part, wait, context.RequestAborted)))
            .WithName("getColdJobPartRun").WithSummary("How the newest run of a part stands")
            .Produces<JobRun>().Produces<JobRun>(202).ProducesProblem(400).ProducesProblem(404);
        group.MapGet("/jobs/{name}/history", (string name, int? limit, HttpContext context, PartEndpoints parts) =>
                ColdProblems.GuardAsync(() => parts.HistoryAsync(name, limit, context.RequestAborted)))
            .WithName("listColdJobRuns").WithSummary("What became of a job's runs, the newest first")
            .Produces<ColdRunList>().ProducesProblem(404);
        group.MapGet("/objects/{**key}", (string key, HttpContext context, PartEndpoints parts) =>
                ColdProblems.GuardAsync(() => parts.ReadAsync(key, context)))
            .WithName("readColdResult").WithSummary("A Parquet object that a run with output parquet wrote")
            .Produces(200, contentType: "application/vnd.apache.parquet").ProducesProblem(404);
    }

    private ColdPartList List(string name, DateTimeOffset from, DateTimeOffset to)
    {
        var kind = KindOf(name);
        var parts = TimePart.Between(kind, from, to).Take(options.Value.PartsMax + 1).ToList();
        if (parts.Count == 0 || parts.Count > options.Value.PartsMax)
            throw ColdPathErrors.RangeInvalid.With($"{from:O} to {to:O}").AsException();
        return new ColdPartList(name, [.. parts.Select(part => part.Name)]);
    }

    private async Task<IResult> RunAsync(
        string name, string part, ColdJobRunRequest request, int? wait, HttpContext context)
    {
        var found = PartOf(name, part);
        if (!request.Force)
            await reach.CheckAsync(catalog.Get(name), found, context.RequestAborted).ConfigureAwait(false);
        var parameters = request.Parameters ?? ColdJobs.NoParameters;
        var who = context.User.Identity?.Name ?? "api";
        JobRun? run = null;
        if (wait is not null)
        {
            run = await runs.StartAsync(name, found, parameters, who, WaitOf(wait), context.RequestAborted)
                .ConfigureAwait(false);
        }
        else
        {
            await leases.TryAloneAsync(name, async lease => run = await runner.RunAsync(
                lease, name, found, parameters, who).ConfigureAwait(false), context.RequestAborted)
                .ConfigureAwait(false);
        }

        return AnswerOf(run ?? throw ColdPathErrors.JobBusy.With(name).AsException());
    }

    private async Task<IResult> FindAsync(string name, string part, int? wait, CancellationToken ct)
    {
        var run = await runs.FindAsync(name, PartOf(name, part), WaitOf(wait), ct).ConfigureAwait(false);
        return AnswerOf(run ?? throw ColdPathErrors.RunUnknown.With($"{name} {part}").AsException());
    }

    private static IResult AnswerOf(JobRun run) => run.State switch
    {
        JobRunState.Succeeded => Results.Ok(run),
        JobRunState.Running => Results.Json(run, statusCode: StatusCodes.Status202Accepted),
        _ => throw ColdPathErrors.RunFailed.With($"{run.Job} {run.Part}", run.Error ?? "It was stopped.").AsException(),
    };

    private static TimeSpan WaitOf(int? seconds) => seconds is null or (>= 0 and <= WaitSecondsMax)
        ? TimeSpan.FromSeconds(seconds ?? 0)
        : throw ColdPathErrors.RequestInvalid.With(seconds, $"wait is from 0 to {WaitSecondsMax}.").AsException();

    private TimePart PartOf(string name, string part) => TimePart.Parse(KindOf(name), part)
        ?? throw ColdPathErrors.RequestInvalid.With(part, "A part is like 2026-11-22 or 2026-11-22T07.").AsException();

    private async Task<IResult> HistoryAsync(string name, int? limit, CancellationToken ct)
    {
        var found = await history.ListAsync(
            catalog.Get(name).Name, Math.Clamp(limit ?? HistoryDefault, 1, HistoryMax), ct).ConfigureAwait(false);
        return Results.Ok(new ColdRunList(found));
    }

    private async Task<IResult> ReadAsync(string key, HttpContext context)
    {
        var isResult = key.StartsWith(ResultsPrefix, StringComparison.Ordinal) && ObjectKey.IsValid(key);
        var found = isResult ? await store.FindAsync(key, context.RequestAborted).ConfigureAwait(false) : null;
        if (found is null) throw ColdPathErrors.ResultUnknown.With(key).AsException();
        context.Response.ContentType = "application/vnd.apache.parquet";
        context.Response.ContentLength = found.Bytes;
        const int pieceBytes = 4 * 1024 * 1024;
        for (var at = 0L; at < found.Bytes; at += pieceBytes)
        {
            var piece = await store.GetRangeAsync(key, at, pieceBytes, context.RequestAborted).ConfigureAwait(false);
            await context.Response.Body.WriteAsync(piece, context.RequestAborted).ConfigureAwait(false);
        }

        return Results.Empty;
    }

    private JobPart KindOf(string name) =>
        catalog.Get(name).Part ?? throw ColdPathErrors.JobHasNoParts.With(name).AsException();
}
