using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Hosting;
using Millrace.Hosting.Health;
using Millrace.ObjectStore;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests;

/// <summary>
/// The S3 store of this run: found when the first test asks for it, and ended after the last. Without one the tests are
/// skipped.
/// </summary>
[SetUpFixture]
public sealed class S3Node
{
    private static readonly Lazy<Task<(S3Servers? Servers, string Reason)>> Found = new(S3Servers.FindAsync);

    public static async Task<S3Servers> ServersAsync()
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

    /// <summary>The services of a store in a bucket of its own, opened; settings win over the usual ones.</summary>
    public static async Task<ServiceProvider> OpenAsync(params (string Key, string? Value)[] settings)
    {
        var services = await MakeAsync(settings);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await services.GetRequiredService<IAwaitedServer>().AnswersAsync(limit.Token);
        return services;
    }

    public static async Task<ServiceProvider> MakeAsync(params (string Key, string? Value)[] settings)
    {
        var all = (await ServersAsync()).Settings($"contract-{Guid.NewGuid():N}");
        foreach (var (key, value) in settings) all["ObjectStore:S3:" + key] = value;
        return new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(all).Build())
            .AddLogging()
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder("unused"))
            .AddS3Options()
            .AddS3ObjectStore()
            .BuildServiceProvider();
    }
}
