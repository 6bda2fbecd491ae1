using System.Globalization;
using System.Text.Json;
using Apache.Arrow.Types;
using Millrace.Batch;
using Millrace.ColdPath.Catalog;
using Millrace.Delta;

namespace Millrace.ColdPath;

/// <summary>Runs jobs of the catalogue on the batch engine.</summary>
internal sealed class ColdJobs(JobCatalog catalog, IBatchEngine engine, TimeProvider time)
{
    private const string ResultsPrefix = "results";

    private static readonly HashSet<string> OwnColumns =
        [.. TelemetryTable.BaseSchema.Columns.Select(column => column.Name), "body_text"];

    /// <summary>The job's rows as they stream in, at most so many.</summary>
    public async ValueTask<IBatchResult> RunAsync(
        string name, IReadOnlyDictionary<string, JsonElement> parameters, long rowsMax, CancellationToken ct)
    {
        var statement = await PrepareAsync(name, parameters, ct).ConfigureAwait(false);
        return await engine.QueryAsync(new BatchQuery(statement.Sql, statement.Parameters, rowsMax), ct)
            .ConfigureAwait(false);
    }

    /// <summary>Writes the job's rows as Parquet below <c>results/JOB/</c>, each run in a folder of its own.</summary>
    public async ValueTask<BatchWritten> WriteAsync(
        string name, IReadOnlyDictionary<string, JsonElement> parameters, CancellationToken ct)
    {
        var statement = await PrepareAsync(name, parameters, ct).ConfigureAwait(false);
        var at = time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var prefix = $"{ResultsPrefix}/{name}/{at}-{Guid.NewGuid().ToString("N")[..8]}";
        return await engine.WriteParquetAsync(new BatchQuery(statement.Sql, statement.Parameters), prefix, ct)
            .ConfigureAwait(false);
    }

    private async ValueTask<JobStatement> PrepareAsync(
        string name, IReadOnlyDictionary<string, JsonElement> parameters, CancellationToken ct)
    {
        var job = catalog.Get(name);
        var needsColumns = job.Parameters.Any(parameter => parameter.Type == JobParameterType.Columns);
        var columns = needsColumns ? await ColumnsAsync(ct).ConfigureAwait(false) : [];
        return JobStatement.Of(job, parameters, columns, time.GetUtcNow());
    }

    private async ValueTask<IReadOnlyList<ViewColumn>> ColumnsAsync(CancellationToken ct)
    {
        await using var result = await engine.QueryAsync(new BatchQuery("SELECT * FROM telemetry LIMIT 0"), ct)
            .ConfigureAwait(false);
        return
        [
            .. result.Schema.FieldsList.Select(field => new ViewColumn(
                field.Name, !OwnColumns.Contains(field.Name), field.DataType is NumberType)),
        ];
    }
}
