using Microsoft.Extensions.Logging;
using Millrace.Contracts;

namespace Millrace.StreamProcessor.Sinks;

/// <summary>
/// Logs dead letters: the first of a kind, then one a minute with how many came between, so that a device that only
/// sends what cannot be read does not fill the log. The letters themselves are all kept.
/// </summary>
internal sealed class DeadLetterLog(TimeProvider time, ILogger<DeadLetterLog> logger)
{
    private const int KindsMax = 1_000;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Stage, string? Query, string Code), (long LoggedAt, long Silent)> _kinds = [];

    public void Add(DeadLetter letter)
    {
        var (kind, now) = ((letter.Stage, letter.Query, letter.ErrorCode), time.GetTimestamp());
        long silent = 0;
        lock (_gate)
        {
            if (_kinds.TryGetValue(kind, out var last))
            {
                silent = last.Silent;
                _kinds[kind] = last with { Silent = silent + 1 };
                if (time.GetElapsedTime(last.LoggedAt, now) < Interval) return;
            }
            else if (_kinds.Count >= KindsMax) _kinds.Clear();

            _kinds[kind] = (now, 0);
        }

        var stage = letter.Query is null ? letter.Stage : $"{letter.Stage} {letter.Query}";
        var reason = $"{letter.ErrorCode} {letter.Reason}";
        logger.DeadLettered(stage, letter.Topic, letter.Partition, letter.Offset, silent, reason);
    }
}
