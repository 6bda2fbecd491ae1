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
/// A process whose event log does not answer yet is alive and not ready. It says so at its address until the log is
/// there, and then starts its roles.
/// </summary>
internal static class WaitingRoom
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Returns when the event log answers; at once where it is in this process.</summary>
    public static async Task WaitAsync(WebApplication platform, CancellationToken ct)
    {
        var log = platform.Services.GetRequiredService<IEventLog>();
        var time = platform.Services.GetRequiredService<TimeProvider>();
        var answers = log.EnsureTopicAsync(new TopicSpec(Topics.Control, 1), ct).AsTask();
        await Task.WhenAny(answers, Task.Delay(Patience, time, ct));
        if (answers.IsCompleted || ct.IsCancellationRequested)
        {
            await answers;
            return;
        }

        var logger = platform.Services.GetRequiredService<ILoggerFactory>().CreateLogger(nameof(WaitingRoom));
        logger.WaitsForLog();
        await using (var room = Open(platform.Services.GetRequiredService<IOptions<HttpOptions>>().Value))
        {
            await room.StartAsync(ct);
            await answers;
            await room.StopAsync(CancellationToken.None);
        }

        logger.LogAnswers();
    }

    private static WebApplication Open(HttpOptions http)
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
            HealthAnswer.Without("event-log", "It does not answer yet; this process waits for it."),
            statusCode: StatusCodes.Status503ServiceUnavailable));
        return room;
    }

    /// <summary>Signals are the platform's.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
