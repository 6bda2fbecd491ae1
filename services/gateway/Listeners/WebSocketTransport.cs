using System.IO.Pipelines;
using System.Net.WebSockets;

namespace Millrace.Gateway.Listeners;

/// <summary>
/// A WebSocket as a stream of bytes each way: frames begin and end anywhere in packets (MQTT 5 §6.0). Both ways hold no
/// more than a bounded number of bytes.
/// </summary>
internal sealed class WebSocketTransport : IDuplexPipe
{
    private const int ReceiveBytes = 4_096;

    private static readonly PipeOptions Bounds = new(
        pauseWriterThreshold: 64 << 10, resumeWriterThreshold: 32 << 10, useSynchronizationContext: false);

    private readonly WebSocket _socket;
    private readonly GatewayMetrics _metrics;
    private readonly Pipe _received = new(Bounds);
    private readonly Pipe _toSend = new(Bounds);

    public WebSocketTransport(WebSocket socket, GatewayMetrics metrics) => (_socket, _metrics) = (socket, metrics);

    public PipeReader Input => _received.Reader;

    public PipeWriter Output => _toSend.Writer;

    /// <summary>Carries bytes until both ways have ended. Does not throw: what fails ends the ways.</summary>
    public Task RunAsync() => Task.WhenAll(ReceiveAsync(), SendAsync());

    /// <summary>Ends both ways, if the connection has not done so itself.</summary>
    public void Complete()
    {
        _toSend.Writer.Complete();
        _received.Reader.Complete();
    }

    private async Task ReceiveAsync()
    {
        try
        {
            while (await ReceiveSomeAsync().ConfigureAwait(false))
            {
            }
        }
        catch (Exception failure) when (failure is WebSocketException or IOException or OperationCanceledException)
        {
            // The client is gone, or was cut off.
        }

        await _received.Writer.CompleteAsync().ConfigureAwait(false);
    }

    private async ValueTask<bool> ReceiveSomeAsync()
    {
        var frame = await _socket
            .ReceiveAsync(_received.Writer.GetMemory(ReceiveBytes), CancellationToken.None).ConfigureAwait(false);
        switch (frame.MessageType)
        {
            case WebSocketMessageType.Close: return false;
            case WebSocketMessageType.Text:
                _metrics.Malformed("websocket-text");
                await _socket.CloseOutputAsync(
                    WebSocketCloseStatus.InvalidMessageType, "MQTT is binary", CancellationToken.None)
                    .ConfigureAwait(false);
                return false;
        }

        _received.Writer.Advance(frame.Count);
        var flush = await _received.Writer.FlushAsync().ConfigureAwait(false);
        return !flush.IsCompleted;
    }

    private async Task SendAsync()
    {
        try
        {
            while (await SendSomeAsync().ConfigureAwait(false))
            {
            }

            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None)
                    .ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is WebSocketException or IOException or OperationCanceledException
            or ObjectDisposedException)
        {
            // As above.
        }

        await _toSend.Reader.CompleteAsync().ConfigureAwait(false);
    }

    private async ValueTask<bool> SendSomeAsync()
    {
        var read = await _toSend.Reader.ReadAsync().ConfigureAwait(false);
        foreach (var segment in read.Buffer)
        {
            await _socket.SendAsync(segment, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None)
                .ConfigureAwait(false);
        }

        _toSend.Reader.AdvanceTo(read.Buffer.End);
        return !read.IsCompleted;
    }
}
