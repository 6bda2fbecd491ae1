using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Batch;
using Millrace.Batch.Tables;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Formats;
using Millrace.Hosting.Http;

namespace Millrace.ColdPath.Api;

/// <summary>
/// SQL and jobs over HTTP. Reading is for all who may read; keeping a result needs the right to operate.
/// </summary>
internal sealed class ColdEndpoints(
    JobCatalog catalog, ColdJobs jobs, IBatchEngine engine, IOptions<ColdPathOptions> options,
    IAuthorizationService authorization, ILogger<ColdEndpoints> logger)
{
    /// <summary>What stands for the job's name where a statement is nobody's job.</summary>
    private const string AdHoc = "sql";

    private const string RowsOutput = "rows";
    private const string ParquetOutput = "parquet";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/v1/cold").WithTags("Cold path").RequireAuthorization(ApiScopes.Read);
        group.MapPost("/sql", (ColdSqlRequest request, HttpContext context, ColdEndpoints cold) =>
                cold.RunSqlAsync(request, context))
            .WithName("runColdSql").WithSummary("Run one SELECT over the archive's view telemetry")
            .Produces<ColdResult>().Produces<ColdJobWritten>().ProducesProblem(400).ProducesProblem(504);
        group.MapGet("/jobs", (ColdEndpoints cold) => cold.List())
            .WithName("listColdJobs").WithSummary("The jobs that there are").Produces<ColdJobList>();
        group.MapGet("/jobs/{name}", (string name, ColdEndpoints cold) => cold.Show(name))
            .WithName("getColdJob").WithSummary("A job with its statement")
            .Produces<ColdJobInfo>().ProducesProblem(404);
        group.MapPost("/jobs/{name}/run", (string name, ColdJobRunRequest? request, HttpContext context,
                ColdEndpoints cold) => cold.RunJobAsync(name, request ?? new ColdJobRunRequest(), context))
            .WithName("runColdJob").WithSummary("Run a job, for its rows or to keep them as Parquet")
            .Produces<ColdResult>().Produces<ColdJobWritten>().ProducesProblem(400).ProducesProblem(404);
    }

    private IResult List() => Results.Ok(new ColdJobList([.. catalog.Jobs.Select(job => InfoOf(job))], null));

    private IResult Show(string name) => ColdProblems.Guard(() =>
    {
        var job = catalog.Get(name);
        return Results.Ok(InfoOf(job, job.Sql));
    });

    private Task<IResult> RunSqlAsync(ColdSqlRequest request, HttpContext context) => ColdProblems.GuardAsync(() =>
    {
        if (string.IsNullOrWhiteSpace(request.Sql))
            throw ColdPathErrors.RequestInvalid.With(request.Sql, "sql is empty.").AsException();
        var query = new BatchQuery(request.Sql, ParametersOf(request.Parameters)) { AsOf = AsOf(request) };
        return AnswerAsync(AdHoc, query, request.Output, request.RowsMax, context);
    });

    private Task<IResult> RunJobAsync(string name, ColdJobRunRequest request, HttpContext context) =>
        ColdProblems.GuardAsync(async () =>
        {
            var parameters = request.Parameters ?? ColdJobs.NoParameters;
            var query = await jobs.PrepareAsync(name, parameters, context.RequestAborted)
                .ConfigureAwait(false);
            return await AnswerAsync(name, query, request.Output, request.RowsMax, context).ConfigureAwait(false);
        });

    private async Task<IResult> AnswerAsync(
        string name, BatchQuery query, string? output, long? rowsAsked, HttpContext context)
    {
        var ct = context.RequestAborted;
        switch (output ?? RowsOutput)
        {
            case RowsOutput:
                var format = ResultFormat.Of(context);
                var rowsMax = RowsMax(rowsAsked);
                await using (var result = await engine.QueryAsync(query with { RowsMax = rowsMax + 1 }, ct)
                    .ConfigureAwait(false))
                {
                    await ResultStream.SendAsync(context, result, format, rowsMax, logger).ConfigureAwait(false);
                }

                return Results.Empty;
            case ParquetOutput:
                var allowed = await authorization.AuthorizeAsync(context.User, ApiScopes.Operate)
                    .ConfigureAwait(false);
                if (!allowed.Succeeded) return Results.Forbid();
                var written = await jobs.WriteAsync(name, query, ct).ConfigureAwait(false);
                logger.JobWritten(name, written.Rows, written.Bytes, written.Keys[0]);
                return Results.Ok(new ColdJobWritten(name, written.Rows, written.Bytes, written.Keys));
            default:
                throw ColdPathErrors.RequestInvalid.With(output, "output is rows or parquet.").AsException();
        }
    }

    private long RowsMax(long? asked)
    {
        var limits = options.Value;
        if (asked is < 0) throw ColdPathErrors.RequestInvalid.With(asked, "rowsMax is negative.").AsException();
        return Math.Min(asked is null or 0 ? limits.RowsDefault : asked.Value, limits.RowsMax);
    }

    private static BatchAsOf? AsOf(ColdSqlRequest request) => (request.At, request.Version) switch
    {
        (null, null) => null,
        ({ } at, null) => new BatchAsOf(At: at),
        (null, { } version) => new BatchAsOf(Version: version),
        _ => throw ColdPathErrors.RequestInvalid.With(request.Version, "Say at or version, not both.").AsException(),
    };

    private static Dictionary<string, object?> ParametersOf(IReadOnlyDictionary<string, JsonElement>? given) =>
        (given ?? ColdJobs.NoParameters).ToDictionary(pair => pair.Key, pair => ValueOf(pair.Key, pair.Value));

    private static object? ValueOf(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number when value.TryGetInt64(out var whole) => whole,
        JsonValueKind.Number => value.GetDouble(),
        _ => throw ColdPathErrors.RequestInvalid
            .With(name, "A parameter is text, a number, a boolean or null.").AsException(),
    };

    private static ColdJobInfo InfoOf(JobDefinition job, string? sql = null) => new(
        job.Name, job.Description,
        [
            .. job.Parameters.Select(parameter => new ColdJobParameterInfo(
                parameter.Name, JobStatement.TypeName(parameter.Type), parameter.Description, parameter.Required,
                parameter.Default)),
        ],
        sql, job.Part?.ToString().ToLowerInvariant(), job.Schedule?.Cron,
        job.Part is null ? null : BatchTable.OfJob(job.Name).Name);
}
