using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Event;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace Millrace.Cluster.Transport;

/// <summary>A connection with another member. Frames: four bytes of length, the least first, and the body.</summary>
/// <param name="endTimeMax">For what is still to be sent when this side ends it.</param>
internal sealed class MemberConnection(
    Stream stream, Address local, Address remote, TimeSpan endTimeMax, ILoggingAdapter log)
    : AssociationHandle(local, remote)
{
    /// <summary>The largest body: of a message of the cluster, not of a device's.</summary>
    public const int FrameMax = 128_000;

    private const int LengthBytes = 4;

    /// <summary>More than this does not wait here, but with the sender, which tries again.</summary>
    private const int QueuedBytesMax = 1 << 20;

    private const int WriteBytes = 64 << 10;

    private readonly Channel<ByteString> _queue =
        Channel.CreateUnbounded<ByteString>(new UnboundedChannelOptions { SingleReader = true });

    private readonly CancellationTokenSource _late = new();
    private long _queued;

    public override bool Write(ByteString payload)
    {
        if (Volatile.Read(ref _queued) >= QueuedBytesMax || !_queue.Writer.TryWrite(payload)) return false;
        Interlocked.Add(ref _queued, payload.Length);
        return true;
    }

    [Obsolete("Akka's own mark: it calls this through the overload that says why.")]
    public override void Disassociate() => End();

    /// <summary>Sends what was written, and closes.</summary>
    public void End()
    {
        if (_queue.Writer.TryComplete()) _late.CancelAfter(endTimeMax);
    }

    /// <summary>Reads and writes until either side ends the connection.</summary>
    public async Task RunAsync()
    {
        var reading = ReadAllAsync();
        await WriteAllAsync();
        await stream.DisposeAsync();
        // Whoever comes to read later hears that it is over.
        if (ReadHandlerSource.Task.IsCompleted) await reading;
    }

    private async Task WriteAllAsync()
    {
        var buffer = new ArrayBufferWriter<byte>(WriteBytes);
        try
        {
            while (await _queue.Reader.WaitToReadAsync(_late.Token))
            {
                buffer.ResetWrittenCount();
                var taken = 0;
                while (buffer.WrittenCount < WriteBytes && _queue.Reader.TryRead(out var payload))
                {
                    BinaryPrimitives.WriteInt32LittleEndian(buffer.GetSpan(LengthBytes), payload.Length);
                    buffer.Advance(LengthBytes);
                    buffer.Write(payload.Span);
                    taken += payload.Length;
                }

                await stream.WriteAsync(buffer.WrittenMemory, _late.Token);
                Interlocked.Add(ref _queued, -taken);
            }
        }
        catch (Exception cause) when (IsOfConnection(cause))
        {
            // The reading side says that it is over.
        }

        End();
    }

    private async Task ReadAllAsync()
    {
        var listener = await ReadHandlerSource.Task;
        var frames = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
        try
        {
            while (true)
            {
                var read = await frames.ReadAsync();
                var rest = read.Buffer;
                while (TryTake(ref rest, out var body)) listener.Notify(new InboundPayload(body));
                frames.AdvanceTo(rest.Start, rest.End);
                if (read.IsCompleted) break;
            }
        }
        catch (InvalidDataException cause)
        {
            log.Warning("{0} sends what is no frame, and is hung up on: {1}", RemoteAddress, cause.Message);
        }
        catch (Exception cause) when (IsOfConnection(cause))
        {
            // As when the other side closes.
        }

        await frames.CompleteAsync();
        listener.Notify(new Disassociated(DisassociateInfo.Unknown));
        End();
    }

    private static bool TryTake(ref ReadOnlySequence<byte> rest, out ByteString body)
    {
        body = ByteString.Empty;
        var reader = new SequenceReader<byte>(rest);
        if (!reader.TryReadLittleEndian(out int length)) return false;
        if (length is < 0 or > FrameMax) throw new InvalidDataException($"A frame of {length} bytes.");
        if (!reader.TryReadExact(length, out var bytes)) return false;
        body = UnsafeByteOperations.UnsafeWrap(bytes.ToArray());
        rest = rest.Slice(reader.Position);
        return true;
    }

    private static bool IsOfConnection(Exception cause) =>
        cause is IOException or OperationCanceledException or ObjectDisposedException;
}
