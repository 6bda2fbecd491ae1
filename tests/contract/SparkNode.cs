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

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        if (Found is { IsValueCreated: true, Value.IsCompletedSuccessfully: true, Value.Result.Servers: { } servers })
            await servers.DisposeAsync();
    }
}
