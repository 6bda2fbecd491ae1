using Millrace.Batch.Frames;
using static Millrace.Batch.Frames.Functions;

namespace Millrace.ColdPath.Catalog;

/// <summary>
/// A job as a class, with a public constructor without parameters: it makes its steps of the values of its parameters.
/// </summary>
public interface IFrameJob
{
    DataFrame Build(FrameJobInput input);
}

/// <summary>The checked values of a job's parameters.</summary>
public sealed class FrameJobInput
{
    private readonly IReadOnlyDictionary<string, object?> _values;
    private readonly IReadOnlyDictionary<string, IReadOnlyList<string>> _columns;

    internal FrameJobInput(
        IReadOnlyDictionary<string, object?> values, IReadOnlyDictionary<string, IReadOnlyList<string>> columns) =>
        (_values, _columns) = (values, columns);

    /// <summary>Rows of <c>telemetry</c> whose time is within the job's from and to.</summary>
    /// <param name="time">event_at or enqueued_at.</param>
    /// <param name="before">So much more of the time before.</param>
    public DataFrame Telemetry(string time, TimeSpan before = default) => DataFrame.Read("telemetry")
        .Filter(Column.Of(time) >= (From - DateTimeOffset.MinValue < before ? DateTimeOffset.MinValue : From - before))
        .Filter(Column.Of(time) < To);

    public DateTimeOffset From => Get<DateTimeOffset>(JobDefinition.FromParameter);

    public DateTimeOffset To => Get<DateTimeOffset>(JobDefinition.ToParameter);

    public T Get<T>(string parameter) => (T)_values[parameter]!;

    /// <summary>The columns that a parameter names; none, when it says all numbers and none is promoted.</summary>
    public IReadOnlyList<string> Columns(string parameter) => _columns[parameter];

    /// <summary>As <see cref="Columns"/>; CP-0005 when there are none.</summary>
    public IReadOnlyList<string> SomeColumns(string parameter) => _columns[parameter] is { Count: > 0 } some
        ? some
        : throw ColdPathErrors.ColumnUnknown.With(parameter, "No number is promoted to a column.").AsException();

    /// <summary>
    /// Which of the device's messages of a step a row is, from 1: by the event time, and of equal ones by the log, so
    /// that a message that came late is not the last one.
    /// </summary>
    public static Column NumberWithin(Column step) =>
        RowNumber().Over(Window.Of("device_id", step).OrderBy("event_at", "log_offset"));

    /// <summary>Columns as rows: <c>measure</c> is the name, <c>value</c> a floating-point number.</summary>
    public static DataFrame Measures(DataFrame rows, IReadOnlyList<Column> ids, IReadOnlyList<string> columns)
    {
        var named = ids.Select(id => id.Name).ToList();
        var numbers = columns.Select(name => Column.Of(name).Cast(ColumnType.Double).As(name));
        return rows.Select([.. ids, .. numbers]).Unpivot(named, columns, "measure", "value");
    }
}
