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
    /// <summary>Below it are the objects that runs with output parquet write.</summary>
    public const string ResultsPrefix = "results";


    public static readonly IReadOnlyDictionary<string, JsonElement> NoParameters =
        new Dictionary<string, JsonElement>();

    private static readonly HashSet<string> OwnColumns =
        [.. TelemetryTable.BaseSchema.Columns.Select(column => column.Name), "body_text"];

    /// <summary>The job's statement with its parameters put in.</summary>
    public async ValueTask<BatchQuery> PrepareAsync(
        string name, IReadOnlyDictionary<string, JsonElement> parameters, CancellationToken ct)
    {
        var job = catalog.Get(name);
        var needsColumns = job.Parameters.Any(parameter => parameter.Type == JobParameterType.Columns);
        var columns = needsColumns ? await ColumnsAsync(ct).ConfigureAwait(false) : [];
        return JobStatement.Of(job, parameters, columns, time.GetUtcNow());
    }

    /// <summary>Writes the rows as Parquet below <c>results/NAME/</c>, each run in a folder of its own.</summary>
    public ValueTask<BatchWritten> WriteAsync(string name, BatchQuery query, CancellationToken ct)
    {
        var at = time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var prefix = $"{ResultsPrefix}/{name}/{at}-{Guid.NewGuid().ToString("N")[..8]}";
        return engine.WriteParquetAsync(query, new BatchOutput(prefix), ct);
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
