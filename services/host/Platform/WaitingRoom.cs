using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Hosting.Health;

namespace Millrace.Platform;

/// <summary>
/// A process whose event log or stores do not answer yet is alive and not ready. It says so at its address until they
/// are there, and then starts its roles.
/// </summary>
internal static class WaitingRoom
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Returns when all answer; at once where they are in this process.</summary>
    public static async Task WaitAsync(WebApplication platform, CancellationToken ct)
    {
        var log = platform.Services.GetRequiredService<IEventLog>();
        var time = platform.Services.GetRequiredService<TimeProvider>();
        var servers = platform.Services.GetServices<IAwaitedServer>().ToDictionary(server => server.Name);
        var awaited = servers.ToDictionary(server => server.Key, server => server.Value.AnswersAsync(ct));
        awaited.Add("event-log", log.EnsureTopicAsync(new TopicSpec(Topics.Control, 1), ct).AsTask());
        var answers = AllAsync(awaited.Values);
        await Task.WhenAny(answers, Task.Delay(Patience, time, ct));
        if (answers.IsCompleted || ct.IsCancellationRequested)
        {
            await answers;
            return;
        }

        var logger = platform.Services.GetRequiredService<ILoggerFactory>().CreateLogger(nameof(WaitingRoom));
        logger.WaitsForServers(string.Join(", ", Missing(awaited, servers).Keys));
        var http = platform.Services.GetRequiredService<IOptions<HttpOptions>>().Value;
        await using (var room = Open(http, () => Missing(awaited, servers)))
        {
            await room.StartAsync(ct);
            await answers;
            await room.StopAsync(CancellationToken.None);
        }

        logger.ServersAnswer();
    }

    /// <summary>Ends when all did, or as soon as one fails for good.</summary>
    private static async Task AllAsync(IEnumerable<Task> tasks)
    {
        await foreach (var done in Task.WhenEach(tasks)) await done;
    }

    private static Dictionary<string, string> Missing(
        Dictionary<string, Task> awaited, Dictionary<string, IAwaitedServer> servers) => awaited
        .Where(one => !one.Value.IsCompletedSuccessfully)
        .ToDictionary(one => one.Key, one => servers.GetValueOrDefault(one.Key)?.Trouble
            ?? "It does not answer yet; this process waits for it.");

    private static WebApplication Open(HttpOptions http, Func<IReadOnlyDictionary<string, string>> missing)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Parse(http.Address), http.Port);
        });
        var room = builder.Build();
        room.MapGet("/healthz", () => "Healthy");
        room.MapFallback(() => Results.Json(
            HealthAnswer.Without(missing()), statusCode: StatusCodes.Status503ServiceUnavailable));
        return room;
    }

    /// <summary>Signals are the platform's.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
