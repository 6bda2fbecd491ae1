using Millrace.Saql.Decoding;
using Millrace.Saql.Engine;
using Millrace.Saql.Json;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

/// <summary>A value together with what it is ordered by, for aggregates that rank: encoded, in one.</summary>
internal sealed class PackExpr(Expr value, Expr[] order) : Expr
{
    public override IReadOnlyList<Expr> Parts => [value, .. order];

    public override Value Evaluate(Frame frame)
    {
        var packed = value.Evaluate(frame);
        Span<Value> keys = new Value[order.Length];
        var size = ValueCodec.Size(packed);
        for (var i = 0; i < order.Length; i++)
        {
            keys[i] = order[i].Evaluate(frame);
            size += ValueCodec.Size(keys[i]);
        }

        var room = frame.Arena.Reserve(size);
        var at = ValueCodec.Write(room, packed);
        foreach (ref readonly var key in keys[..order.Length]) at += ValueCodec.Write(room[at..], key);
        return frame.Arena.Commit(ValueKind.Text, size);
    }

    public static (Value Value, Value[] Order) Unpack(in Value packed, int count)
    {
        var at = packed.Start;
        var value = ValueCodec.Read(packed.Bytes!, ref at);
        var order = new Value[count];
        for (var i = 0; i < count; i++) order[i] = ValueCodec.Read(packed.Bytes!, ref at);
        return (value, order);
    }
}

/// <summary>The columns of a row as one record.</summary>
internal sealed class RecordExpr(OutputColumn[] columns) : Expr
{
    private readonly ColumnWriter[] _columns = [.. columns.Select(column => new ColumnWriter(column))];

    public override ValueKind? Type => ValueKind.Record;

    public override IReadOnlyList<Expr> Parts => [.. columns.SelectMany(column => column.Parts)];

    public override Value Evaluate(Frame frame)
    {
        if (columns is [{ Name: null } whole]) return whole.Value.Evaluate(frame);
        var writer = new JsonRowWriter();
        writer.Begin();
        foreach (var column in _columns)
        {
            column.Write(writer, frame);
            if (writer.Written.Length > DecodedBody.BytesMax) return frame.TooLong("A record");
        }

        writer.End();
        return frame.Composed(writer.Written, ValueKind.Record);
    }
}
