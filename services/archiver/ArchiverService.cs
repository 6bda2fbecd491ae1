using Microsoft.Extensions.Hosting;
using Millrace.Contracts;

namespace Millrace.Archiver;

/// <summary>Archives telemetry.</summary>
internal sealed class ArchiverService(TopicArchivers archivers) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        archivers.Find(Topics.Telemetry)!.RunAsync(stoppingToken);
}
