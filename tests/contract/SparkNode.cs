using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests;

/// <summary>
/// The Spark server of this run: found when the first test asks for it, and ended after the last. Without one the tests
/// are skipped.
/// </summary>
[SetUpFixture]
public sealed class SparkNode
{
    private static readonly Lazy<Task<(SparkServers? Servers, string Reason)>> Found =
        new(() => SparkServers.FindAsync());

    public static async Task<SparkServers> ServersAsync()
    {
        var (servers, reason) = await Found.Value;
        if (servers is null) Assert.Ignore(reason);
        return servers!;
    }

    /// <summary>An S3 store that the server reads and writes.</summary>
    public static async Task<S3Servers> S3Async()
    {
        var s3 = await (await ServersAsync()).S3Async();
        if (s3 is null) Assert.Ignore("SPARK_REMOTE is set: set S3_ENDPOINT to the S3 store that it is set up for.");
        return s3!;
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        if (Found is { IsValueCreated: true, Value.IsCompletedSuccessfully: true, Value.Result.Servers: { } servers })
            await servers.DisposeAsync();
    }
}
