using Millrace.Gateway.Bridge.Intake;
using MQTTnet.Packets;

namespace Millrace.Gateway.Bridge.Link;

/// <summary>
/// Messages that were read while the intake had no room. What comes behind them is read on: the broker's answer to a
/// ping must not wait for the log, or the client gives the connection up. None of them is acknowledged yet, so a
/// connection that ends loses none. For one reader.
/// </summary>
/// <param name="bytesMax">How much it holds: with the message that passes it, no more is read.</param>
internal sealed class BridgeBacklog(BridgeIntake intake, long bytesMax) : IDisposable
{
    /// <summary>What a message takes besides its topic and payload, about.</summary>
    private const int MessageBytes = 256;

    private readonly Queue<MqttPublishPacket> _held = new();
    private readonly CancellationTokenSource _ended = new();
    private Task<bool> _taking = Task.FromResult(true);
    private long _bytes;

    /// <summary>Nothing more may be read until some of it is taken.</summary>
    public bool IsFull => _bytes >= bytesMax;

    /// <summary>Completes when <see cref="TryTake"/> can do something; is complete when nothing is held.</summary>
    public Task Taking => _taking;

    public void Add(MqttPublishPacket packet)
    {
        _held.Enqueue(packet);
        _bytes += BytesOf(packet);
    }

    /// <summary>Gives the intake what it has room for. False: the connection has to end.</summary>
    public bool TryTake()
    {
        while (_taking.IsCompleted)
        {
            if (!_taking.GetAwaiter().GetResult()) return false;
            if (!_held.TryDequeue(out var next)) return true;
            _bytes -= BytesOf(next);
            _taking = intake.TakeAsync(next, _ended.Token).AsTask();
        }

        return true;
    }

    /// <summary>From now on the intake is given nothing: the next connection begins without what is here.</summary>
    public async Task EndAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        await _taking.ConfigureAwait(false);
    }

    public void Dispose() => _ended.Dispose();

    private static long BytesOf(MqttPublishPacket packet) =>
        MessageBytes + packet.Payload.Length + packet.Topic.Length;
}
