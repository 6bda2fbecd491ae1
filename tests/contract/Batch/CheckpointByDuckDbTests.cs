using DuckDB.NET.Data;
using Millrace.Delta;
using Millrace.TestKit;
using Millrace.TestKit.ObjectStores;

namespace Millrace.Contract.Tests.Batch;

/// <summary>A checkpoint of the archive's table is what the protocol says, to a reader that is not ours.</summary>
public sealed class CheckpointByDuckDbTests
{
    [Test]
    public async Task Another_reader_finds_in_a_checkpoint_what_the_table_has()
    {
        using var folder = new TemporaryFolder();
        var store = TestObjectStores.Files(folder.Path);
        await SampleArchive.WriteAsync(store);
        using var table = new DeltaTable(store, TelemetryTable.Root, TimeProvider.System);
        await table.CheckpointAsync();
        var snapshot = (await table.RefreshAsync())!;
        var path = store.LocalPath($"telemetry/_delta_log/{snapshot.Version:D20}.checkpoint.parquet");

        await using var database = new DuckDBConnection("DataSource=:memory:");
        await database.OpenAsync();
        object?[] One(string sql)
        {
            using var command = database.CreateCommand();
            command.CommandText = $"SELECT {sql} FROM read_parquet('{path}')";
            using var reader = command.ExecuteReader();
            Assert.That(reader.Read());
            var values = new object?[reader.FieldCount];
            reader.GetValues(values!);
            return values;
        }

        Assert.That(One("max(protocol.minReaderVersion), max(protocol.minWriterVersion), count(protocol)"),
            Is.EqualTo(new object[] { 1, 2, 1L }));
        Assert.That(One("max(metaData.id), max(metaData.schemaString), max(metaData.format.provider)"),
            Is.EqualTo(new object[] { snapshot.Metadata.Id, snapshot.Schema.ToJson(), "parquet" }));
        Assert.That(One("array_to_string(max(metaData.partitionColumns), ' ')"), Is.EqualTo(new[] { "date hour" }));
        Assert.That(One("max(txn.appId), max(txn.version), count(txn)"), Is.EqualTo(new object[]
        {
            TelemetryTable.AppIdOf(0), (long)SampleArchive.Hours * SampleArchive.RowsPerHour, 1L,
        }));
        Assert.That(One("count(add), sum(add.size)::BIGINT, sum((add.stats->>'numRecords')::BIGINT)::BIGINT"),
            Is.EqualTo(new object[]
            {
                (long)snapshot.Files.Count, snapshot.Files.Values.Sum(file => file.Bytes),
                (long)SampleArchive.Hours * SampleArchive.RowsPerHour,
            }));
        Assert.That(One("min(add.partitionValues['date']), max(add.partitionValues['hour'])"),
            Is.EqualTo(new[] { "2026-11-22", "13" }));
    }
}
