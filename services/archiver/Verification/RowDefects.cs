using System.Globalization;
using System.Text;
using Millrace.Archiver.Files;
using Millrace.Archiver.Rewriting;
using Millrace.Archiver.Rows;
using Millrace.Archiver.Upkeep;
using Millrace.Delta.Log;
using Millrace.Delta.Pruning;

namespace Millrace.Archiver.Verification;

/// <summary>
/// What is wrong with rows of a file whatever the log says: they are beyond what the table says of the file, or the
/// file of a row group, so that readers pass over them, or a promoted value is another than the body has. Where one of
/// the two has none, nothing is wrong: the column may have come later, or have been read from another path before.
/// </summary>
internal sealed class RowDefects
{
    private readonly AddFile _file;
    private readonly RowSet _rows;
    private readonly int[] _some;
    private readonly Dictionary<int, string> _found = [];

    /// <param name="some">The rows that are looked at, in the order of the file.</param>
    /// <param name="promoted">The columns as they stand in the table.</param>
    public RowDefects(AddFile file, RowSet rows, int[] some, IReadOnlyList<PromotedColumn> promoted)
    {
        (_file, _rows, _some) = (file, rows, some);
        FindOutsideHour();
        if (file.Stats is not null) FindOutsideStats(file.Stats);
        foreach (var column in rows.Columns) column.FindBeyondGroup(some, row => AddBeyondGroup(row, column.Path));
        if (promoted.Count > 0) FindWrongValues(promoted);
    }

    /// <summary>What is wrong with the row; null when nothing is.</summary>
    public string? Of(int row) => _found.GetValueOrDefault(row);

    private void FindOutsideHour()
    {
        var from = (TableFiles.HourOf(_file) - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var to = from + (TimeSpan.TicksPerHour / TimeSpan.TicksPerMicrosecond);
        foreach (var row in _some)
        {
            if (_rows.EnqueuedAt[row] < from || _rows.EnqueuedAt[row] >= to)
                _found.TryAdd(row, "in the folder of another hour");
        }
    }

    private void FindOutsideStats(FileStats stats)
    {
        // Rows of a device stand together.
        ReadOnlySpan<byte> device = [];
        var isOutside = false;
        foreach (var row in _some)
        {
            if (!_rows.Device.Has(row)) continue;
            if (device.IsEmpty || !device.SequenceEqual(_rows.Device.Text(row)))
            {
                device = _rows.Device.Text(row);
                isOutside = !MayHold(stats, "device_id", Encoding.UTF8.GetString(device));
            }

            if (isOutside) AddOutside(row, "device_id");
        }

        // Where the least and the greatest are within, all are.
        foreach (var column in _rows.Columns)
        {
            if (IsWithin(stats, column.Stats(_some))) continue;
            foreach (var row in _some)
            {
                if (!IsWithin(stats, column.Stats([row]))) AddOutside(row, column.Path);
            }
        }
    }

    private void FindWrongValues(IReadOnlyList<PromotedColumn> promoted)
    {
        var reader = new FieldReader(promoted);
        var values = new FieldValue[promoted.Count];
        var columns = promoted.Select(column => _rows.Find(column.Name)).ToArray();
        var bodies = _rows.Text(ArchiveSchema.Body);
        foreach (var row in _some)
        {
            var body = bodies.Text(row);
            reader.Read(body, values);
            for (var i = 0; i < columns.Length; i++)
            {
                if (!IsOfBody(columns[i], row, values[i], body))
                    _found.TryAdd(row, $"{promoted[i].Name} is not the body's");
            }
        }
    }

    private void AddOutside(int row, string column) =>
        _found.TryAdd(row, $"{column} is beyond what the table says of the file");

    private void AddBeyondGroup(int row, string column) =>
        _found.TryAdd(row, $"{column} is beyond what the file says of the row group");

    private static bool IsWithin(FileStats stats, ColumnStats? found) =>
        found is null || (MayHold(stats, found.Column, AsReadersAsk(found.Min))
            && MayHold(stats, found.Column, AsReadersAsk(found.Max)));

    private static bool MayHold(FileStats stats, string column, object? value) =>
        value is null || stats.MayHold([ColumnRange.Of(column, value)]);

    /// <summary>Times are the only texts here, and others than we write them in other forms.</summary>
    private static object? AsReadersAsk(object? value) => value is string time
        ? DateTimeOffset.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
        : value;

    private static bool IsOfBody(RowColumn column, int row, in FieldValue value, ReadOnlySpan<byte> body) =>
        column switch
        {
            ValueColumn<double> numbers => !numbers.Has(row) || !value.Has || numbers[row].Equals(value.Double),
            ValueColumn<long> numbers => !numbers.Has(row) || !value.Has || numbers[row] == value.Long,
            ValueColumn<bool> truths => !truths.Has(row) || !value.Has || truths[row] == (value.Long != 0),
            TextColumn texts => !texts.Has(row) || !value.Has || texts.Text(row).SequenceEqual(
                value.Text ?? body.Slice(value.Start, value.Length)),
            _ => true,
        };
}
