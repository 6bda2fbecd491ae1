using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Mqtt;

namespace Millrace.Gateway.Listeners;

/// <summary>
/// Stands before the upgrade to a WebSocket. Who has not come through is treated as over TCP who has not sent his
/// CONNECT, whatever HTTP he speaks meanwhile: he takes his turn in the hub's connect rate, counts as a connection, and
/// has <see cref="GatewayOptions.ConnectTimeout"/>. What Kestrel has for HTTP would let him have minutes.
/// </summary>
internal sealed class UpgradeGate(IOptions<GatewayOptions> options, MqttConnectionHandler handler, TimeProvider time)
{
    public ConnectionDelegate Before(ConnectionDelegate next) => async connection =>
    {
        if (!handler.TryAdmit(connection.Items, out var turnWait) || !handler.TryReserve())
        {
            connection.Abort();
            return;
        }

        var passage = new Passage(handler, connection);
        connection.Items[typeof(Passage)] = passage;
        await using var timer = time.CreateTimer(static passage => ((Passage)passage!).TimeOut(), passage,
            options.Value.ConnectTimeout, Timeout.InfiniteTimeSpan);
        try
        {
            if (turnWait > TimeSpan.Zero)
                await Task.Delay(turnWait, time, connection.ConnectionClosed).ConfigureAwait(false);
            await next(connection).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (connection.ConnectionClosed.IsCancellationRequested)
        {
            // The client has not waited for its turn.
        }
        finally
        {
            passage.TryEnd(ConnectionEnd.Lost);
        }
    };

    /// <summary>One connection on its way through the upgrade, in a place that it has reserved.</summary>
    public sealed class Passage(MqttConnectionHandler handler, ConnectionContext connection)
    {
        private int _isOver;

        /// <summary>It has come through, and takes its place with it. False: its time was over before.</summary>
        public bool TryComeThrough() => Interlocked.Exchange(ref _isOver, 1) == 0;

        /// <summary>Unless it has come through, it gives its place up.</summary>
        public bool TryEnd(ConnectionEnd end)
        {
            if (!TryComeThrough()) return false;
            handler.GiveUp(end);
            return true;
        }

        public void TimeOut()
        {
            if (TryEnd(ConnectionEnd.ConnectTimeout)) connection.Abort();
        }
    }
}
