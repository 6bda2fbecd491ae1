using System.Collections.Concurrent;

namespace Millrace.Batch.SparkConnect;

/// <summary>
/// Sessions that were opened and set up, each with one statement at a time. As many are open as statements run at once.
/// </summary>
internal sealed class SparkSessions(SparkClient client) : IAsyncDisposable
{
    private const string Tag = "millrace";

    private static readonly Dictionary<string, string> Settings = new()
    {
        // Answers must not depend on how the server was set up.
        ["spark.sql.session.timeZone"] = "UTC",
        ["spark.sql.ansi.enabled"] = "true",
        ["spark.sql.parquet.outputTimestampType"] = "TIMESTAMP_MICROS",
        ["spark.sql.sources.partitionOverwriteMode"] = "dynamic",

        // The type of a partition's column is the table's, and not what its values look like.
        ["spark.sql.sources.partitionColumnTypeInference.enabled"] = "false",

        // Statements read tables, and not any file that the server can open.
        ["spark.sql.runSQLOnFiles"] = "false",
    };

    private readonly ConcurrentBag<SparkSession> _free = [];

    /// <summary>One that is free, or a new one.</summary>
    public Task<SparkSession> RentAsync(CancellationToken ct) =>
        _free.TryTake(out var free) ? Task.FromResult(free) : OpenAsync(ct);

    public async Task<SparkSession> OpenAsync(CancellationToken ct)
    {
        var session = client.OpenSession(Tag);
        try
        {
            await session.SetAsync(Settings, ct).ConfigureAwait(false);
            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public void Return(SparkSession session) => _free.Add(session);

    public ValueTask DisposeAsync() => DropAsync();

    /// <summary>Lets all go that are free.</summary>
    public async ValueTask DropAsync()
    {
        while (_free.TryTake(out var session)) await session.DisposeAsync().ConfigureAwait(false);
    }
}
