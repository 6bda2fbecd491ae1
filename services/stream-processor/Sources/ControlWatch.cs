using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.StreamProcessor.Sources;

/// <summary>Follows the control topic from now on. What was said before stands in the stores.</summary>
internal sealed class ControlWatch(
    IEventLog log, IOptions<StreamProcessorOptions> options, TimeProvider time, ILogger<ControlWatch> logger)
    : BackgroundService
{
    private static readonly TopicPartition Control = new(Topics.Control, 0);

    /// <summary>Called for each notice, one after the other; must not throw and returns quickly.</summary>
    public event Action<ControlNotice>? Noticed;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new SupervisedStreams(log, options.Value, time, logger).RunAsync("control", FollowAsync, stoppingToken);

    private async Task FollowAsync(CancellationToken stop)
    {
        await using var reader = log.OpenReader(Control, (await log.RangeAsync(Control, stop)).Next);
        while (true) Tell(await reader.ReadAsync(ct: stop));
    }

    private void Tell(RecordBatch batch)
    {
        foreach (var record in batch)
        {
            try
            {
                var notice = JsonSerializer.Deserialize(record.Value, ContractJson.Default.ControlNotice);
                if (notice is not null) Noticed?.Invoke(notice);
            }
            catch (JsonException e)
            {
                logger.NoticeUnreadable(record.Offset, e.Message);
            }
        }
    }
}
