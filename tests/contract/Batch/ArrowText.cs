using System.Globalization;
using Apache.Arrow;
using Apache.Arrow.Types;
using Millrace.Batch;

namespace Millrace.Contract.Tests.Batch;

/// <summary>
/// Values as text, the same for both engines: what is equal reads equal, whether a whole number has 32 bits or 64.
/// </summary>
internal static class ArrowText
{
    public static Task<List<string>> RowsAsync(IBatchResult result) => RowsAsync(result.Batches);

    public static async Task<List<string>> RowsAsync(IAsyncEnumerable<RecordBatch> batches)
    {
        var rows = new List<string>();
        await foreach (var batch in batches)
        {
            for (var row = 0; row < batch.Length; row++)
                rows.Add(string.Join('|', batch.Arrays.Select(column => Of(column, row))));
        }

        return rows;
    }

    private static string Of(IArrowArray column, int row)
    {
        if (column.IsNull(row)) return "null";
        var invariant = CultureInfo.InvariantCulture;
        return column switch
        {
            StringArray text => text.GetString(row),
            BooleanArray flags => flags.GetValue(row) == true ? "true" : "false",
            Int8Array whole => whole.GetValue(row)!.Value.ToString(invariant),
            Int16Array whole => whole.GetValue(row)!.Value.ToString(invariant),
            Int32Array whole => whole.GetValue(row)!.Value.ToString(invariant),
            Int64Array whole => whole.GetValue(row)!.Value.ToString(invariant),
            FloatArray number => number.GetValue(row)!.Value.ToString("G7", invariant),
            DoubleArray number => number.GetValue(row)!.Value.ToString("G12", invariant),
            Decimal128Array number => number.GetValue(row)!.Value.ToString("G29", invariant),
            Date32Array days => days.GetDateTime(row)!.Value.ToString("yyyy-MM-dd", invariant),
            TimestampArray times => times.GetTimestamp(row)!.Value.ToString("yyyy-MM-dd HH:mm:ss.FFFFFF", invariant),
            BinaryArray bytes => Convert.ToHexString(bytes.GetBytes(row)),
            MapArray map => Pairs(map, row),
            _ => throw new NotSupportedException(column.Data.DataType.TypeId == ArrowTypeId.Null
                ? "A column of nothing." : column.Data.DataType.Name),
        };
    }

    private static string Pairs(MapArray map, int row)
    {
        var (from, to) = (map.ValueOffsets[row], map.ValueOffsets[row + 1]);
        var pairs = Enumerable.Range(from, to - from).Select(at => $"{Of(map.Keys, at)}={Of(map.Values, at)}");
        return $"{{{string.Join(", ", pairs.Order(StringComparer.Ordinal))}}}";
    }
}
