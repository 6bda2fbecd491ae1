using Microsoft.Extensions.Logging;

namespace Millrace.Gateway.Publishing;

/// <summary>Tells those who published into a partition what of it has become durable: one batch at a time.</summary>
internal sealed class DurableNews(
    int partition, SharedWork shared, TimeProvider time, GatewayMetrics metrics, ILogger logger) : IPieces
{
    private List<Participation> _told = [];
    private long _firstOffset;

    /// <summary>All of them were told when this returns.</summary>
    /// <param name="firstOffset">Of the append that brought them.</param>
    public void Tell(List<Participation> participations, long firstOffset)
    {
        (_told, _firstOffset) = (participations, firstOffset);
        shared.Run(this, participations.Count);
    }

    /// <summary>One connection's trouble must not end the loop that all others depend on.</summary>
    void IPieces.Do(int piece)
    {
        var each = _told[piece];
        try
        {
            if (each.LastNumber >= 0) each.Owner?.OnDurable(partition, each.LastNumber, _firstOffset);
        }
        catch (Exception failure)
        {
            logger.ConnectionFailed(failure);
        }

        metrics.AckLatency(time.GetElapsedTime(each.TakenAt));
    }
}
