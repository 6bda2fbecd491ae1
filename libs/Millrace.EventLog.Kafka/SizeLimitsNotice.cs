using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace.EventLog.Retention;

namespace Millrace.EventLog.Kafka;

/// <summary>Says at the start that limits in bytes, where somebody has set them, do not count here.</summary>
internal sealed class SizeLimitsNotice(IConfiguration configuration, ILogger<SizeLimitsNotice> log) : IHostedService
{
    private static readonly string[] Keys =
    [
        nameof(RetentionOptions.TelemetryBytesMax), nameof(RetentionOptions.HoldBytesMax),
        nameof(RetentionOptions.OtherBytesMax),
    ];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var set = Keys.Select(key => $"EventLog:Retention:{key}").Where(key => configuration[key] is not null).ToList();
        if (set.Count > 0) log.SizesIgnored(string.Join(", ", set));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
