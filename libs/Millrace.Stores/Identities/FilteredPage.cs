namespace Millrace.Stores.Identities;

/// <summary>A page of a list, while devices are looked at in the order of their ids.</summary>
internal sealed class FilteredPage
{
    private readonly DeviceFilter _filter;
    private readonly int _limit;
    private readonly List<DeviceIdentity> _devices = [];
    private int _looked;
    private string _last = "";

    public FilteredPage(DeviceFilter filter, int limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        (_filter, _limit) = (filter, limit);
    }

    /// <summary>The next device belongs to another page.</summary>
    public bool IsFull => _devices.Count == _limit || _looked == _filter.LookedAtMax;

    /// <summary>Looks at a device: whether it is to be added.</summary>
    public bool Takes(DeviceIdentity device)
    {
        _looked++;
        _last = device.DeviceId;
        return _filter.Matches(device);
    }

    public void Add(DeviceIdentity device) => _devices.Add(device);

    public Page<DeviceIdentity> End(bool hasMore, Func<string, string> tokenAfter) =>
        new(_devices, hasMore ? tokenAfter(_last) : null);
}
