using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Cql;
using Millrace.Stores.Cassandra;
using Millrace.Stores.Cassandra.Schema;
using Millrace.Stores.Telemetry;

namespace Millrace.Contract.Tests.Stores;

/// <summary>What the node says of the keyspace and the tables that are made.</summary>
public sealed class CassandraSchemaTests
{
    private CqlSession _session = null!;

    [OneTimeSetUp]
    public async Task OpenAsync()
    {
        using var adapter = new CassandraAdapter();
        await adapter.Get<ITelemetryStore>().CountAsync();
        _session = await CassandraNode.ConnectNowAsync(_ => { });
    }

    [OneTimeTearDown]
    public async Task CloseAsync()
    {
        if (_session is not null) await _session.DisposeAsync();
    }

    [Test]
    public async Task A_keyspace_is_replicated_as_the_configuration_says_by_data_centre()
    {
        var here = (await _session.ExecuteAsync("SELECT data_center FROM system.local"))[0].Get<string>(0);
        var options = new CassandraOptions { Keyspace = "replicated_tests", Replication = { [here] = 1 } };
        await _session.ExecuteAsync($"DROP KEYSPACE IF EXISTS {options.Keyspace}");
        await new KeyspaceMaker(_session, options, NullLogger.Instance).EnsureAsync(default);

        var made = (await _session.ExecuteAsync(
            "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?", options.Keyspace))[0]
            .Get<Dictionary<string, string>>(0);
        await _session.ExecuteAsync($"DROP KEYSPACE {options.Keyspace}");
        Assert.That(made["class"], Does.EndWith("NetworkTopologyStrategy"));
        Assert.That(made.Where(pair => pair.Key != "class"), Is.EqualTo(new Dictionary<string, string>
        {
            [here] = "1",
        }));
    }

    [TestCase("telemetry")]
    [TestCase("alerts_rows")]
    [TestCase("outputs_rows")]
    public async Task What_goes_by_age_is_compacted_by_time(string table)
    {
        var compaction = (await _session.ExecuteAsync(
            "SELECT compaction FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
            CassandraAdapter.Keyspace, table))[0].Get<Dictionary<string, string>>(0);

        Assert.That(compaction["class"], Does.EndWith("TimeWindowCompactionStrategy"));
        Assert.That(compaction["compaction_window_unit"], Is.EqualTo("DAYS"));
    }
}
