using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.Stores.Telemetry;

namespace Millrace.Benchmarks.Alert;

/// <summary>
/// The warm store of the platform, which counts the rows that were written, and notes how long after the device's
/// publish each alarm among them was.
/// </summary>
internal class TimedRows : DispatchProxy
{
    private readonly List<double> _milliseconds = [];
    private ITelemetryStore _store = null!;
    private long _written;

    public long Written => Interlocked.Read(ref _written);

    public static ITelemetryStore Of(ITelemetryStore store)
    {
        var proxy = Create<ITelemetryStore, TimedRows>();
        ((TimedRows)proxy)._store = store;
        return proxy;
    }

    public IReadOnlyList<double> Milliseconds()
    {
        lock (_milliseconds) return [.. _milliseconds];
    }

    public void Forget()
    {
        lock (_milliseconds) _milliseconds.Clear();
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var answer = targetMethod!.Invoke(_store, args);
        if (targetMethod.Name != nameof(ITelemetryStore.WriteAsync)) return answer;
        var noted = NoteAsync(((ValueTask)answer!).AsTask(), (IReadOnlyList<TelemetryMessage>)args![1]!);
        return new ValueTask(noted);
    }

    private async Task NoteAsync(Task write, IReadOnlyList<TelemetryMessage> rows)
    {
        await write.ConfigureAwait(false);
        var now = Stopwatch.GetTimestamp();
        lock (_milliseconds)
        {
            foreach (var row in rows.Where(row => row.Body.AsSpan().StartsWith(AlertLoad.AlarmStart)))
            {
                using var body = JsonDocument.Parse(row.Body);
                var sent = body.RootElement.GetProperty("sent").GetInt64();
                _milliseconds.Add(Stopwatch.GetElapsedTime(sent, now).TotalMilliseconds);
            }
        }

        Interlocked.Add(ref _written, rows.Count);
    }
}
