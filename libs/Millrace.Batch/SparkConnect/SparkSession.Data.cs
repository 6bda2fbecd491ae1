using Apache.Arrow;
using Millrace.Batch.SparkConnect.Protocol;

namespace Millrace.Batch.SparkConnect;

/// <summary>What to do about what is there already.</summary>
internal enum SparkWriteMode
{
    /// <summary>Fail, and write nothing.</summary>
    ErrorIfExists,

    /// <summary>Add to it.</summary>
    Append,

    /// <summary>Replace all of it.</summary>
    Overwrite,

    /// <summary>Replace the partitions that the rows are of, and leave the others.</summary>
    OverwritePartitions,
}

/// <param name="PartitionBy">Columns whose values become folders.</param>
internal sealed record SparkWrite(SparkWriteMode Mode, params IReadOnlyList<string> PartitionBy)
{
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();
}

internal sealed partial class SparkSession
{
    private const string Parquet = "parquet";

    public Task CreateTempViewAsync(string name, Relation relation, CancellationToken ct) => RunAsync(new Command
    {
        CreateDataframeView = new CreateDataFrameViewCommand { Input = relation, Name = name, Replace = true },
    }, name, ct);

    public async Task<bool> DropTempViewAsync(string name, CancellationToken ct) =>
        (await CatalogAsync(new Catalog { DropTempView = new DropTempView { ViewName = name } }, ct)
            .ConfigureAwait(false))[0] == "true";

    public async Task<bool> TableExistsAsync(string name, CancellationToken ct) =>
        (await CatalogAsync(new Catalog { TableExists = new TableExists { TableName = name } }, ct)
            .ConfigureAwait(false))[0] == "true";

    public async Task<string> CurrentDatabaseAsync(CancellationToken ct) =>
        (await CatalogAsync(new Catalog { CurrentDatabase = new CurrentDatabase() }, ct).ConfigureAwait(false))[0];

    public Task<IReadOnlyList<string>> DatabasesAsync(CancellationToken ct) =>
        CatalogAsync(new Catalog { ListDatabases = new ListDatabases() }, ct);

    /// <summary>Tables and temporary views.</summary>
    public Task<IReadOnlyList<string>> TablesAsync(CancellationToken ct) =>
        CatalogAsync(new Catalog { ListTables = new ListTables() }, ct);

    public Task<IReadOnlyList<string>> ColumnsAsync(string table, CancellationToken ct) =>
        CatalogAsync(new Catalog { ListColumns = new ListColumns { TableName = table } }, ct);

    /// <summary>Runs one SQL command, such as a CREATE TABLE.</summary>
    public Task CommandAsync(string sql, CancellationToken ct) =>
        RunAsync(new Command { SqlCommand = new SqlCommand { Input = SparkRelations.Sql(sql) } }, sql, ct);

    /// <summary>Writes Parquet files below the path.</summary>
    public Task WriteFilesAsync(
        Relation relation, string path, SparkWrite write, string what, CancellationToken ct,
        IProgress<BatchProgress>? progress = null)
    {
        var operation = Operation(relation, write);
        operation.Path = path;
        return RunAsync(new Command { WriteOperation = operation }, what, ct, progress);
    }

    /// <summary>Writes a table of the catalogue, which is made when it is missing and the mode lets it.</summary>
    public async Task WriteTableAsync(
        Relation relation, string table, SparkWrite write, string what, CancellationToken ct)
    {
        var operation = Operation(relation, write);
        var exists = await TableExistsAsync(table, ct).ConfigureAwait(false);

        // Saving as a table would replace all of it; what is inserted over it replaces partitions.
        var inserts = exists && write.Mode == SparkWriteMode.OverwritePartitions;
        if (inserts) operation.PartitioningColumns.Clear();
        operation.Table = new WriteOperation.Types.SaveTable
        {
            TableName = table,
            SaveMethod = inserts
                ? WriteOperation.Types.SaveTable.Types.TableSaveMethod.InsertInto
                : WriteOperation.Types.SaveTable.Types.TableSaveMethod.SaveAsTable,
        };
        await RunAsync(new Command { WriteOperation = operation }, what, ct).ConfigureAwait(false);
    }

    private static WriteOperation Operation(Relation relation, SparkWrite write)
    {
        var operation = new WriteOperation
        {
            Input = relation,
            Source = Parquet,
            Mode = write.Mode switch
            {
                SparkWriteMode.Append => WriteOperation.Types.SaveMode.Append,
                SparkWriteMode.ErrorIfExists => WriteOperation.Types.SaveMode.ErrorIfExists,
                _ => WriteOperation.Types.SaveMode.Overwrite,
            },
        };
        operation.PartitioningColumns.Add(write.PartitionBy);
        operation.Options.Add("compression", "zstd");
        operation.Options.Add("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false");
        operation.Options.Add("partitionOverwriteMode",
            write.Mode == SparkWriteMode.OverwritePartitions ? "dynamic" : "static");
        foreach (var (name, value) in write.Options) operation.Options[name] = value;
        return operation;
    }

    /// <summary>The first column of what the catalogue answers, as text.</summary>
    private async Task<IReadOnlyList<string>> CatalogAsync(Catalog catalog, CancellationToken ct)
    {
        await using var result = await QueryAsync(new Relation { Catalog = catalog }, "catalog", ct)
            .ConfigureAwait(false);
        var values = new List<string>();
        await foreach (var batch in result.ReadAsync(ct).ConfigureAwait(false))
        {
            for (var row = 0; row < batch.Length; row++) values.Add(Text(batch.Column(0), row));
        }

        return values;
    }

    private static string Text(IArrowArray column, int row) => column switch
    {
        StringArray text => text.GetString(row),
        BooleanArray flags => flags.GetValue(row) == true ? "true" : "false",
        _ => throw new NotSupportedException($"The catalogue answered with {column.Data.DataType.Name}."),
    };
}
