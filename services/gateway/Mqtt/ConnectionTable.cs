namespace Millrace.Gateway.Mqtt;

/// <summary>
/// The open connections: all of them, and those of each device. A device may have several, each under a client id of
/// its own; a second one under the same client id takes the session over (MQTT 5 §3.1.4).
/// </summary>
internal sealed class ConnectionTable
{
    private readonly Lock _gate = new();
    private readonly Stack<int> _free = new();
    private readonly Dictionary<string, List<MqttConnection>> _devices = [];
    private MqttConnection?[] _slots = new MqttConnection?[16];
    private TaskCompletionSource? _empty;
    private int _reserved;

    public int Count { get; private set; }

    /// <summary>The places that are taken, by connections and by those that are on their way.</summary>
    public int Taken => Count + Volatile.Read(ref _reserved);

    /// <summary>Takes a place for a connection that is on its way. False when there are as many as may be.</summary>
    public bool TryReserve(int max)
    {
        lock (_gate)
        {
            if (Taken >= max) return false;
            _reserved++;
            return true;
        }
    }

    /// <summary>Gives up the place of one that has not come.</summary>
    public void GiveUp()
    {
        lock (_gate) _reserved--;
    }

    /// <summary>Adds the connection in the place that was reserved for it.</summary>
    public void Add(MqttConnection connection)
    {
        lock (_gate)
        {
            _reserved--;
            if (!_free.TryPop(out var slot))
            {
                slot = Count;
                if (slot == _slots.Length) Array.Resize(ref _slots, _slots.Length * 2);
            }

            connection.Slot = slot;
            _slots[slot] = connection;
            Count++;
        }
    }

    /// <summary>
    /// Enters the connection as its device's, and gives the one whose session it takes over. False when the device has
    /// as many as it may.
    /// </summary>
    public bool TryRegister(MqttConnection connection, string deviceId, int max, out MqttConnection? before)
    {
        before = null;
        lock (_gate)
        {
            if (!_devices.TryGetValue(deviceId, out var list)) _devices[deviceId] = list = new(capacity: 1);
            var taken = list.FindIndex(other => other.ClientId == connection.ClientId);
            if (taken < 0)
            {
                if (list.Count >= max) return false;
                list.Add(connection);
                return true;
            }

            before = list[taken];
            list[taken] = connection;
            return true;
        }
    }

    public void Remove(MqttConnection connection, string? deviceId)
    {
        lock (_gate)
        {
            _slots[connection.Slot] = null;
            _free.Push(connection.Slot);
            Count--;
            if (deviceId is not null && _devices.TryGetValue(deviceId, out var list))
            {
                list.Remove(connection);
                if (list.Count == 0) _devices.Remove(deviceId);
            }

            if (Count == 0) _empty?.TrySetResult();
        }
    }

    public IReadOnlyList<MqttConnection> OfDevice(string deviceId)
    {
        lock (_gate) return _devices.TryGetValue(deviceId, out var list) ? [.. list] : [];
    }

    public IReadOnlyList<string> Devices()
    {
        lock (_gate) return [.. _devices.Keys];
    }

    /// <summary>
    /// Every connection there is, some of which may be gone by the time that they are looked at; not locked, because
    /// the watch walks through all of them each second.
    /// </summary>
    public ReadOnlySpan<MqttConnection?> Snapshot() => Volatile.Read(ref _slots);

    /// <summary>Completes when no connection is left.</summary>
    public Task WhenEmptyAsync()
    {
        lock (_gate)
        {
            _empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (Count == 0) _empty.SetResult();
            return _empty.Task;
        }
    }
}
