using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Millrace.EventLog.Kafka.Native;

/// <summary>
/// A queue of the library whose events wake a waiter without a thread that polls. Look into the queue until it is
/// empty, then wait.
/// </summary>
internal sealed unsafe class NativeSignal : IDisposable
{
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly GCHandle _self;

    public NativeSignal(NativeClient client)
    {
        _self = GCHandle.Alloc(this);
        Queue = Rdkafka.QueueNew(client.Handle);
        Rdkafka.QueueOnEvent(Queue, &OnEvent, GCHandle.ToIntPtr(_self));
    }

    public nint Queue { get; }

    public Task WaitAsync(CancellationToken ct) => _signal.WaitAsync(ct);

    /// <summary>Wakes the waiter, as if something had come.</summary>
    public void Set()
    {
        lock (_signal)
        {
            if (_signal.CurrentCount == 0) _signal.Release();
        }
    }

    public void Dispose()
    {
        // The library calls back under the queue's lock, and takes it here: afterwards no call is under way.
        Rdkafka.QueueOnEvent(Queue, null, 0);
        Rdkafka.QueueDestroy(Queue);
        _self.Free();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnEvent(nint client, nint opaque) =>
        (GCHandle.FromIntPtr(opaque).Target as NativeSignal)?.Set();
}
