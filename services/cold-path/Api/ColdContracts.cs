using System.Text.Json;
using Millrace.Stores.Jobs;

namespace Millrace.ColdPath.Api;

/// <summary>POST /api/v1/cold/sql: one SELECT over the view <c>telemetry</c>.</summary>
/// <param name="Sql">The statement; parameters are written <c>$name</c>.</param>
/// <param name="Parameters">Values by name: text, number, boolean or null; a time is text in ISO 8601.</param>
/// <param name="RowsMax">The result ends after this many rows; null or 0 means the server's limit.</param>
/// <param name="Output">As in <see cref="ColdJobRunRequest"/>.</param>
/// <param name="At">Each table is read as it was at this time.</param>
/// <param name="Version">The one table that the statement names is read as of this version.</param>
public sealed record ColdSqlRequest(
    string Sql, IReadOnlyDictionary<string, JsonElement>? Parameters = null, long? RowsMax = null,
    string? Output = null, DateTimeOffset? At = null, long? Version = null);

/// <summary>POST /api/v1/cold/jobs/{name}/run and /api/v1/cold/jobs/{name}/parts/{part}/run.</summary>
/// <param name="Output"><c>rows</c> (the default) answers with the rows; <c>parquet</c> writes them into the object
/// store and answers with <see cref="ColdJobWritten"/>.</param>
/// <param name="Force">Of a part: makes it anew even when telemetry of its time went for its age.</param>
public sealed record ColdJobRunRequest(
    IReadOnlyDictionary<string, JsonElement>? Parameters = null, string? Output = null, long? RowsMax = null,
    bool Force = false);

/// <summary>A job as the catalogue shows it: GET /api/v1/cold/jobs and GET /api/v1/cold/jobs/{name}.</summary>
/// <param name="Sql">The job's statement; only where one job is asked for, and none for a class.</param>
/// <param name="Part"><c>day</c> or <c>hour</c>: by what its results are kept; null when they are not.</param>
/// <param name="Schedule">When it runs by itself, as cron; null when it does not.</param>
/// <param name="Table">The name by which statements read its results.</param>
public sealed record ColdJobInfo(
    string Name, string Description, IReadOnlyList<ColdJobParameterInfo> Parameters, string? Sql = null,
    string? Part = null, string? Schedule = null, string? Table = null);

/// <summary>GET /api/v1/cold/jobs/{name}/parts: the parts that have something of a range.</summary>
public sealed record ColdPartList(string Job, IReadOnlyList<string> Parts);

/// <summary>GET /api/v1/cold/jobs/{name}/history.</summary>
public sealed record ColdRunList(IReadOnlyList<JobRun> Items);

/// <param name="Type"><c>string</c>, <c>long</c>, <c>double</c>, <c>bool</c>, <c>timestamp</c> (ISO 8601,
/// <c>now</c> or <c>now-7d</c>) or <c>columns</c> (names of columns of <c>telemetry</c>, separated by commas).</param>
/// <param name="Default">What is taken when none is given; null when the parameter is required.</param>
public sealed record ColdJobParameterInfo(
    string Name, string Type, string Description, bool Required, string? Default);

/// <param name="Job">The job's name; <c>sql</c> for a statement of the request.</param>
/// <summary>What a run with output <c>parquet</c> wrote.</summary>
public sealed record ColdJobWritten(string Job, long Rows, long Bytes, IReadOnlyList<string> Keys);

/// <summary>A column of a result with <c>format=json</c>, whose rows are arrays in the order of the columns.</summary>
/// <param name="Type"><c>string</c>, <c>long</c>, <c>double</c>, <c>decimal</c>, <c>bool</c>, <c>date</c>,
/// <c>timestamp</c>, <c>binary</c> (base64) or <c>object</c>.</param>
public sealed record ColdColumn(string Name, string Type);

/// <summary>A whole result with <c>format=json</c>, as a client reads it; the server streams it.</summary>
/// <param name="Truncated">Whether there were more rows than the limit.</param>
public sealed record ColdResult(
    IReadOnlyList<ColdColumn> Columns, IReadOnlyList<IReadOnlyList<JsonElement>> Rows, bool Truncated);

/// <summary>GET /api/v1/cold/jobs.</summary>
public sealed record ColdJobList(IReadOnlyList<ColdJobInfo> Items, string? Continuation);
