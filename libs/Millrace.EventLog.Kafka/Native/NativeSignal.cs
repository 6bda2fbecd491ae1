using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Millrace.EventLog.Kafka.Native;

/// <summary>
/// A queue of the library whose events wake who waits without a thread that polls. Ask for the next event, look into
/// the queue until it is empty, then wait for it.
/// </summary>
internal sealed unsafe class NativeSignal : IDisposable
{
    private readonly GCHandle _self;
    private TaskCompletionSource _next = NewEvent();

    public NativeSignal(NativeClient client)
    {
        _self = GCHandle.Alloc(this);
        Queue = Rdkafka.QueueNew(client.Handle);
        Rdkafka.QueueOnEvent(Queue, &OnEvent, GCHandle.ToIntPtr(_self));
    }

    public nint Queue { get; }

    /// <summary>Ends when something comes.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    /// <summary>Wakes all who wait, as if something had come.</summary>
    public void Set() => Interlocked.Exchange(ref _next, NewEvent()).SetResult();

    public void Dispose()
    {
        // The library calls back under the queue's lock, and takes it here: afterwards no call is under way.
        Rdkafka.QueueOnEvent(Queue, null, 0);
        Rdkafka.QueueDestroy(Queue);
        _self.Free();
    }

    private static TaskCompletionSource NewEvent() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnEvent(nint client, nint opaque) =>
        (GCHandle.FromIntPtr(opaque).Target as NativeSignal)?.Set();
}
