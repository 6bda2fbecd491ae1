using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Listeners;
using Millrace.Gateway.Mqtt;

namespace Millrace.Gateway.Limits;

/// <summary>
/// Stands around the TLS handshake: so many are at work at a time, others wait. Only who has sent a whole first record
/// that could be TLS is given a place, and who then lets the server wait gives it up; so sockets that say nothing,
/// garbage, or no more than the beginning, keep nobody out. Connections that have not come through count against the
/// hub's connections like those that have, and take their turn in its connect rate before they cost a handshake.
/// </summary>
internal sealed class HandshakeGate(
    IOptions<GatewayOptions> options, ConnectionTable connections, MqttConnectionHandler handler,
    GatewayMetrics metrics, TimeProvider time) : IDisposable
{
    private const byte HandshakeRecord = 22;
    private const int RecordHeaderBytes = 5;
    private const int RecordBytesMax = 1 << 14;

    /// <summary>The server's own work is done long before; the rest is waiting for the client.</summary>
    private static readonly TimeSpan PlaceTime = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _places = new(options.Value.Limits.HandshakesMax);
    private int _before;

    /// <summary>Before the handshake of a listener.</summary>
    /// <param name="timeout">How long a client has until it is given a place, besides its turn.</param>
    public ConnectionDelegate Before(ConnectionDelegate next, TimeSpan timeout) => async connection =>
    {
        if (!handler.TryAdmit(out var turnWait))
        {
            connection.Abort();
            return;
        }

        connection.Items[typeof(Admission)] = Admission.Given;
        await PassAsync(connection.Transport.Input, connection.Abort, turnWait, timeout, passage =>
        {
            connection.Items[typeof(Passage)] = passage;
            return next(connection);
        }).ConfigureAwait(false);
    };

    /// <summary>After it, when it has succeeded.</summary>
    public ConnectionDelegate After(ConnectionDelegate next) => connection =>
    {
        if (connection.Items.TryGetValue(typeof(Passage), out var passage)) ((Passage)passage!).Succeed();
        return next(connection);
    };

    public void Dispose() => _places.Dispose();

    /// <summary>For a connection that was admitted, and has to wait for its turn.</summary>
    /// <param name="handshakeTimeout">How long the client has until it is given a place, besides its turn.</param>
    /// <param name="shakeHands">What is done in the place; it says when it has succeeded.</param>
    public async Task PassAsync(
        PipeReader input, Action abort, TimeSpan turnWait, TimeSpan handshakeTimeout, Func<Passage, Task> shakeHands,
        CancellationToken stop = default)
    {
        var before = Interlocked.Increment(ref _before);
        var passage = new Passage(this);
        var refusal = connections.Taken + before > options.Value.ConnectionsMax
            ? "connections-max"
            : await WaitAsync(input, turnWait, handshakeTimeout, stop).ConfigureAwait(false);
        try
        {
            if (refusal is null)
            {
                passage.HasPlace();
                passage.Timer = time.CreateTimer(
                    static passage => ((Passage)passage!).GiveUpPlace(), passage, PlaceTime, Timeout.InfiniteTimeSpan);
                await shakeHands(passage).ConfigureAwait(false);
                refusal = passage.HasSucceeded ? null : "handshake-failed";
            }
            else abort();
        }
        finally
        {
            passage.End();
            if (refusal is not null) metrics.Refused(refusal);
        }
    }

    /// <summary>Until the client has spoken and there is a place; null, or why it may not go on.</summary>
    private async ValueTask<string?> WaitAsync(
        PipeReader input, TimeSpan turnWait, TimeSpan handshakeTimeout, CancellationToken stop)
    {
        using var timeout = new CancellationTokenSource(turnWait + handshakeTimeout, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
        try
        {
            if (turnWait > TimeSpan.Zero) await Task.Delay(turnWait, time, end.Token).ConfigureAwait(false);
            if (!await HasGreetedAsync(input, end.Token).ConfigureAwait(false)) return "handshake-failed";
            await _places.WaitAsync(end.Token).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return "handshake-timeout";
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            return "handshake-failed";
        }
    }

    /// <summary>Whether the first record is there and a handshake's; it is left for TLS to read.</summary>
    private static async ValueTask<bool> HasGreetedAsync(PipeReader input, CancellationToken ct)
    {
        await using var cancellation = ct.UnsafeRegister(
            static input => ((PipeReader)input!).CancelPendingRead(), input).ConfigureAwait(false);
        while (true)
        {
            var read = await input.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            if (read.IsCanceled) ct.ThrowIfCancellationRequested();
            var greeting = Check(read.Buffer);
            if (greeting is { } known)
            {
                input.AdvanceTo(read.Buffer.Start);
                return known;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted) return false;
        }
    }

    /// <summary>Null: more bytes are needed (TLS 1.3, RFC 8446 §5.1).</summary>
    private static bool? Check(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsEmpty) return null;
        if (bytes.FirstSpan[0] != HandshakeRecord) return false;
        if (bytes.Length < RecordHeaderBytes) return null;
        Span<byte> header = stackalloc byte[RecordHeaderBytes];
        bytes.Slice(0, RecordHeaderBytes).CopyTo(header);
        var length = BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
        if (length is 0 or > RecordBytesMax) return false;
        return bytes.Length >= RecordHeaderBytes + length ? true : null;
    }

    /// <summary>One connection on its way through the handshake.</summary>
    public sealed class Passage(HandshakeGate gate)
    {
        private int _places;
        private int _isBefore = 1;

        public ITimer? Timer { get; set; }

        public bool HasSucceeded { get; private set; }

        public void HasPlace() => Volatile.Write(ref _places, 1);

        public void Succeed()
        {
            HasSucceeded = true;
            End();
        }

        /// <summary>May be called again, and by anyone.</summary>
        public void End()
        {
            GiveUpPlace();
            if (Interlocked.Exchange(ref _isBefore, 0) == 1) Interlocked.Decrement(ref gate._before);
        }

        public void GiveUpPlace()
        {
            Timer?.Dispose();
            if (Interlocked.Exchange(ref _places, 0) == 1) gate._places.Release();
        }
    }
}
