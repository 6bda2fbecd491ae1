using Millrace.Cql;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests;

/// <summary>
/// The Cassandra cluster of this run: found when the first test asks for it, and ended after the last. Without one the
/// tests are skipped.
/// </summary>
[SetUpFixture]
public sealed class CassandraNode
{
    private static readonly Lazy<Task<(CassandraServers? Servers, string Reason)>> Found =
        new(CassandraServers.FindAsync);

    private static readonly Lazy<Task> CqlKeyspace = new(() => MakeKeyspaceAsync("cql_tests"));

    public static async Task<CassandraServers> ServersAsync()
    {
        var (servers, reason) = await Found.Value;
        if (servers is null) Assert.Ignore(reason);
        return servers!;
    }

    /// <summary>A session for the tests of the client, whose keyspace is cql_tests.</summary>
    public static async Task<CqlSession> ConnectAsync(Action<CqlOptions>? change = null)
    {
        await CqlKeyspace.Value;
        return await ConnectNowAsync(change);
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        if (Found is { IsValueCreated: true, Value.IsCompletedSuccessfully: true, Value.Result.Servers: { } servers })
            await servers.DisposeAsync();
    }

    /// <summary>A session for any keyspace.</summary>
    public static async Task<CqlSession> ConnectNowAsync(Action<CqlOptions>? change = null)
    {
        var servers = await ServersAsync();

        // A node that shares two cores with the tests may think for a while.
        var options = new CqlOptions
        {
            ContactPoints = servers.ContactPoints.Split(','),
            Port = servers.Port,
            RequestTimeout = TimeSpan.FromMinutes(1),
            HeartbeatTimeout = TimeSpan.FromSeconds(30),
        };
        change?.Invoke(options);
        return await CqlSession.ConnectAsync(options);
    }

    /// <summary>
    /// Makes it anew, in place of what an earlier run left on a node that is not ours: many tables take their time.
    /// </summary>
    public static async Task MakeKeyspaceAsync(string name)
    {
        await using var session = await ConnectNowAsync();
        var drop = new SimpleStatement($"DROP KEYSPACE IF EXISTS {name}") { Timeout = TimeSpan.FromMinutes(2) };
        await session.ExecuteAsync(drop);
        await session.ExecuteAsync($"CREATE KEYSPACE {name} WITH replication = "
            + "{'class': 'SimpleStrategy', 'replication_factor': 1}");
    }
}
