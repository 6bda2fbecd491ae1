namespace Millrace.Batch.Frames;

/// <summary>The functions that both engines have, with the same results.</summary>
public static class Functions
{
    // Of the rows of a group.

    /// <summary>Rows.</summary>
    public static Column Count() => Column.Call("count", Column.Value(1));

    /// <summary>Rows where there is a value.</summary>
    public static Column Count(Column value) => Column.Call("count", value);

    public static Column CountDistinct(Column value) => new(new CallNode("count", [value], IsDistinct: true));

    /// <summary>Of whole numbers a whole number of 64 bits.</summary>
    public static Column SumOfLongs(Column value) => Column.Call("sum", value).Cast(ColumnType.Long);

    public static Column Sum(Column value) => Column.Call("sum", value.Cast(ColumnType.Double));

    public static Column Min(Column value) => Column.Call("min", value);

    public static Column Max(Column value) => Column.Call("max", value);

    public static Column Average(Column value) => Column.Call("avg", value);

    /// <summary>Of a sample; null for one row.</summary>
    public static Column StandardDeviation(Column value) => Column.Call("stddev_samp", value);

    /// <summary>Between two values, the share between them.</summary>
    public static Column Percentile(Column value, double share) => Column.Call("percentile", value, share);

    /// <summary>The value where the other is greatest.</summary>
    public static Column MaxBy(Column value, Column by) => Column.Call("max_by", value, by);

    /// <summary>The value where the other is least.</summary>
    public static Column MinBy(Column value, Column by) => Column.Call("min_by", value, by);

    /// <summary>
    /// How much the value grows with the other by one, by the line that fits best; null where the other has less than
    /// two values.
    /// </summary>
    public static Column Slope(Column value, Column by) =>
        NullIf(Column.Call("regr_slope", value, by), double.NaN);

    // Of the rows of a window.

    public static Column RowNumber() => Column.Call("row_number");

    public static Column Rank() => Column.Call("rank");

    /// <summary>The value so many rows before; null where there is none.</summary>
    public static Column Lag(Column value, int rows = 1) => Column.Call("lag", value, rows);

    /// <summary>The value so many rows after; null where there is none.</summary>
    public static Column Lead(Column value, int rows = 1) => Column.Call("lead", value, rows);

    // Of one row.

    /// <summary>The first that is not null.</summary>
    public static Column Coalesce(params IReadOnlyList<Column> values) => Column.Call("coalesce", values);

    /// <summary>Null when both are equal.</summary>
    public static Column NullIf(Column value, Column other) => Column.Call("nullif", value, other);

    public static Column When(Column condition, Column value, Column otherwise) =>
        Column.Call("when", condition, value, otherwise);

    public static Column Greatest(params IReadOnlyList<Column> values) => Column.Call("greatest", values);

    public static Column Least(params IReadOnlyList<Column> values) => Column.Call("least", values);

    public static Column Abs(Column value) => Column.Call("abs", value);

    public static Column Sqrt(Column value) => Column.Call("sqrt", value);

    /// <summary>The whole number below, of 64 bits.</summary>
    public static Column Floor(Column value) => Column.Call("floor", value).Cast(ColumnType.Long);

    public static Column Length(Column text) => Column.Call("length", text);

    public static Column OctetLength(Column value) => Column.Call("octet_length", value);

    public static Column Lower(Column text) => Column.Call("lower", text);

    public static Column Upper(Column text) => Column.Call("upper", text);

    /// <summary>Of a text in JSON, what stands at a path such as <c>$.status.battery</c>, as text.</summary>
    public static Column JsonText(Column json, string path) =>
        Column.Call("get_json_object", json, Column.Value(path));

    /// <param name="unit">minute, hour, day, week, month, quarter or year.</param>
    public static Column DateTrunc(string unit, Column time) =>
        Column.Call("date_trunc", Column.Value(unit), time).Cast(ColumnType.Timestamp);

    /// <summary>Microseconds since 1970.</summary>
    public static Column UnixMicros(Column time) => Column.Call("unix_micros", time);

    /// <summary>The moment so many microseconds after 1970.</summary>
    public static Column TimestampMicros(Column micros) => Column.Call("timestamp_micros", micros);
}
