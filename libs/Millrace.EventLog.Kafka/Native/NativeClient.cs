using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Millrace.EventLog.Kafka.Native;

/// <summary>
/// A client of librdkafka: connections to the brokers on threads of the library's own. What it has to say goes to the
/// log.
/// </summary>
internal sealed unsafe class NativeClient : IDisposable
{
    // Levels of syslog.
    private const int Warning = 4, Notice = 5;

    private readonly ILogger _log;
    private readonly GCHandle _self;
    private readonly Action<int, string>? _failed;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, nint> _topics = [];

    /// <param name="failed">Told of errors of the whole client, on the thread that calls <see cref="Poll"/>.</param>
    /// <param name="delivery">Called with the report of each record that was written; an address, or 0.</param>
    public NativeClient(
        ClientKind kind, IReadOnlyDictionary<string, string> settings, ILogger log,
        Action<int, string>? failed = null,
        nint delivery = 0)
    {
        (_log, _failed) = (log, failed);
        _self = GCHandle.Alloc(this);
        var conf = Rdkafka.ConfNew();
        foreach (var (name, value) in settings) Rdkafka.Set(conf, name, value);
        Rdkafka.ConfSetOpaque(conf, GCHandle.ToIntPtr(_self));
        Rdkafka.ConfSetLog(conf, &OnLog);
        Rdkafka.ConfSetError(conf, &OnError);
        if (delivery != 0)
            Rdkafka.ConfSetDelivery(conf, (delegate* unmanaged[Cdecl]<nint, NativeMessage*, nint, void>)delivery);
        Handle = Rdkafka.New(kind, conf);
    }

    public nint Handle { get; private set; }

    /// <summary>Calls the callbacks of what has happened; waits so long for something to happen.</summary>
    public void Poll(TimeSpan most) => Rdkafka.Poll(Handle, (int)most.TotalMilliseconds);

    /// <summary>The library's handle of the topic, for as long as the client lives.</summary>
    public nint Topic(string name)
    {
        lock (_gate)
        {
            if (_topics.TryGetValue(name, out var topic)) return topic;
            fixed (byte* text = Rdkafka.ZeroEnded(name)) topic = Rdkafka.TopicNew(Handle, text, 0);
            if (topic == 0) throw new InvalidOperationException(Rdkafka.Describe(Rdkafka.LastError()));
            _topics.Add(name, topic);
            return topic;
        }
    }

    public void Dispose()
    {
        if (Handle == 0) return;
        foreach (var topic in _topics.Values) Rdkafka.TopicDestroy(topic);
        Rdkafka.Destroy(Handle);
        Handle = 0;
        _self.Free();
    }

    private static NativeClient? Of(nint opaque) =>
        opaque == 0 ? null : GCHandle.FromIntPtr(opaque).Target as NativeClient;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLog(nint client, int level, byte* facility, byte* text)
    {
        if (Of(Rdkafka.Opaque(client)) is not { } self) return;
        if (level <= Warning) self._log.ClientWarned(Rdkafka.Text(facility), Rdkafka.Text(text));
        else if (level <= Notice) self._log.ClientTold(Rdkafka.Text(facility), Rdkafka.Text(text));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnError(nint client, int code, byte* reason, nint opaque)
    {
        if (Of(opaque) is not { } self) return;
        var text = Rdkafka.Text(reason);

        // The log has the others from OnLog.
        if (code is NativeErrors.Fatal or NativeErrors.AllBrokersDown)
            self._log.ClientFailed(Rdkafka.Describe(code), text);
        self._failed?.Invoke(code, text);
    }
}
