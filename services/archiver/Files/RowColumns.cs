using System.Globalization;
using Millrace.Archiver.Rows;
using Millrace.Delta.Log;
using ParquetSharp;

namespace Millrace.Archiver.Files;

/// <summary>
/// Turns rows into column values, a chunk at a time, and learns a file's statistics on the way. Values point into the
/// arena: the buffer must stay as it is until the file is written.
/// </summary>
internal abstract class RowColumns
{
    /// <summary>In the order of the table's columns.</summary>
    protected abstract IReadOnlyList<ColumnBuffer> All { get; }

    public virtual void BeginFile()
    {
        foreach (var column in All) column.BeginFile();
    }

    public abstract void Add(in BufferedRow row);

    /// <summary>Hands what was added since the last time to the row group.</summary>
    public void WriteTo(RowGroupWriter rowGroup)
    {
        for (var i = 0; i < All.Count; i++) All[i].WriteTo(rowGroup.Column(i));
    }

    /// <summary>The statistics of the rows since <see cref="BeginFile"/>, whose order is that of devices.</summary>
    public abstract FileStats Stats(long rows);

    internal static string IsoText(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms)
        .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    protected static void AddText(ColumnBuffer<ByteArray> column, bool has, ReadOnlySpan<byte> text)
    {
        if (has) column.Add(Pointer(text));
        else column.AddNull();
    }

    protected static unsafe ByteArray Pointer(ReadOnlySpan<byte> inArena) =>
        new((IntPtr)RecordArena.AddressOf(inArena), inArena.Length);

    protected static unsafe string? TextOf(ByteArray? value) => value is { } text
        ? System.Text.Encoding.UTF8.GetString((byte*)text.Pointer, text.Length)
        : null;

    /// <summary>The least and the greatest of whole numbers.</summary>
    protected struct LongRange()
    {
        public long Min { get; private set; } = long.MaxValue;

        public long Max { get; private set; } = long.MinValue;

        public void Take(long value)
        {
            Min = Math.Min(Min, value);
            Max = Math.Max(Max, value);
        }

        public readonly ColumnStats Stats(string column) => new(column, Min, Max, 0);

        public readonly ColumnStats TimeStats(string column) => new(column, IsoText(Min), IsoText(Max), 0);
    }
}
