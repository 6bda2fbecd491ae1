using Millrace.Contracts;
using Millrace.Saql.Expressions;
using Millrace.Saql.Json;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>One SELECT at work: filters the row in the frame, writes its JSON, gives it to the sink.</summary>
internal sealed class OutputState(OutputPlan plan, EngineContext context)
{
    private static readonly long EpochTicks = DateTime.UnixEpoch.Ticks;

    private readonly Frame _frame = context.Frame;
    private readonly JsonRowWriter _writer = new();
    private readonly ColumnWriter[] _columns = [.. plan.Columns.Select(column => new ColumnWriter(column))];
    private readonly byte[]?[] _prefixes = new byte[]?[context.Sources.Length];
    private byte[]? _windowPrefix;
    private byte[] _rowId = new byte[256];

    public void Write()
    {
        _frame.ClearFailure();
        foreach (var filter in plan.Filters)
        {
            if (filter.Test(_frame) == Truth.True) continue;
            if (_frame.Failure is not null) context.ReportFailure();
            return;
        }

        _writer.Begin();
        foreach (var column in _columns) column.Write(_writer, _frame);
        _writer.End();
        if (_frame.Failure is not null)
        {
            context.ReportFailure();
            return;
        }

        ref readonly var origin = ref _frame.Origin;
        context.Sink.Row(new QueryRow
        {
            Output = plan.Output,
            TimestampMs = ToMilliseconds(origin.Timestamp),
            RowId = RowId(origin),
            HasDevice = !origin.Device.IsNull,
            DeviceId = origin.Device.Utf8,
            Source = context.Sources[origin.Source],
            Offset = origin.Offset,
            Element = origin.Element,
            IsLate = context.TakesLate,
            Json = _writer.Written,
        });
    }

    /// <summary>Ticks to milliseconds since 1970, cut off downwards.</summary>
    public static long ToMilliseconds(long ticks)
    {
        var since = ticks - EpochTicks;
        return since >= 0 ? since / TimeSpan.TicksPerMillisecond : ~(~since / TimeSpan.TicksPerMillisecond);
    }

    private ReadOnlySpan<byte> RowId(in RowOrigin origin)
    {
        while (true)
        {
            var length = PlainRowId(origin);
            if (length >= 0 && origin.Trail != 0) length = RowIdentity.WithTrail(_rowId, length, origin.Trail);
            if (length >= 0) return _rowId.AsSpan(0, length);
            _rowId = new byte[_rowId.Length * 2];
        }
    }

    private int PlainRowId(in RowOrigin origin)
    {
        if (origin.Window is not { } window)
        {
            return RowIdentity.OfRecord(
                _rowId, SourcePrefix(origin.Source), origin.Offset, origin.Element, plan.Row);
        }

        var prefix = context.Plan.Scope == QueryScope.PerPartition
            ? SourcePrefix(origin.Source)
            : _windowPrefix ??= Prefix(new TopicPartition(context.Sources[0].Topic, -1));
        return RowIdentity.OfWindow(_rowId, prefix, window.OperatorPlan.Number,
            origin.Timestamp % TimeSpan.TicksPerMillisecond, ToMilliseconds(origin.WindowStart),
            ToMilliseconds(origin.Timestamp), window.GroupKeyText(), plan.Row);
    }

    private byte[] SourcePrefix(int source) => _prefixes[source] ??= Prefix(context.Sources[source]);

    private byte[] Prefix(TopicPartition source) => RowIdentity.Prefix(
        context.Options.Name, context.Options.Version, context.Plan.Outputs[plan.Output], source);
}
