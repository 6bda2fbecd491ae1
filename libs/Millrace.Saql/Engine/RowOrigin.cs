using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>Where the row at hand comes from: what its identity and its failures name.</summary>
internal struct RowOrigin
{
    /// <summary>System.Timestamp(), in ticks.</summary>
    public long Timestamp;

    /// <summary>Index of the source; for a window's row that of its group's first event, like the next two.</summary>
    public int Source;
    public long Offset;
    public int Element;

    /// <summary>The only device that made the row, as text; else null.</summary>
    public Value Device;

    /// <summary>There is no only device because there were several.</summary>
    public bool SeveralDevices;

    /// <summary>The window that made the row; null for a row of an input.</summary>
    public WindowState? Window;
    public long WindowStart;
}
