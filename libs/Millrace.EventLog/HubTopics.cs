using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Millrace.EventLog;

/// <summary>
/// Makes the hub's topics before any other service starts, and refuses a changed number of partitions.
/// </summary>
internal sealed class HubTopics(IEventLog log, IOptions<EventLogOptions> options) : IHostedLifecycleService
{
    private static readonly string[] Partitioned =
        [Contracts.Topics.Telemetry, Contracts.Topics.Lifecycle, Contracts.Topics.Alerts,
         Contracts.Topics.DeviceMessages];

    private static readonly string[] Single = [Contracts.Topics.Control, Contracts.Topics.DeadLetter];

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var name in Partitioned)
            await log.EnsureTopicAsync(new TopicSpec(name, options.Value.Partitions), cancellationToken);
        foreach (var name in Single)
            await log.EnsureTopicAsync(new TopicSpec(name, 1), cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
